/** A place in the line: waiting, or on until it is ended. */
export interface Turn {
	readonly isOn: boolean;
	/** Makes room for the next, or leaves the line. Idempotent. */
	end(): void;
}

/** Lets so many go on at a time, the others in the order in which they came. */
export class Turns {
	readonly #most: number;
	readonly #on = new Set<Turn>();
	readonly #waiting = new Map<Turn, () => void>();

	constructor(most: number) {
		this.#most = most;
	}

	/** Takes a place in the line. `begin` is called when the turn comes, after this has returned. */
	take(begin: () => void): Turn {
		const isOn = (): boolean => this.#on.has(turn);
		const turn: Turn = {
			get isOn() {
				return isOn();
			},
			end: () => {
				this.#waiting.delete(turn);
				this.#on.delete(turn);
				this.#next();
			},
		};
		this.#waiting.set(turn, begin);
		queueMicrotask(() => this.#next());
		return turn;
	}

	#next(): void {
		for (const [turn, begin] of this.#waiting) {
			if (this.#on.size >= this.#most) {
				break;
			}
			this.#waiting.delete(turn);
			this.#on.add(turn);
			begin();
		}
	}
}
