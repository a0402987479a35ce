/** ms. In this time, a warning is printed only once, even if it occurs several times. */
export const WARNINGS_EVERY = 5_000;
/**
 * The most different warnings in {@link WARNINGS_EVERY} ms, because warnings that other nodes cause
 * must not fill a disk.
 */
export const MOST_WARNINGS = 20;

/** Limits warnings: repeated ones, and many in a short time. */
export class Warnings {
	readonly #now: () => number;
	readonly #told = new Set<string>();
	#since: number;
	#silenced = 0;

	/** @param now monotonic time in ms */
	constructor(now: () => number) {
		this.#now = now;
		this.#since = now();
	}

	/**
	 * The lines to print for `message`: first, if an interval with omitted warnings has ended, the
	 * number of these warnings; then the message itself, if it is not omitted.
	 */
	next(message: string): string[] {
		const told = this.#beginAnew();
		if (this.#told.has(message)) {
			return told;
		}
		if (this.#told.size >= MOST_WARNINGS) {
			this.#silenced += 1;
			return told;
		}
		this.#told.add(message);
		return [...told, message];
	}

	/**
	 * Starts the next interval if the current one is over.
	 *
	 * @returns the line about the warnings that were left out in the current interval; empty if none
	 *   was
	 */
	#beginAnew(): string[] {
		const now = this.#now();
		if (now - this.#since < WARNINGS_EVERY) {
			return [];
		}
		const silenced = this.#silenced;
		this.#since = now;
		this.#silenced = 0;
		this.#told.clear();
		return silenced === 0 ? [] : [`${silenced} more warnings were left out`];
	}
}
