import { LONGEST, UploadSlots } from './upload-slots.ts';

/** Lets the direct lanes of a node send in turns, as {@link UploadSlots} decides. */
export class UploadTurns {
	readonly #slots = new UploadSlots<object>();
	/** The function that ends the wait of each waiting lane. */
	readonly #resolve = new Map<object, () => void>();
	#timer: NodeJS.Timeout | undefined;

	/**
	 * Resolves when `lane` has a slot, or when it has left.
	 *
	 * @param cost see {@link UploadSlots.wait}
	 */
	async begin(lane: object, cost: () => number): Promise<void> {
		if (!this.#slots.has(lane)) {
			this.#slots.wait(lane, cost);
			const begun = new Promise<void>((resolve) => this.#resolve.set(lane, resolve));
			this.#give();
			await begun;
		}
	}

	/** Whether `lane` may send another range. `isBetween`: it has sent the whole of the last chunk. */
	maySend(lane: object, isBetween: boolean): boolean {
		return this.#slots.has(lane) && !(isBetween && this.#slots.areWaiting);
	}

	/** `lane` has sent a chunk and has more ranges. It keeps its slot, or waits for another one. */
	end(lane: object, cost: () => number): void {
		if (!this.#slots.keeps(lane, performance.now())) {
			this.#slots.leave(lane);
			this.#slots.wait(lane, cost);
		}
	}

	/** `lane` has no ranges any more, or is closed. */
	leave(lane: object): void {
		this.#slots.leave(lane);
		this.#begun(lane);
		this.#give();
	}

	#give(): void {
		for (const lane of this.#slots.next(performance.now())) {
			this.#begun(lane);
		}
		clearTimeout(this.#timer);
		// A lane that has its slot for too long loses it then.
		this.#timer = this.#slots.areWaiting ? setTimeout(() => this.#give(), LONGEST) : undefined;
	}

	#begun(lane: object): void {
		this.#resolve.get(lane)?.();
		this.#resolve.delete(lane);
	}
}
