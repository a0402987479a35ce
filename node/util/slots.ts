/** A task of a {@link Slots}: waiting, or on until it is ended. */
export interface Slot {
	readonly isOn: boolean;
	/** Makes room for the next, or waits no longer. Idempotent. */
	end(): void;
}

/** A concurrency limit: so many tasks are on at a time, the others wait in the order in which they came. */
export class Slots {
	readonly #most: number;
	readonly #on = new Set<Slot>();
	readonly #waiting = new Map<Slot, () => void>();

	constructor(most: number) {
		this.#most = most;
	}

	/** Queues a task. `begin` is called when a slot is free, after this has returned. */
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
