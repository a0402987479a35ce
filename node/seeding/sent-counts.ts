import type { Seed } from '../../protocol/index.ts';

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
