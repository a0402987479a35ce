/** Bytes of the smallest and of the largest buffers. Each size is twice the one before. */
const LEAST = 32 * 1024;
const MOST = 1024 * 1024;
/** Additional bytes of each buffer for the fixed header, the topic and the header of the chunk. */
const EXTRA = 2 * 1024;
/**
 * Most bytes of free buffers; above this, buffers of the size that was used longest ago are dropped
 * first. A download from several fast nodes uses up to 32 MiB at a time; if many of them are dropped
 * and made again, the garbage collector is behind by up to 100 MiB.
 */
const MOST_FREE = 24 * 1024 * 1024;
/** ms without use after which all free buffers are dropped, at the earliest. */
const IDLE = 10_000;

/**
 * A pool of buffers for chunk messages. Making a buffer costs more than filling it: the system has
 * to map every page again, and the garbage collector has to trace the buffer. A buffer that is
 * never given back is collected like any other.
 */
export class BufferPool {
	/** Free buffers by size; the size that was given back longest ago is first. */
	readonly #free = new Map<number, ArrayBufferLike[]>();
	#freeBytes = 0;
	/**
	 * Buffers that were taken and not given back. Only these are accepted back: if a
	 * buffer were in the pool twice, two users would get it at once.
	 */
	readonly #lent = new WeakSet<ArrayBufferLike>();

	readonly #make: (bytes: number) => ArrayBufferLike;
	readonly #idle: number;
	/** When a buffer was last given back, ms. */
	#givenAt = 0;
	#timer: ReturnType<typeof setTimeout> | undefined;

	/**
	 * @param make makes the memory of a buffer
	 * @param idle ms without use after which all free buffers are dropped
	 */
	constructor(
		make: (bytes: number) => ArrayBufferLike = (bytes) => new ArrayBuffer(bytes),
		idle = IDLE,
	) {
		this.#make = make;
		this.#idle = idle;
	}

	/**
	 * Returns `length` bytes with arbitrary content: a view of a buffer of the pool, or a new buffer
	 * if `length` is larger than the buffers of the pool.
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
			// The size that was given back last is dropped last, so it moves to the end.
			const kept = this.#free.get(buffer.byteLength) ?? [];
			this.#free.delete(buffer.byteLength);
			this.#free.set(buffer.byteLength, kept);
			kept.push(buffer);
			this.#freeBytes += buffer.byteLength;
			while (this.#freeBytes > MOST_FREE) {
				this.#takeFree(this.#free.keys().next().value as number);
			}
			this.#givenAt = performance.now();
			this.#timer ??= this.#watch();
		}
	}

	/** Drops all free buffers when none was given back for `idle` to twice `idle` ms. */
	#watch(): ReturnType<typeof setTimeout> {
		const timer = setTimeout(() => {
			this.#timer = undefined;
			if (performance.now() - this.#givenAt >= this.#idle) {
				this.#free.clear();
				this.#freeBytes = 0;
			} else {
				this.#timer = this.#watch();
			}
		}, this.#idle);
		// In Node.js, the timer does not keep the process running; in browsers, it is a number.
		(timer as { unref?: () => void }).unref?.();
		return timer;
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

/**
 * The pool for messages that a node in Node.js receives: worker threads can read them without a
 * copy.
 */
export const sharedBuffers: BufferPool = new BufferPool((bytes) => new SharedArrayBuffer(bytes));
