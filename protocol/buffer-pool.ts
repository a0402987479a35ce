/** Bytes kept for the next time; more are let go. */
const MOST_FREE = 8 * 1024 * 1024;

/**
 * Buffers of one size that are used again and again. Fresh ones cost more than filling them does: the
 * system hands out every page anew, and the collector has to find out that each is not needed any more.
 * One that is never given back is collected as any other.
 */
export class BufferPool {
	readonly #size: number;
	readonly #free: ArrayBuffer[] = [];
	/** Those that were taken and not given back: two who took the same would write over each other. */
	readonly #lent = new WeakSet<ArrayBufferLike>();

	/** @param size bytes of a buffer */
	constructor(size: number) {
		this.#size = size;
	}

	/** A buffer of `length` bytes that holds anything; a view of a larger one, or one of its own. */
	take(length: number): Uint8Array {
		if (length > this.#size) {
			return new Uint8Array(length);
		}
		const buffer = this.#free.pop() ?? new ArrayBuffer(this.#size);
		this.#lent.add(buffer);
		return new Uint8Array(buffer, 0, length);
	}

	/**
	 * `buffer` came from {@link take}, or is a part of one, and nobody reads or writes it any more. One that
	 * did not, or was given before, is left alone.
	 */
	give({ buffer }: Uint8Array): void {
		if (this.#lent.delete(buffer) && (this.#free.length + 1) * this.#size <= MOST_FREE) {
			this.#free.push(buffer as ArrayBuffer);
		}
	}
}
