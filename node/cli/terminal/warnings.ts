/** ms in which the same warning is printed once, and {@link MOST_WARNINGS} different ones. */
export const WARNINGS_EVERY = 5_000;
/** The most warnings in that time, because those that other nodes cause must not fill a disk. */
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
	 * The lines to print for `message`: how many warnings were left out before it, if any were, and
	 * the message itself, unless it is left out.
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
	 * @returns the line about the warnings that were left out in it; empty if none was
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
