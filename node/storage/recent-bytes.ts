/** Bytes that are held in memory until they are released. */
export interface Lent {
	/** The requested bytes, in order, in one or more parts. */
	readonly parts: readonly Uint8Array[];
	/** Ends the use of the bytes. */
	release(): void;
}

/** A stretch of a content in memory. */
interface Stretch {
	readonly offset: number;
	readonly bytes: Uint8Array;
	readonly release: () => void;
	users: number;
	isForgotten: boolean;
}

/** Maximum number of bytes that are held for one node. */
const MOST_BYTES = 8 * 1024 * 1024;
/**
 * Bytes of a block. A stretch is found by the blocks that it touches; chunks of new seeds are
 * larger than a block.
 */
const BLOCK = 64 * 1024;

/**
 * Bytes that were received or read a moment ago, by content: the next request for them is answered
 * from memory, without another read from the disk. When there are too many, the oldest are dropped.
 */
export class RecentBytes<K extends object> {
	readonly #most: number;
	readonly #byContent = new Map<K, Map<number, Stretch>>();
	readonly #oldest = new Set<readonly [K, Stretch]>();
	#bytes = 0;

	/** @param most maximum number of bytes that are held */
	constructor(most: number = MOST_BYTES) {
		this.#most = most;
	}

	/**
	 * Holds `bytes`: verified bytes of `content`, from `offset` on. The caller does not change them
	 * before `release` is called.
	 */
	add(content: K, offset: number, bytes: Uint8Array, release: () => void): void {
		const stretch = { offset, bytes, release, users: 0, isForgotten: false };
		const blocks = this.#byContent.get(content) ?? new Map<number, Stretch>();
		this.#byContent.set(content, blocks);
		for (const block of blocksOf(offset, bytes.length)) {
			blocks.set(block, stretch);
		}
		this.#oldest.add([content, stretch]);
		this.#bytes += bytes.length;
		for (const entry of this.#oldest) {
			if (this.#bytes <= this.#most) {
				break;
			}
			this.#forget(entry);
		}
	}

	/** `length` bytes of `content` from `offset` on; undefined if not all of them are held. */
	lend(content: K, offset: number, length: number): Lent | undefined {
		const blocks = this.#byContent.get(content);
		const used: Stretch[] = [];
		const parts: Uint8Array[] = [];
		for (let at = offset; at < offset + length; ) {
			const stretch = blocks?.get(Math.floor(at / BLOCK));
			const from = at - (stretch?.offset ?? at + 1);
			if (stretch === undefined || from < 0 || from >= stretch.bytes.length) {
				return undefined;
			}
			const part = stretch.bytes.subarray(from, from + offset + length - at);
			used.push(stretch);
			parts.push(part);
			at += part.length;
		}
		for (const stretch of used) {
			stretch.users += 1;
		}
		return { parts, release: () => used.forEach(leave) };
	}

	/** Drops the bytes of `content`, which is not shared any more. */
	drop(content: K): void {
		this.#byContent.delete(content);
		for (const entry of this.#oldest) {
			if (entry[0] === content) {
				this.#forget(entry);
			}
		}
	}

	#forget(entry: readonly [K, Stretch]): void {
		const [content, stretch] = entry;
		this.#oldest.delete(entry);
		this.#bytes -= stretch.bytes.length;
		const blocks = this.#byContent.get(content);
		for (const block of blocksOf(stretch.offset, stretch.bytes.length)) {
			if (blocks?.get(block) === stretch) {
				blocks.delete(block);
			}
		}
		if (blocks?.size === 0) {
			this.#byContent.delete(content);
		}
		stretch.isForgotten = true;
		if (stretch.users === 0) {
			stretch.release();
		}
	}
}

function leave(stretch: Stretch): void {
	stretch.users -= 1;
	if (stretch.users === 0 && stretch.isForgotten) {
		stretch.release();
	}
}

function* blocksOf(offset: number, length: number): Generator<number> {
	for (let block = Math.floor(offset / BLOCK); block * BLOCK < offset + length; block += 1) {
		yield block;
	}
}
