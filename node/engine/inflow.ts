/** ms over which a rate is averaged. */
const MEMORY = 2_000;

/** The rate of what comes from a node, averaged over the last seconds. Times in ms by the caller's clock. */
export class Inflow {
	#bytes = 0;
	#at = Number.NEGATIVE_INFINITY;
	#since = Number.POSITIVE_INFINITY;

	/** `bytes` have come. */
	add(bytes: number, now: number): void {
		this.#bytes = this.#bytesAt(now) + bytes;
		this.#at = now;
		this.#since = Math.min(this.#since, now);
	}

	/** Bytes per second; undefined until they have come for long enough to tell. */
	rate(now: number): number | undefined {
		return now - this.#since < MEMORY ? undefined : (this.#bytesAt(now) * 1_000) / MEMORY;
	}

	#bytesAt(now: number): number {
		return this.#bytes * Math.exp((this.#at - now) / MEMORY);
	}
}
