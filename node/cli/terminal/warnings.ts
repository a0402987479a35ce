/** ms in which the same warning is told once, and only so many others are. */
export const WARNINGS_EVERY = 5_000;
/** Warnings told in that time: what strangers cause must not fill a disk. */
export const MOST_WARNINGS = 20;

/** Which warnings are told: not the same again and again, and not more than somebody can read. */
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

	/** The lines to print for `message`: how many were left out before it, and the message itself, if its time has come. */
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

	/** If the time is over, starts the next one. @returns what was not told in it */
	#beginAnew(): string[] {
		const now = this.#now();
		if (now - this.#since < WARNINGS_EVERY) {
			return [];
		}
		const silenced = this.#silenced;
		this.#since = now;
		this.#silenced = 0;
		this.#told.clear();
		return silenced === 0 ? [] : [`there were ${silenced} more warnings, which are not told`];
	}
}
