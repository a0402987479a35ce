/** One direction of a link: carries what it is given one after another, at its rate. */
export class Link {
	/** Bytes per second. */
	readonly rate: number;
	/** When all that it was given is through, ms. */
	freeAt = 0;

	constructor(rate: number) {
		this.rate = rate;
	}

	/** Gives it `bytes` that are there from `at` on. @returns when they are through, ms */
	carry(bytes: number, at: number): number {
		this.freeAt = Math.max(this.freeAt, at) + (bytes / this.rate) * 1_000;
		return this.freeAt;
	}
}
