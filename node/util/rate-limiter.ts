import { ShoalError } from '../../protocol/index.ts';
import { later } from './timers.ts';

/** ms of the rate that may be spent at once after a rest, or when the system wakes us late. */
const SLACK = 40;
/** ms of the rate that a piece holds at most. */
const PIECE_TIME = 50;
/** Bytes of the smallest piece: below, messages cost more than what they carry. */
const LEAST_PIECE = 16 * 1024;
/** ms of the rate that are asked for ahead of when they are needed. */
const AHEAD = 25;
/** A timer of the system cannot be much longer than three weeks. */
const MOST_WAIT = 60_000;

/**
 * Keeps a stream of bytes to a rate, in bytes per second: what is spent is paid for afterwards, before
 * anything else may be spent. So in any time t no more goes than t, {@link SLACK} and one piece allow, and
 * no less if there is always something to spend.
 */
export class RateLimiter {
	readonly #now: () => number;
	#rate: number | undefined;
	/** When all that was spent is paid for. */
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

	/** Changes the rate; undefined lifts the limit. What is not paid for yet stays so. @throws ShoalError ERR_USAGE */
	setRate(rate: number | undefined): void {
		const changed = checked(rate);
		const unpaid = this.#rate === undefined ? 0 : Math.max(0, -this.available);
		this.#rate = changed;
		this.#paidAt = this.#now() + msFor(unpaid, changed);
		this.#serve();
	}

	/** Whether there is a limit. */
	get isLimited(): boolean {
		return this.#rate !== undefined;
	}

	/** Bytes that may be spent now; not above 0 if none. */
	get available(): number {
		const rest = Math.min(this.#now() - this.#paidAt, SLACK);
		return this.#rate === undefined ? Number.POSITIVE_INFINITY : (rest * this.#rate) / 1_000;
	}

	/**
	 * Bytes that may be asked for now.
	 *
	 * @param asked ms of the quickest answer so far, and bytes that are open already: more than that time
	 *   needs would wait elsewhere, to come all at once later
	 */
	affordable(asked: { readonly quickest: number; readonly outstanding: number }): number {
		const rate = this.#rate ?? Number.POSITIVE_INFINITY;
		const useful = (rate * (asked.quickest + AHEAD)) / 1_000;
		return Math.min(this.available, useful - asked.outstanding);
	}

	/** Bytes that are spent in one piece at most, so that the rate shows in any two seconds. */
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
	 * If nothing may be spent now, calls `then` once, when it may spend something: every waiting callback is
	 * called before any is called again. One that waits already keeps its position.
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

/** ms in which the rate earns `bytes`. */
function msFor(bytes: number, rate: number | undefined): number {
	return rate === undefined ? 0 : (bytes / rate) * 1_000;
}

function checked(rate: number | undefined): number | undefined {
	if (rate !== undefined && !(Number.isFinite(rate) && rate > 0)) {
		throw new ShoalError('ERR_USAGE', `a rate must be a number of bytes above 0, not ${rate}`);
	}
	return rate;
}
