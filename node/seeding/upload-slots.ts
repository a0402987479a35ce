/** Up to so many direct lanes send at the same time. */
const FEW = 16;
/** If more have ranges to send, so many send, and the others wait. */
const SLOTS = 3;
/** ms for which a lane keeps its slot, however many chunks it sends: on fast links a chunk takes no time. */
const SHORTEST = 20;
/** ms after which a lane loses its slot to a waiting lane, even if it has not sent a whole chunk. */
export const LONGEST = 2_000;
/** Every so many slots, the lane that has waited longest gets the slot, so that each lane gets one. */
const IN_TURN = 16;

/**
 * Decides which direct lanes send. If more than `FEW` lanes have ranges to send, `SLOTS` of them
 * send, one chunk at a time. Whole chunks then arrive one after the other, and their receivers pass
 * them on. If all lanes sent at the same time, the first chunks would all arrive late.
 */
export class UploadSlots<T> {
	/** The lanes that have a slot, and since when, ms. */
	readonly #since = new Map<T, number>();
	/** The lanes that wait, the longest waiting first, with the cost of the next range of each. */
	readonly #waiting = new Map<T, () => number>();
	#given = 0;

	/** Whether lanes wait for a slot. */
	get areWaiting(): boolean {
		return this.#waiting.size > 0;
	}

	/** Whether `lane` has a slot. */
	has(lane: T): boolean {
		return this.#since.has(lane);
	}

	/**
	 * `lane` has ranges to send and waits for a slot.
	 *
	 * @param cost returns the lowest cost of its ranges; the lane with the lowest cost gets a slot first
	 */
	wait(lane: T, cost: () => number): void {
		this.#waiting.set(lane, cost);
	}

	/** Whether `lane` keeps its slot after a chunk. `now` in ms. */
	keeps(lane: T, now: number): boolean {
		const since = this.#since.get(lane);
		return since !== undefined && (!this.areWaiting || now - since < SHORTEST);
	}

	/** `lane` gives its slot back, or does not wait for one any more. */
	leave(lane: T): void {
		this.#since.delete(lane);
		this.#waiting.delete(lane);
	}

	/** Gives slots to waiting lanes. @returns the lanes that have got one */
	next(now: number): T[] {
		const lanes: T[] = [];
		while (this.areWaiting && this.#makeRoom(now)) {
			this.#given += 1;
			const lane = this.#given % IN_TURN === 0 ? this.#longestWaiting() : this.#cheapest();
			this.#waiting.delete(lane);
			this.#since.set(lane, now);
			lanes.push(lane);
		}
		return lanes;
	}

	/** Whether a slot is free; for that, lanes that have theirs for too long may lose it. */
	#makeRoom(now: number): boolean {
		if (this.#since.size + this.#waiting.size <= FEW) {
			return true;
		}
		for (const [lane, since] of this.#since) {
			if (this.#since.size >= SLOTS && now - since >= LONGEST) {
				this.#since.delete(lane);
			}
		}
		return this.#since.size < SLOTS;
	}

	#longestWaiting(): T {
		const [lane] = this.#waiting.keys();
		return lane as T;
	}

	#cheapest(): T {
		let cheapest = this.#longestWaiting();
		let least = Number.POSITIVE_INFINITY;
		for (const [lane, cost] of this.#waiting) {
			const value = cost();
			if (value < least) {
				cheapest = lane;
				least = value;
			}
		}
		return cheapest;
	}
}
