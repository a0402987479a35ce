import { Aedes, type AedesOptions } from 'aedes';
import { type Limits, MAX_TOPIC_LEVELS } from '../../protocol/index.ts';
import { leaveWills, skipNumberCache, subscribeAtOnce } from './internals.ts';

/** The hooks by which Aedes asks what a client may do. */
export type Hooks = Pick<
	AedesOptions,
	'authenticate' | 'authorizePublish' | 'authorizeSubscribe' | 'authorizeForward'
> &
	Required<Pick<AedesOptions, 'preConnect'>>;

/**
 * Makes an Aedes without persistent sessions, in which no client waits for another. It is ready
 * after {@link listenAedes}.
 */
export function makeAedes(hooks: Hooks, { connectTime }: Pick<Limits, 'connectTime'>): Aedes {
	skipNumberCache();
	const aedes = new Aedes({
		...hooks,
		preConnect: (client, packet, done) => {
			hooks.preConnect(client, packet, done);
			// A session that outlives its connection would grow without bound. Aedes reads `clean` in a
			// later turn of the event loop.
			packet.clean = true;
		},
		// With a limit, one client that reads nothing blocks all others once that many messages wait
		// for it.
		concurrency: 0,
		// With a timeout, messages for a client that is being cut block their sender until the timeout
		// has passed. Without a timeout, they are dropped when the connection is closed.
		drainTimeout: 0,
		connectTimeout: connectTime,
		maxTopicLevels: MAX_TOPIC_LEVELS,
	});
	subscribeAtOnce(aedes);
	return aedes;
}

/** Makes `aedes` ready for connections. */
export async function listenAedes(aedes: Aedes): Promise<void> {
	await aedes.listen();
	leaveWills(aedes);
}

/** Disconnects every client of `aedes`; resolves when all are disconnected. */
export function closeAedes(aedes: Aedes): Promise<void> {
	return new Promise((resolve) => aedes.close(() => resolve()));
}
