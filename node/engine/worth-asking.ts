import type { RemoteNode } from './remote-node.ts';

/** Seconds. If complete peers need longer for the rest, partial peers are tried too. */
const LONG = 5;
/** The ratio of its rate to the rate of all complete peers above which a partial peer is asked. */
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
 * The peers in `nodes` to send a request to now. Peers on a direct lane are not restricted. All
 * broker lanes share one broker, so complete peers are preferred there: they send a chunk once to
 * all subscribers. A partial peer gets a request
 *
 * - for the rest of the chunks that it has begun to send;
 * - while no complete peer answers;
 * - while the complete peers are so slow that the rest would take long, if the rate of the partial
 *   peer is not known yet, or is much higher than theirs together.
 */
export function worthAsking(
	nodes: ReadonlyMap<string, RemoteNode>,
	{ now, isCutOff, missing }: Asking,
): RemoteNode[] {
	const reached = [...nodes.values()].filter(({ window }) => window.isFree || !isCutOff);
	const sources = reached.filter((node) => node.have.isFull && node.isAvailable(now));
	const rate = sources.reduce(
		(sum, { inflow }) => sum + (inflow.rate(now) ?? Number.POSITIVE_INFINITY),
		0,
	);
	const isSlow = missing > rate * LONG;
	return reached.filter((node) => {
		const { window, have } = node;
		const isFaster = window.rate === 0 || window.rate > rate * MUCH_FASTER;
		const isPreferred =
			window.isFree || have.isFull || sources.length === 0 || (isSlow && isFaster);
		return node.isWorthAsking(now) && (isPreferred || node.hungryAttempt() !== undefined);
	});
}
