import type { RemoteNode } from './remote-node.ts';

/** Seconds that the rest takes at least, from complete peers on the broker lane, before partial ones are tried. */
const LONG = 5;
/** Times the rate of all complete peers together that a partial peer sends to be asked beside them. */
const MUCH_FASTER = 2;

/** The state of a download that decides which peers are asked. */
export interface Asking {
	readonly now: number;
	/** Whether the connection to the broker is lost. */
	readonly isCutOff: boolean;
	/** Bytes that are still to be requested. */
	readonly missing: number;
}

/**
 * The peers in `nodes` to send a request to now. Peers on a direct lane are not restricted. All broker lanes share one
 * broker, so there complete peers are preferred: what they send to one, they send to all subscribers. A partial peer is
 * asked
 *
 * - for the rest of the chunks that it has begun;
 * - while no complete peer answers;
 * - while the complete ones are so slow that the rest would take long: until its rate is known, and then if it is much
 *   faster than all of them.
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
