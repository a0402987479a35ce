/** A task of {@link Slots}: it waits, and then is on until it is ended. */
export interface Slot {
	readonly isOn: boolean;
	/** Ends the task, or its wait, so that the next task can begin. Idempotent. */
	end(): void;
	/**
	 * If the task is on and others wait, the next one begins, and this one waits after all others.
	 *
	 * @returns whether it waits now
	 */
	makeWay(): boolean;
}

/**
 * A concurrency limit: at most `most` tasks are on at a time, the others wait in the order in which
 * they were added.
 */
export class Slots {
	readonly #most: number;
	readonly #on = new Set<Slot>();
	readonly #waiting = new Map<Slot, () => void>();

	constructor(most: number) {
		this.#most = most;
	}

	/** Queues a task. `begin` is called when a slot is free, but not before this call returns. */
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
			makeWay: () => {
				const isWanted = this.#waiting.size > 0 && this.#on.size >= this.#most;
				if (!isWanted || !this.#on.delete(slot)) {
					return false;
				}
				this.#waiting.set(slot, begin);
				this.#next();
				return true;
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
