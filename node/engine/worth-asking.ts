import { bytesOpen, type RemoteNode } from './remote-node.ts';

/**
 * Seconds. If all complete peers together need longer than this for the missing bytes and for those
 * that were requested from them, partial peers are asked too.
 */
const LONG = 5;
/**
 * A partial peer is asked if it is more than this many times as fast as all complete peers
 * together.
 */
const MUCH_FASTER = 2;

/** The state of a download that decides which peers are asked. */
export interface Asking {
	/** ms. */
	readonly now: number;
	/** Whether the connection to the broker is lost. */
	readonly isCutOff: boolean;
	/** Bytes that are still to be requested. */
	readonly missing: number;
}

/**
 * The peers in `nodes` that get a request now. Peers on a direct lane are not restricted. All
 * broker lanes share one broker, so on these lanes complete peers are preferred: a complete peer
 * sends a chunk once to all subscribers. A partial peer gets a request through the broker
 *
 * - for the rest of the chunks that are assigned to it;
 * - while no complete peer answers;
 * - while all complete peers together would need more than `LONG` for the rest of the bytes, if the
 *   rate of the partial peer is not known yet or is more than `MUCH_FASTER` times their rate.
 */
export function worthAsking(
	nodes: ReadonlyMap<string, RemoteNode>,
	{ now, isCutOff, missing }: Asking,
): RemoteNode[] {
	const reached = [...nodes.values()].filter(({ window }) => window.isDirect || !isCutOff);
	const able = reached.filter((node) => node.isWorthAsking(now));
	if (able.every(({ window }) => window.isDirect)) {
		return able;
	}
	const sources = reached.filter((node) => node.have.isFull && node.isAvailable(now));
	const rate = sources.reduce(
		(sum, { inflow }) => sum + (inflow.rate(now) ?? Number.POSITIVE_INFINITY),
		0,
	);
	const isSlow = missing + bytesOpen(sources) > rate * LONG;
	return able.filter((node) => {
		const { window, have } = node;
		const isFaster = window.rate === 0 || window.rate > rate * MUCH_FASTER;
		const isPreferred =
			window.isDirect || have.isFull || sources.length === 0 || (isSlow && isFaster);
		return isPreferred || node.hungryAttempt() !== undefined;
	});
}
