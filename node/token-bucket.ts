import { ShoalError } from '../protocol/index.ts';

/** Seconds of the rate that may be spent at once after a rest. */
const BURST = 0.1;

/**
 * Keeps a stream of bytes to a rate, in bytes per second: what is spent may exceed what is there,
 * and is waited for afterwards, so that the average is exact whatever the size of the pieces.
 */
export class TokenBucket {
	readonly #now: () => number;
	#rate: number | undefined;
	#tokens = 0;
	#filledAt: number;

	/**
	 * @param rate undefined: no limit
	 * @param now ms, monotonic
	 * @throws ShoalError ERR_USAGE if the rate is no number above 0
	 */
	constructor(rate: number | undefined, now: () => number = () => performance.now()) {
		this.#rate = checked(rate);
		this.#now = now;
		this.#filledAt = now();
	}

	/** Changes the rate; undefined lifts the limit. @throws ShoalError ERR_USAGE */
	setRate(rate: number | undefined): void {
		this.#fill();
		this.#rate = checked(rate);
	}

	/** Whether there is a limit. */
	get isLimited(): boolean {
		return this.#rate !== undefined;
	}

	/** Bytes that may be spent now; not above 0 if none. */
	get available(): number {
		this.#fill();
		return this.#rate === undefined ? Number.POSITIVE_INFINITY : this.#tokens;
	}

	/** Spends `bytes`. */
	spend(bytes: number): void {
		if (this.#rate !== undefined) {
			this.#fill();
			this.#tokens -= bytes;
		}
	}

	/** ms until something may be spent. */
	get wait(): number {
		this.#fill();
		const isFree = this.#rate === undefined || this.#tokens > 0;
		return isFree ? 0 : Math.max(1, (-this.#tokens / (this.#rate as number)) * 1_000);
	}

	#fill(): void {
		const now = this.#now();
		if (this.#rate !== undefined) {
			const earned = ((now - this.#filledAt) / 1_000) * this.#rate;
			this.#tokens = Math.min(this.#tokens + earned, this.#rate * BURST);
		}
		this.#filledAt = now;
	}
}

function checked(rate: number | undefined): number | undefined {
	if (rate !== undefined && !(Number.isFinite(rate) && rate > 0)) {
		throw new ShoalError('ERR_USAGE', `a rate must be a number of bytes above 0, not ${rate}`);
	}
	return rate;
}
