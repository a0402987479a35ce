/** Bytes that are timed together. */
export const PIECE = 256 * 1024;
/** Bytes of one write. The last is a page. */
const SIZES = [PIECE, 16 * 1024, 4 * 1024] as const;
/** ms for a piece. If large writes take less, no others are tried: pages need 0.14 ms. */
const SLOW = 0.2;
/** Number of pieces in a trial of a size. Their median counts. */
const TRIAL = 5;
/** Number of pieces written in the best size until all are tried again. */
const BETWEEN = 512;

/**
 * Decides how many bytes one system call writes to a file: less if that is faster.
 *
 * Linux caches a file in blocks of memory that are as large as the write. Large blocks have not been
 * used for a while. In a virtual machine, the host has often taken such memory back, and then each
 * page of it costs a fault in the host: a GiB takes 0.6 to 3 s. Small blocks were in use just before,
 * so a GiB takes 0.3 to 0.6 s. Where the host leaves the memory to its guest, large writes are
 * faster: 0.2 s (docs/decisions/0033-small-writes-where-they-are-faster.md).
 */
export class WriteSize {
	/** The size in use, an index of {@link SIZES}. */
	#size = 0;
	/** The medians of the sizes that were tried, in ms. Undefined between two trials. */
	#medians: number[] | undefined = [];
	/** ms that each of the last {@link TRIAL} pieces took. */
	readonly #times: number[] = [];
	/** Number of pieces until the next decision. */
	#left = TRIAL;

	/** Bytes that a system call should write at most. */
	get bytes(): number {
		return SIZES[this.#size] as number;
	}

	/** Notes that writing {@link PIECE} bytes took `time` ms. */
	onPiece(time: number): void {
		this.#left -= 1;
		this.#times[this.#left % TRIAL] = time;
		if (this.#left === 0) {
			this.#decide();
		}
	}

	#decide(): void {
		this.#left = TRIAL;
		if (this.#medians === undefined) {
			this.#medians = [];
			this.#size = 0;
			return;
		}
		const median = medianOf(this.#times);
		if (this.#size === 0 && median < SLOW) {
			return;
		}
		const isSlower = median > (this.#medians.at(-1) ?? Number.POSITIVE_INFINITY);
		this.#medians.push(median);
		this.#size += 1;
		// A still smaller size could take many times as long, on a file system in the network.
		if (isSlower || this.#size === SIZES.length) {
			this.#size = this.#medians.indexOf(Math.min(...this.#medians));
			this.#medians = undefined;
			this.#left = BETWEEN;
		}
	}
}

function medianOf(times: readonly number[]): number {
	return times.toSorted((one, another) => one - another)[times.length >> 1] as number;
}
