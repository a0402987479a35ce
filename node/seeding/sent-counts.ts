import type { Seed } from '../../protocol/index.ts';
import { chunksOfRange } from '../engine/chunk-run.ts';
import type { SendPolicy } from './upload-lane.ts';

/**
 * How often each chunk has been sent on a direct lane. A node that sends first what it has sent least often
 * does not send a chunk twice while there are others that no peer has yet: peers that have one give it on.
 */
export class SentCounts {
	readonly #sent = new Map<string, Uint8Array>();

	/** How often `chunk` of `seed` has been sent. */
	count(seed: Seed, chunk: number): number {
		return this.#sent.get(seed.id)?.[chunk] ?? 0;
	}

	/** `chunk` of `seed` is sent once more. */
	sent(seed: Seed, chunk: number): void {
		const counts = this.#sent.get(seed.id) ?? new Uint8Array(seed.chunks);
		this.#sent.set(seed.id, counts);
		counts[chunk] = Math.min(this.count(seed, chunk) + 1, 255);
	}

	/** `seed` is not served any more. */
	forget(seed: Seed): void {
		this.#sent.delete(seed.id);
	}
}

/** On a direct lane: what has been sent least often goes first. A chunk has been sent when its end has. */
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
		// A seed goes before any content.
		cost({ range, of }) {
			const { seed } = of.content;
			return of.of === 'seed' ? -1 : counts.count(seed, seed.layout.chunkAt(range[0]));
		},
	};
}
