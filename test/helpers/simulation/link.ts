/** One direction of a link. It carries messages one after another, at its rate. */
export class Link {
	/** Bytes per second. */
	readonly rate: number;
	/** The time at which the link has carried everything so far, ms. */
	freeAt = 0;

	constructor(rate: number) {
		this.rate = rate;
	}

	/**
	 * Carries `bytes` that are ready at the time `at`.
	 *
	 * @returns the time when they have passed the link, ms
	 */
	carry(bytes: number, at: number): number {
		this.freeAt = Math.max(this.freeAt, at) + (bytes / this.rate) * 1_000;
		return this.freeAt;
	}
}
