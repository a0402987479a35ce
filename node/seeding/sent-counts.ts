import type { Seed } from '../../protocol/index.ts';
import { chunksOfRange } from '../engine/chunk-run.ts';
import type { SendPolicy } from './upload-lane.ts';

/**
 * Counts how often each chunk has been sent on direct lanes. The chunk that was sent least often
 * goes first, so no chunk is sent twice while another requested chunk has not been sent at all.
 * Peers pass on the chunks that they have.
 */
export class SentCounts {
	readonly #sent = new Map<string, Uint8Array>();

	/** How often `chunk` of `seed` has been sent. */
	count(seed: Seed, chunk: number): number {
		return this.#sent.get(seed.id)?.[chunk] ?? 0;
	}

	/** Counts that `chunk` of `seed` is sent once more, up to 255. */
	sent(seed: Seed, chunk: number): void {
		const counts = this.#sent.get(seed.id) ?? new Uint8Array(seed.chunks);
		this.#sent.set(seed.id, counts);
		counts[chunk] = Math.min(this.count(seed, chunk) + 1, 255);
	}

	/** Forgets the counts of `seed`, which is not shared any more. */
	forget(seed: Seed): void {
		this.#sent.delete(seed.id);
	}
}

/**
 * The policy of a direct lane: the chunk that has been sent least often is sent first. A chunk
 * counts as sent when its last byte is sent.
 */
export function directPolicy(counts: SentCounts): SendPolicy {
	return {
		answer({ range, of }) {
			const { seed } = of.content;
			const [offset, length] = range;
			const [first, last] = of.of === 'content' ? chunksOfRange(seed.layout, range) : [0, -1];
			for (let chunk = first; chunk <= last; chunk += 1) {
				if (seed.layout.offsetOf(chunk) + seed.layout.sizeOf(chunk) <= offset + length) {
					counts.sent(seed, chunk);
				}
			}
			return { range, isPrivate: true };
		},
		// The text of a seed is sent before any chunk.
		cost({ range, of }) {
			const { seed } = of.content;
			return of.of === 'seed' ? -1 : counts.count(seed, seed.layout.chunkAt(range[0]));
		},
	};
}
