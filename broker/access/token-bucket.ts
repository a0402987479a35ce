/** A rate limit: admits `burst` events at once, and `rate` events a second after that. */
export class TokenBucket {
	readonly #rate: number;
	readonly #burst: number;
	#tokens: number;
	#filled: number;

	/** @param now monotonic time in ms */
	constructor(rate: number, burst: number, now: number) {
		this.#rate = rate;
		this.#burst = burst;
		this.#tokens = burst;
		this.#filled = now;
	}

	/** Whether one more event is admitted at `now`; if so, it is counted. */
	take(now: number): boolean {
		const gained = ((now - this.#filled) / 1_000) * this.#rate;
		this.#tokens = Math.min(this.#burst, this.#tokens + Math.max(0, gained));
		this.#filled = now;
		if (this.#tokens < 1) {
			return false;
		}
		this.#tokens -= 1;
		return true;
	}
}
