import { NEAR } from './whole-digest.ts';

/** Tells which new chunks begin at most `NEAR` bytes after the start of the first missing chunk. */
export class StoredOrder {
	/** Bytes of a chunk. */
	readonly chunkSize: number;
	/** One byte for each chunk, 1 if it is stored. */
	readonly #stored: Uint8Array;
	/** All chunks before this one are stored. */
	#next = 0;

	/** @param stored the chunks that are stored; this object changes the array */
	constructor(stored: Uint8Array, chunkSize: number) {
		this.#stored = stored;
		this.chunkSize = chunkSize;
	}

	/**
	 * `count` chunks, from chunk `first` on, are stored now.
	 *
	 * @returns whether these chunks are among the next to be hashed
	 */
	add(first: number, count: number): boolean {
		const isNear = (first - this.#skip()) * this.chunkSize <= NEAR;
		this.#stored.fill(1, first, first + count);
		return isNear;
	}

	/** Starts anew: from now on, only the chunks with a 1 in `stored` count as stored. */
	restart(stored: Uint8Array): void {
		this.#stored.set(stored);
		this.#next = 0;
	}

	#skip(): number {
		while (this.#stored[this.#next] === 1) {
			this.#next += 1;
		}
		return this.#next;
	}
}
