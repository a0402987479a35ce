import type { ByteRange } from '../../protocol/index.ts';

/** When and under which id a part was asked for. */
export interface Ask {
	readonly request: bigint;
	readonly at: number;
}

/** A byte range of an attempt that one message answers. */
export interface Part {
	readonly attempt: Attempt;
	readonly offset: number;
	readonly length: number;
	/** Every time it was asked for: an answer to an early one that comes late is as good. */
	readonly asks: Ask[];
	/** Number of the last ask in the order in which its node was asked. */
	order: number;
	/** How many parts asked for later, of the same node, have come since. */
	overtaken: number;
}

/**
 * One node's attempt at a run of consecutive chunks: one chunk, or several if chunks are smaller
 * than parts. All bytes come from that node, so a wrong chunk is its fault alone.
 *
 * Invariant: each byte of the run is not yet requested, in an open part, in a lost part, or
 * received.
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
	/** Parts up to here have been requested at least once, or have arrived. */
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

	/** Whether some of its bytes arrived by fan-out, unrequested: no node gets a strike if they are wrong. */
	get isOverheard(): boolean {
		return this.#isOverheard;
	}

	/** Whether some of it has to be requested, again or for the first time. */
	get isHungry(): boolean {
		return this.#lost.size > 0 || this.#cut < this.#end;
	}

	/** Whether all its bytes are here. */
	get isWhole(): boolean {
		return this.#received === this.length;
	}

	/**
	 * The next part to request: a lost one, or a new one of at most `most` bytes. Parts are cut at multiples of a power
	 * of two, so that those of different nodes lie within the same blocks.
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
		return { attempt: this, offset, length, asks: [], order: 0, overtaken: 0 };
	}

	/** `part` has to be asked for again. */
	lose(part: Part): void {
		part.overtaken = 0;
		this.#lost.set(part.offset, part);
	}

	/** The lost part at `offset`. */
	lostAt(offset: number): Part | undefined {
		return this.#lost.get(offset);
	}

	/** `part` has come. */
	receive(part: Part): void {
		this.#lost.delete(part.offset);
		this.#received += part.length;
	}

	/**
	 * The bytes from `offset` on have arrived by fan-out.
	 *
	 * @returns the ranges of them that are new here, without those that are requested at the moment
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

	/** The ranges between `start`, which is not before the cut, and `end` that have not arrived. */
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

	/** Moves the cut past what has arrived already. */
	#skip(): void {
		for (let size = this.#ahead.get(this.#cut); size !== undefined; ) {
			this.#ahead.delete(this.#cut);
			this.#cut += size;
			size = this.#ahead.get(this.#cut);
		}
	}
}

function floorToPowerOfTwo(bytes: number): number {
	return 2 ** Math.floor(Math.log2(bytes));
}
