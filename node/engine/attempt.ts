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
	/**
	 * The chunks arrived by fan-out, perhaps without a request: no node gets a strike if they are
	 * wrong.
	 */
	readonly isOverheard: boolean;
	readonly #lost = new Map<number, Part>();
	#cut: number;
	#received = 0;

	constructor(
		node: string,
		firstChunk: number,
		chunks: number,
		offset: number,
		length: number,
		isOverheard = false,
	) {
		this.isOverheard = isOverheard;
		this.node = node;
		this.firstChunk = firstChunk;
		this.chunks = chunks;
		this.offset = offset;
		this.length = length;
		this.#cut = offset;
	}

	/** Whether some of it has to be asked for (again). */
	get isHungry(): boolean {
		return this.#lost.size > 0 || this.#cut < this.offset + this.length;
	}

	/** Whether all its bytes are here. */
	get isWhole(): boolean {
		return this.#received === this.length;
	}

	/** The next part to ask for: a lost one, or a new one of at most `most` bytes. */
	nextPart(most: number): Part {
		const [lost] = this.#lost.values();
		if (lost !== undefined) {
			this.#lost.delete(lost.offset);
			return lost;
		}
		const offset = this.#cut;
		const length = Math.min(most, this.offset + this.length - offset);
		this.#cut += length;
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
}
