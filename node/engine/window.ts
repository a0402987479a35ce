/** Bytes of a window before the first answer: one chunk of most contents. */
export const FIRST_WINDOW = 256 * 1024;
/**
 * Bytes of the smallest window of a complete node on a direct lane: one chunk of most contents. A
 * seeder of many downloaders sends each of them a whole chunk in turn. A window of fewer bytes would
 * get one chunk in several turns, and its rate would stay low.
 */
const LEAST_OF_COMPLETE = 256 * 1024;
/** Seconds: that window has at most the bytes that the node sends in this time. */
const MOST_TURN = 5;
/** Bytes of the first parts: small, so that a thin link shows its rate soon. */
export const FIRST_PART = 64 * 1024;
/** Bytes of the smallest part: the headers and messages of smaller parts would cost too much. */
export const LEAST_PART = 16 * 1024;

const FIRST_TIMEOUT = 2_000;
/**
 * Shortest timeout, ms. An answer waits for disk reads, and for the event loops of both nodes.
 */
export const LEAST_TIMEOUT = 500;
/** Longest timeout, ms, unless answers are known to take longer. */
export const MOST_TIMEOUT = 10_000;
/** Longest timeout, ms, if answers take longer because they queue for a thin link. */
const MOST_MEASURED = 30_000;
const MOST_QUEUE = 2_000;
/** ms. A part has at most the bytes that the node sends in this time, by the measured rate. */
const MOST_PART_TIME = 1_000;
/**
 * The same for parts of more than SMALL_PART bytes on the broker lane. A broker passes a message on
 * when it is whole, and other messages wait behind it.
 */
const MOST_LARGE_PART_TIME = 100;
const SMALL_PART = 256 * 1024;
const RATE_PERIOD = 100;
/** ms over which a rate is averaged, so that a burst of answers does not count as a high rate. */
const RATE_MEMORY = 1_000;

/** Bounds of a {@link Window}. */
export interface WindowOptions {
	/** Bytes of the largest part the lane carries. */
	readonly mostPart: number;
	/** Bytes of the largest window. */
	readonly mostWindow: number;
	/**
	 * ms. The window has at most the bytes that the node sends in this time, by the measured rate. If
	 * the value is below 2,000, the time of the quickest answer is added to it, up to 2,000 in all.
	 *
	 * @default 2,000, because control messages wait behind these bytes
	 */
	readonly mostQueue?: number | undefined;
	/**
	 * Whether the node is reached on a direct lane. The bytes that are open there are left out of the
	 * limit of all nodes together, and a part that is requested on it does not count as lost when others overtake it.
	 *
	 * @default false
	 */
	readonly isDirect?: boolean;
	/**
	 * ms after which nodes time out, by the answers of all nodes together. The node may take as long
	 * for its first answer. On a direct lane, where nothing is lost, it may take as long for each
	 * answer, up to 2,000 ms.
	 */
	readonly timeoutOfAll?: () => number;
}

/**
 * The number of bytes that may be open at one node. Like TCP's window (RFC 5681), it grows with
 * each answer and shrinks on loss; `mostWindow` and `mostQueue` bound it. The timeout is computed
 * as TCP's timeout is (RFC 6298). Times are ms by the caller's clock.
 *
 * Invariant: `part` <= `size` <= max(`part`, mostWindow). {@link sizeFor} exceeds `size` for a
 * complete node on a direct lane whose window is smaller than one chunk of most contents.
 */
export class Window {
	#options: WindowOptions;
	#size: number;
	#threshold = Number.POSITIVE_INFINITY;
	#smoothed: number | undefined;
	#quickest = Number.POSITIVE_INFINITY;
	#deviation = 0;
	#backoff = 1;
	#rate: number | undefined;
	#part: number;
	#periodStart = Number.NEGATIVE_INFINITY;
	#answeredAt: number | undefined;
	#periodBytes = 0;
	#shrunkAt = Number.NEGATIVE_INFINITY;

	constructor(options: WindowOptions) {
		this.#options = options;
		this.#size = Math.min(FIRST_WINDOW, options.mostWindow);
		this.#part = Math.min(FIRST_PART, options.mostPart);
	}

