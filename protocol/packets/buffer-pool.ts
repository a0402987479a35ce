/** Bytes of the smallest and the largest buffers, each kind twice as large as the one before. */
const LEAST = 32 * 1024;
const MOST = 1024 * 1024;
/** Room in each for what is not content: fixed header, topic, header of the chunk. */
const EXTRA = 2 * 1024;
/** Bytes kept for the next time; beyond, buffers of a size that is not used any more are let go first. */
const MOST_FREE = 16 * 1024 * 1024;

/**
 * A pool of buffers for chunk messages. Fresh buffers cost more than filling them: the system maps every page anew, and
 * the garbage collector has to trace them. A buffer that is never given back is collected like any other.
 */
export class BufferPool {
	/** By size, those that may be taken: the size that was given back longest ago first. */
	readonly #free = new Map<number, ArrayBufferLike[]>();
	#freeBytes = 0;
	/** Those that were taken and not given back: two who took the same would write over each other. */
	readonly #lent = new WeakSet<ArrayBufferLike>();

	readonly #make: (bytes: number) => ArrayBufferLike;

	/** @param make makes the memory of a buffer */
	constructor(make: (bytes: number) => ArrayBufferLike = (bytes) => new ArrayBuffer(bytes)) {
		this.#make = make;
	}

	/**
	 * A buffer of `length` bytes with any content: a view of a buffer of the pool, or a new buffer if it is larger
	 * than those.
	 */
	take(length: number): Uint8Array {
		let size = LEAST;
		while (size + EXTRA < length) {
			size *= 2;
		}
		if (size > MOST) {
			return new Uint8Array(length);
		}
		const kept = this.#takeFree(size + EXTRA);
		const buffer = kept ?? this.#make(size + EXTRA);
		this.#lent.add(buffer);
		return new Uint8Array(buffer, 0, length);
	}

	/**
	 * Gives back a buffer from {@link take}, or a view of it, that is not read or written any more. A buffer from
	 * elsewhere, or one that was given back before, is ignored.
	 */
	give({ buffer }: Uint8Array): void {
		if (this.#lent.delete(buffer)) {
			// The size given back last is the one that is taken next: it moves to the end.
			const kept = this.#free.get(buffer.byteLength) ?? [];
			this.#free.delete(buffer.byteLength);
			this.#free.set(buffer.byteLength, kept);
			kept.push(buffer);
			this.#freeBytes += buffer.byteLength;
			while (this.#freeBytes > MOST_FREE) {
				this.#takeFree(this.#free.keys().next().value as number);
			}
		}
	}

	/** Takes a free buffer of `bytes` out of the pool. */
	#takeFree(bytes: number): ArrayBufferLike | undefined {
		const buffers = this.#free.get(bytes);
		const buffer = buffers?.pop();
		this.#freeBytes -= buffer?.byteLength ?? 0;
		if (buffers?.length === 0) {
			this.#free.delete(bytes);
		}
		return buffer;
	}
}

/** The pool that all connections of this process share. */
export const packetBuffers: BufferPool = new BufferPool();

/** The pool for messages that come to a node of Node: threads can read them where they are. */
export const sharedBuffers: BufferPool = new BufferPool((bytes) => new SharedArrayBuffer(bytes));
