import type { BrokerList } from '../protocol/index.ts';
import type { LaneKind } from './lanes/lane.ts';
import type { ListenAt } from './lanes/listen.ts';
import type { TraceSink } from './stats/trace.ts';

/** Options of {@link ShoalNode.start}. */
export interface ShoalNodeOptions {
	/**
	 * URL of the broker: mqtt, mqtts, ws or wss. Or the brokers of one cluster, at most 16: when the
	 * broker in use cannot be reached any more, the next one of the list is used.
	 * @default mqtt://127.0.0.1:1883
	 */
	readonly broker?: BrokerList | undefined;
	/**
	 * SHA-256 fingerprint of the broker's certificate: 64 hex digits, colons allowed. A broker that shows another
	 * certificate is refused. For mqtts: URLs only; in a list, for all of them that have no fingerprint of their own.
	 * @default any certificate of an authority that Node trusts
	 */
	readonly cert?: string | undefined;
	/**
	 * The broker's token for nodes. It is sent to that broker only; with a list, to all of its brokers that have no
	 * token of their own. @default none
	 */
	readonly token?: string | undefined;
	/**
	 * The secret of the node id: after a disconnect only a client with the same secret can use the id again.
	 * @default a new random one
	 */
	readonly secret?: string | undefined;
	/** Node id, which is the MQTT client id: 8 to 64 of `A-Z a-z 0-9 _ -`. @default a new random one */
	readonly id?: string | undefined;
	/**
	 * A name for people, such as that of the machine, at most 32 characters; every client of the broker sees it.
	 * @default none
	 */
	readonly name?: string | undefined;
	/** Most bytes per second sent, over all peers and lanes together. @default no limit */
	readonly maxUp?: number | undefined;
	/** Most bytes per second received, over all peers and lanes together. @default no limit */
	readonly maxDown?: number | undefined;
	/**
	 * Where the node listens for direct connections of other nodes; with false, it does not listen.
	 * @default a free port, see {@link ListenAt}
	 */
	readonly listen?: ListenAt | false | undefined;
	/**
	 * The lanes that are used: `direct` for direct connections only, `broker` for the broker only, `auto` for direct
	 * connections where they work and the broker elsewhere. @default auto
	 */
	readonly lane?: 'auto' | LaneKind | undefined;
	/** Limits that differ from the defaults, by name; `shoal limits` prints all. @default none */
	readonly limits?: Partial<Record<string, number>> | undefined;
	/** Called with each decision and transfer. @default none */
	readonly trace?: TraceSink | undefined;
	/** Root of all topics. @default shoal/1 */
	readonly root?: string | undefined;
}