	/** Changes options, because the node is now on another lane or accepts other parts. */
	rebound(options: Partial<WindowOptions>): void {
		this.#options = { ...this.#options, ...options };
		this.#part = Math.min(
			this.#rate === undefined ? FIRST_PART : this.#partFor(this.#rate),
			this.#options.mostPart,
		);
	}

	/** Whether the node is reached on a direct lane. */
	get isDirect(): boolean {
		return this.#options.isDirect ?? false;
	}

	/** Bytes that may be open at a time. */
	get size(): number {
		return Math.max(this.part, Math.min(this.#size, this.#options.mostWindow, this.#mostQueued()));
	}

	/** Bytes that may be open at a time, depending on whether the node has every chunk. */
	sizeFor(isComplete: boolean): number {
		const least = Math.min(LEAST_OF_COMPLETE, this.rate * MOST_TURN);
		return isComplete && this.isDirect ? Math.max(this.size, least) : this.size;
	}

	/** Bytes of the next part to request. */
	get part(): number {
		return this.#part;
	}

	/** Bytes per second that the node sends, averaged; 0 until the first period of 100 ms is over. */
	get rate(): number {
		return this.#rate ?? 0;
	}

	/** The same as {@link rate}; but until the first period is over, a lower bound instead of 0. */
	get shownRate(): number {
		return this.#rate ?? (this.#periodBytes * 1_000) / RATE_PERIOD;
	}

	/** ms of the quickest answer so far. */
	get quickest(): number {
		return this.#quickest;
	}

	/** ms that an answer usually takes; 0 before the first answer. */
	get usualTime(): number {
		return this.#smoothed ?? 0;
	}

	/** ms without any answer after which all open parts count as lost. */
	get timeout(): number {
		const ofAll = this.#options.timeoutOfAll?.() ?? 0;
		const least = this.isDirect ? Math.min(ofAll, FIRST_TIMEOUT) : 0;
		const measured =
			this.#smoothed === undefined
				? Math.max(FIRST_TIMEOUT, ofAll)
				: Math.max(this.#smoothed + 4 * this.#deviation, least);
		const most = Math.max(MOST_TIMEOUT, Math.min(measured, MOST_MEASURED));
		return Math.min(Math.max(measured, LEAST_TIMEOUT) * this.#backoff, most);
	}

	/** A part of `bytes` bytes, requested at `askedAt`, has arrived. */
	onAnswer(bytes: number, askedAt: number, now: number): void {
		this.#backoff = 1;
		this.#measureTime(now - askedAt);
		this.#measureRate(bytes, askedAt, now);
		// Slow start doubles the window in each round trip; afterwards one part is added.
		this.#size += this.#size < this.#threshold ? bytes : (bytes * this.part) / this.#size;
		this.#size = Math.min(this.#size, this.#options.mostWindow);
	}

	/**
	 * A part requested at `askedAt` was lost, but other parts arrived: halves the window, at most
	 * once in each round trip.
	 */
	onLoss(askedAt: number, now: number): void {
		if (askedAt > this.#shrunkAt) {
			this.#shrunkAt = now;
			this.#threshold = Math.max(this.#size / 2, this.part);
			this.#size = this.#threshold;
		}
	}

	/** Nothing has arrived in time: resets the window to one part, and doubles the timeout. */
	onTimeout(now: number): void {
		this.#shrunkAt = now;
		this.#threshold = Math.max(this.#size / 2, this.part);
		this.#size = this.part;
		this.#backoff *= 2;
	}

	#mostQueued(): number {
		const { mostQueue = MOST_QUEUE } = this.#options;
		const most = Math.max(mostQueue, Math.min(mostQueue + this.#quickest, MOST_QUEUE));
		return this.#rate === undefined
			? Number.POSITIVE_INFINITY
			: Math.max((this.#rate * most) / 1_000, LEAST_PART * 2);
	}

	#measureTime(sample: number): void {
		this.#quickest = Math.min(this.#quickest, sample);
		if (this.#smoothed === undefined) {
			this.#smoothed = sample;
			this.#deviation = sample / 2;
			return;
		}
		this.#deviation += (Math.abs(sample - this.#smoothed) - this.#deviation) / 4;
		this.#smoothed += (sample - this.#smoothed) / 8;
	}

	#measureRate(bytes: number, askedAt: number, now: number): void {
		// Time in which nothing was open says nothing about the rate.
		this.#periodStart =
			this.#answeredAt === undefined
				? askedAt
				: this.#periodStart + Math.max(0, askedAt - this.#answeredAt);
		this.#answeredAt = now;
		this.#periodBytes += bytes;
		const elapsed = now - this.#periodStart;
		if (elapsed >= RATE_PERIOD) {
			const measured = (this.#periodBytes * 1_000) / elapsed;
			const weight = this.#rate === undefined ? 1 : 1 - Math.exp(-elapsed / RATE_MEMORY);
			this.#rate = this.rate + (measured - this.rate) * weight;
			this.#part = Math.min(this.#partFor(this.#rate), this.#options.mostPart);
			this.#periodStart = now;
			this.#periodBytes = 0;
		} else if (this.#rate === undefined) {
			// Until the rate is known, a part has at most a quarter of the window, so that several are open.
			const most = Math.min(this.#partFor(this.shownRate), this.#options.mostPart, this.#size / 4);
			this.#part = Math.max(this.#part, 2 ** Math.floor(Math.log2(most)));
		}
	}

	/**
	 * Bytes of a part at `rate` bytes per second. It is a power of two, so that the parts of a chunk
	 * are equal.
	 */
	#partFor(rate: number): number {
		const large = (rate * MOST_LARGE_PART_TIME) / 1_000;
		const most = this.isDirect ? Number.POSITIVE_INFINITY : Math.max(large, SMALL_PART);
		const bytes = Math.max((rate * MOST_PART_TIME) / 1_000, LEAST_PART);
		return 2 ** Math.floor(Math.log2(Math.min(bytes, most)));
	}
}
