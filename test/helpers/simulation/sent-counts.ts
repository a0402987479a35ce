/** Chunks that are on their way to somebody, and are finished before others are begun. */
const MOST_BEGUN = 8;

/**
 * Which wish a node grants first, so that a swarm soon has a whole copy: what it has begun to send to
 * somebody, as only whole chunks are passed on; then the chunks that it has sent least often.
 */
export class SentCounts {
	/** By chunk: to how many it was sent, or is being sent. */
	readonly #sent = new Map<number, number>();
	/** Chunks being sent, by receiver, the oldest first, with the bytes that are still to come. */
	readonly #begun = new Map<string, { readonly chunk: number; left: number }>();

	/** The place of a wish in the order: the least goes first. */
	rank(to: string, chunk: number): number {
		return this.#begun.get(to)?.chunk === chunk ? -1 : (this.#sent.get(chunk) ?? 0);
	}

	/** `bytes` of `chunk`, which has `size`, are sent to `to`. */
	sent(to: string, chunk: number, bytes: number, size: number): void {
		const before = this.#begun.get(to);
		const begun = before?.chunk === chunk ? before : this.#begin(to, chunk, size);
		begun.left -= bytes;
		if (begun.left <= 0) {
			this.#begun.delete(to);
		}
	}

	#begin(to: string, chunk: number, size: number): { left: number } {
		this.#giveUp(to);
		const begun = { chunk, left: size };
		this.#count(chunk, 1);
		this.#begun.set(to, begun);
		if (this.#begun.size > MOST_BEGUN) {
			const [oldest] = this.#begun.keys();
			this.#giveUp(oldest as string);
		}
		return begun;
	}

	/** The transfer to `to` was not finished: the receiver does not have the chunk. */
	#giveUp(to: string): void {
		const begun = this.#begun.get(to);
		if (begun !== undefined) {
			this.#begun.delete(to);
			this.#count(begun.chunk, -1);
		}
	}

	#count(chunk: number, change: 1 | -1): void {
		this.#sent.set(chunk, (this.#sent.get(chunk) ?? 0) + change);
	}
}
