import type { Bitfield, ByteRange } from '../../protocol/index.ts';

/** One request for a part. */
export interface Ask {
	/** Id of the request. */
	readonly request: bigint;
	/** When it was sent, ms. */
	readonly at: number;
}

/** A byte range of an attempt that one message answers. */
export interface Part {
	readonly attempt: Attempt;
	readonly offset: number;
	readonly length: number;
	/** All requests for the part: a late answer to an early request still counts. */
	readonly asks: Ask[];
	/** Sequence number of the last request for the part. */
	order: number;
	/** Whether it was requested through the broker, which may lose messages. */
	mayBeLost: boolean;
	/** How many parts that were requested later from the same node have arrived since. */
	overtaken: number;
}

/**
 * One node's attempt at a run of consecutive chunks: one chunk, or several if chunks are smaller
 * than parts. All bytes of the run come from that node, so no other node can be to blame for a
 * wrong chunk.
 *
 * Invariant: each byte of the run is in one of four states: not yet requested, in an open part, in
 * a lost part, or received.
 */
export class Attempt {
	readonly node: string;
	readonly firstChunk: number;
	readonly chunks: number;
	/** First byte of the run in the content. */
	readonly offset: number;
	/** Bytes of the run. */
	readonly length: number;
	/** All open attempts at the same run, including this one. More than one only in the endgame. */
	rivals: readonly Attempt[] = [this];
	readonly #lost = new Map<number, Part>();
	/** All bytes before this offset have been requested at least once, or have arrived. */
	#cut: number;
	/** Lengths by offset: ranges after the cut that have arrived by fan-out. */
	readonly #ahead = new Map<number, number>();
	#received = 0;
	#isOverheard = false;

	constructor(node: string, firstChunk: number, chunks: number, offset: number, length: number) {
		this.node = node;
		this.firstChunk = firstChunk;
		this.chunks = chunks;
		this.offset = offset;
		this.length = length;
		this.#cut = offset;
	}

	/** Whether bytes arrived by fan-out, unrequested: no node gets a strike if a chunk is wrong. */
	get isOverheard(): boolean {
		return this.#isOverheard;
	}

	/** Whether some bytes of the run have to be requested, again or for the first time. */
	get isHungry(): boolean {
		return this.#lost.size > 0 || this.#cut < this.#end;
	}

	/** Whether no byte of the run has arrived. */
	get isUntouched(): boolean {
		return this.#received === 0;
	}

	/** Whether all bytes of the run have arrived. */
	get isWhole(): boolean {
		return this.#received === this.length;
	}

	/**
	 * The next part to request: a lost part, or a new part of at most `most` bytes. From its start,
	 * the run is divided into blocks of the largest power of two that is at most `most`. A new part
	 * does not cross the end of a block. So the parts that are requested from different nodes lie
	 * within the same blocks.
	 */
	nextPart(most: number): Part {
		const [lost] = this.#lost.values();
		if (lost !== undefined) {
			this.#lost.delete(lost.offset);
			return lost;
		}
		const offset = this.#cut;
		const block = floorToPowerOfTwo(most);
		const gap = this.#gaps(offset, this.#end)[0] as ByteRange;
		const length = Math.min(block - ((offset - this.offset) % block), gap[1]);
		this.#cut += length;
		this.#skip();
		return { attempt: this, offset, length, asks: [], order: 0, mayBeLost: false, overtaken: 0 };
	}

	/** Marks `part` as lost: it has to be requested again. */
	lose(part: Part): void {
		part.overtaken = 0;
		this.#lost.set(part.offset, part);
	}

	/** The lost part at `offset`; undefined if there is none. */
	lostAt(offset: number): Part | undefined {
		return this.#lost.get(offset);
	}

	/** Marks `part` as received. */
	receive(part: Part): void {
		this.#lost.delete(part.offset);
		this.#received += part.length;
	}

	/** Marks all bytes as received: they arrived in one message. */
	receiveAll(): void {
		this.#cut = this.#end;
		this.#received = this.length;
	}

	/**
	 * The bytes from `offset` on have arrived by fan-out.
	 *
	 * @returns the ranges of these bytes that are new here, without parts whose request is open
	 */
	overhear(offset: number, length: number): ByteRange[] {
		const end = Math.min(offset + length, this.#end);
		const isInside = (part: Part): boolean =>
			part.offset >= offset && part.offset + part.length <= end;
		const found = [...this.#lost.values()].filter(isInside);
		for (const part of found) {
			this.receive(part);
		}
		const gaps = this.#gaps(Math.max(offset, this.#cut), end);
		for (const [start, size] of gaps) {
			this.#ahead.set(start, size);
			this.#received += size;
		}
		this.#skip();
		this.#isOverheard ||= found.length + gaps.length > 0;
		return [...found.map((part): ByteRange => [part.offset, part.length]), ...gaps];
	}

	get #end(): number {
		return this.offset + this.length;
	}

	/** The ranges from `start` to `end` that have not arrived. `start` is not before the cut. */
	#gaps(start: number, end: number): ByteRange[] {
		const gaps: ByteRange[] = [];
		let at = start;
		for (const [first, size] of [...this.#ahead].sort(([a], [b]) => a - b)) {
			if (first > at && at < end) {
				gaps.push([at, Math.min(first, end) - at]);
			}
			at = Math.max(at, first + size);
		}
		if (at < end) {
			gaps.push([at, end - at]);
		}
		return gaps;
	}

	/** Moves the cut past bytes that have already arrived. */
	#skip(): void {
		for (let size = this.#ahead.get(this.#cut); size !== undefined; ) {
			this.#ahead.delete(this.#cut);
			this.#cut += size;
			size = this.#ahead.get(this.#cut);
		}
	}
}

/** Whether `have` has all chunks of `attempt`. */
export function hasAll(
	have: Bitfield,
	{ firstChunk, chunks }: Pick<Attempt, 'firstChunk' | 'chunks'>,
): boolean {
	for (let index = 0; index < chunks; index += 1) {
		if (!have.has(firstChunk + index)) {
			return false;
		}
	}
	return true;
}

function floorToPowerOfTwo(bytes: number): number {
	return 2 ** Math.floor(Math.log2(bytes));
}
