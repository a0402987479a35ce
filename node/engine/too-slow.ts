import type { RemoteNode } from './remote-node.ts';

/**
 * If the fastest peer is more than this many times as fast as a peer, that peer may be too slow.
 */
const MUCH_SLOWER = 2;
/**
 * That peer is too slow if one chunk from it takes more than this many times as long as all missing
 * chunks take from all peers together.
 */
const OUTLASTS = 1.2;

/**
 * Whether a chunk requested from `remote` now would arrive after all other missing chunks. Then
 * faster peers, even those that do not have the chunk yet, deliver it sooner. Without this check,
 * most chunks that slow peers send at the end of a download would also be requested from other
 * peers, and arrive twice. While nothing is open at other peers, no peer is too slow.
 *
 * @param missing bytes that are still to be requested
 */
export function isTooSlow(
	remote: RemoteNode,
	nodes: ReadonlyMap<string, RemoteNode>,
	{ chunkSize, missing }: { chunkSize: number; missing: number },
): boolean {
	const { rate } = remote.window;
	if (rate === 0) {
		return false;
	}
	let all = 0;
	let fastest = 0;
	let openElsewhere = 0;
	for (const other of nodes.values()) {
		if (!other.isSnubbed) {
			all += other.window.rate;
			fastest = Math.max(fastest, other.window.rate);
			openElsewhere += other === remote ? 0 : other.outstanding;
		}
	}
	// A peer that is seldom asked shows no high rate, but it may answer soon.
	const asUsual = (remote.window.usualTime / 1_000) * Math.max(1, chunkSize / remote.window.part);
	const isOutlasting = Math.min(chunkSize / rate, asUsual) > (missing / all) * OUTLASTS;
	return openElsewhere > 0 && rate * MUCH_SLOWER < fastest && isOutlasting;
}
