/** ms over which a rate is averaged. */
const MEMORY = 2_000;

/**
 * The rate at which bytes arrive from a node, averaged over the last seconds. Times are ms by the
 * caller's clock.
 */
export class Inflow {
	#bytes = 0;
	#at = Number.NEGATIVE_INFINITY;
	#since = Number.POSITIVE_INFINITY;

	/** Counts `bytes` bytes that have arrived. */
	add(bytes: number, now: number): void {
		this.#bytes = this.#bytesAt(now) + bytes;
		this.#at = now;
		this.#since = Math.min(this.#since, now);
	}

	/** Bytes per second; undefined until two seconds have passed since the first bytes. */
	rate(now: number): number | undefined {
		return now - this.#since < MEMORY ? undefined : (this.#bytesAt(now) * 1_000) / MEMORY;
	}

	#bytesAt(now: number): number {
		return this.#bytes * Math.exp((this.#at - now) / MEMORY);
	}
}
