/** A place in the line: waiting, or on until it is ended. */
export interface Slot {
	readonly isOn: boolean;
	/** Makes room for the next, or leaves the line. Idempotent. */
	end(): void;
}

/** Lets so many go on at a time, the others in the order in which they came. */
export class Slots {
	readonly #most: number;
	readonly #on = new Set<Slot>();
	readonly #waiting = new Map<Slot, () => void>();

	constructor(most: number) {
		this.#most = most;
	}

	/** Takes a place in the line. `begin` is called when the turn comes, after this has returned. */
	take(begin: () => void): Slot {
		const isOn = (): boolean => this.#on.has(slot);
		const slot: Slot = {
			get isOn() {
				return isOn();
			},
			end: () => {
				this.#waiting.delete(slot);
				this.#on.delete(slot);
				this.#next();
			},
		};
		this.#waiting.set(slot, begin);
		queueMicrotask(() => this.#next());
		return slot;
	}

	#next(): void {
		for (const [slot, begin] of this.#waiting) {
			if (this.#on.size >= this.#most) {
				break;
			}
			this.#waiting.delete(slot);
			this.#on.add(slot);
			begin();
		}
	}
}
