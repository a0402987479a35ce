import type { SessionRefusal } from './client-sessions.ts';
import type { PublishRefusal } from './topic-rules.ts';

/** Why a broker refused something. */
export type BrokerRefusal =
	| SessionRefusal
	| PublishRefusal
	/** A subscription to a topic that the client may not read. */
	| 'filter'
	/**
	 * More subscriptions than the limit `subscriptions`, or wide subscriptions faster than
	 * `wideRate`.
	 */
	| 'subscriptions'
	/** A packet that is too large or malformed. */
	| 'packet'
	/** No CONNECT in time. */
	| 'silent'
	/** A message that its receiver may not read. */
	| 'forward';

/** Counters of an authorizer: refusals by reason, shed messages, cut connections. */
export interface RefusalCounts {
	/** Chunk messages dropped for clients that did not keep up. */
	shed: number;
	/** Clients disconnected because they did not take what was queued for them. */
	cut: number;
	/** Refusals by reason. */
	readonly refused: Record<BrokerRefusal, number>;
}

/** All counts at zero. */
export function zeroRefusalCounts(): RefusalCounts {
	return {
		shed: 0,
		cut: 0,
		refused: {
			...{ id: 0, taken: 0, token: 0, clients: 0, address: 0, rate: 0 },
			...{ topic: 0, spoof: 0, qos: 0, retain: 0, size: 0, watcher: 0, channel: 0 },
			...{ filter: 0, subscriptions: 0, packet: 0, silent: 0, forward: 0 },
		},
	};
}
