import { ShoalError } from '../../protocol/index.ts';
import { later } from './timers.ts';

/**
 * ms. After a pause, or when a timer fires late, the bytes that the rate earns in this time may be
 * spent at once.
 */
const SLACK = 40;
/**
 * ms. A piece has at most the bytes that the rate earns in this time, or {@link LEAST_PIECE} if
 * these are more.
 */
const PIECE_TIME = 50;
/** Bytes of the smallest piece: handling a smaller message costs more than handling its payload. */
const LEAST_PIECE = 16 * 1024;
/** ms. The bytes that the rate earns in this time are requested before they are needed. */
const AHEAD = 25;
/** Maximum ms of one timer: setTimeout cannot wait much longer than three weeks. */
const MOST_WAIT = 60_000;

/**
 * Limits a stream of bytes to a rate, in bytes per second. Bytes are spent first, and paid for
 * afterwards: no more may be spent until the rate has earned them. So the bytes that are spent in
 * any time t are at most one piece, plus what the rate earns in t, plus what it earns in
 * {@link SLACK}. If there are always bytes to spend, they are at least what the rate earns in t.
 */
export class RateLimiter {
	readonly #now: () => number;
	#rate: number | undefined;
	/** The time at which all bytes that were spent are paid for, in ms. */
	#paidAt: number;
	/** Callbacks that wait until something may be spent, the longest waiting first. */
	readonly #waiting = new Set<() => void>();
	#timer: NodeJS.Timeout | undefined;

	/**
	 * @param rate undefined: no limit
	 * @param now ms, monotonic
	 * @throws ShoalError ERR_USAGE if the rate is no number above 0
	 */
	constructor(rate: number | undefined, now: () => number = () => performance.now()) {
		this.#rate = checked(rate);
		this.#now = now;
		this.#paidAt = now();
	}

	/**
	 * Changes the rate; undefined removes the limit. Bytes that are not paid for yet are paid for at
	 * the new rate.
	 *
	 * @throws ShoalError ERR_USAGE
	 */
	setRate(rate: number | undefined): void {
		const changed = checked(rate);
		const unpaid = this.#rate === undefined ? 0 : Math.max(0, -this.available);
		this.#rate = changed;
		this.#paidAt = this.#now() + msFor(unpaid, changed);
		this.#serve();
	}

	/** Bytes per second; infinite if there is no limit. */
	get rate(): number {
		return this.#rate ?? Number.POSITIVE_INFINITY;
	}

	/** Whether there is a limit. */
	get isLimited(): boolean {
		return this.#rate !== undefined;
	}

	/** Bytes that may be spent now; 0 or less if none may be spent, infinite if there is no limit. */
	get available(): number {
		const rest = Math.min(this.#now() - this.#paidAt, SLACK);
		return this.#rate === undefined ? Number.POSITIVE_INFINITY : (rest * this.#rate) / 1_000;
	}

	/**
	 * Bytes that may be requested now: at most {@link available}, and so many that all open requests
	 * have at most the bytes that the rate carries until the quickest answer, and {@link AHEAD} ms
	 * longer. More bytes would only wait at the peers, and arrive all at once later.
	 *
	 * @param asked returns `quickest`: ms of the quickest answer so far; `outstanding`: bytes of the
	 *   open requests
	 */
	affordable(asked: () => { readonly quickest: number; readonly outstanding: number }): number {
		if (this.#rate === undefined) {
			return Number.POSITIVE_INFINITY;
		}
		const { quickest, outstanding } = asked();
		const useful = (this.#rate * (quickest + AHEAD)) / 1_000;
		return Math.min(this.available, useful - outstanding);
	}

	/**
	 * Maximum number of bytes that are spent in one piece, so that the rate holds in any two seconds.
	 */
	get piece(): number {
		const bytes = ((this.#rate ?? Number.POSITIVE_INFINITY) * PIECE_TIME) / 1_000;
		return Math.max(LEAST_PIECE, 2 ** Math.floor(Math.log2(bytes)));
	}

	/** Spends `bytes`. */
	spend(bytes: number): void {
		this.#paidAt = Math.max(this.#paidAt, this.#now() - SLACK) + msFor(bytes, this.#rate);
	}

	/** ms until something may be spent. */
	get wait(): number {
		const isFree = this.available > 0;
		return isFree ? 0 : Math.max(1, this.#paidAt - this.#now());
	}

	/**
	 * If nothing may be spent now, calls `then` once, as soon as something may be spent. Waiting
	 * callbacks are called in the order in which they were added. A callback that waits already keeps
	 * its position.
	 *
	 * @returns whether `then` will be called; if not, something may be spent at once
	 */
	whenFree(then: () => void): boolean {
		if (this.wait === 0) {
			return false;
		}
		this.#waiting.add(then);
		this.#schedule();
		return true;
	}

	#schedule(): void {
		this.#timer ??= later(() => this.#serve(), Math.min(this.wait, MOST_WAIT));
	}

	#serve(): void {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		for (const then of this.#waiting) {
			if (this.wait > 0) {
				this.#schedule();
				break;
			}
			this.#waiting.delete(then);
			then();
		}
	}
}

/** The ms in which the rate earns `bytes`; 0 without a limit. */
function msFor(bytes: number, rate: number | undefined): number {
	return rate === undefined ? 0 : (bytes / rate) * 1_000;
}

function checked(rate: number | undefined): number | undefined {
	if (rate !== undefined && !(Number.isFinite(rate) && rate > 0)) {
		throw new ShoalError('ERR_USAGE', `a rate must be a number of bytes above 0, not ${rate}`);
	}
	return rate;
}
