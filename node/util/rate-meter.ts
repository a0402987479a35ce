const SLOTS = 8;
const SLOT_MS = 250;

/** Bytes per second over the last two seconds, by a clock in ms. */
export class RateMeter {
	readonly #now: () => number;
	readonly #slots = new Float64Array(SLOTS);
	readonly #startedAt: number;
	#slot: number;
	#total = 0;

	constructor(now: () => number = () => performance.now()) {
		this.#now = now;
		this.#startedAt = now();
		this.#slot = Math.floor(this.#startedAt / SLOT_MS);
	}

	/** Bytes counted in all. */
	get total(): number {
		return this.#total;
	}

	/** Counts `bytes`. */
	count(bytes: number): void {
		this.#advance();
		const slot = this.#slot % SLOTS;
		this.#slots[slot] = (this.#slots[slot] as number) + bytes;
		this.#total += bytes;
	}

	/** Bytes per second over the last two seconds, rounded. */
	get rate(): number {
		this.#advance();
		const now = this.#now();
		const oldest = (this.#slot - SLOTS + 1) * SLOT_MS;
		const since = Math.max(oldest, this.#startedAt);
		const sum = this.#slots.reduce((bytes, slot) => bytes + slot, 0);
		return Math.round((sum * 1_000) / Math.max(now - since, SLOT_MS));
	}

	#advance(): void {
		const slot = Math.floor(this.#now() / SLOT_MS);
		for (let next = Math.max(this.#slot + 1, slot - SLOTS + 1); next <= slot; next += 1) {
			this.#slots[next % SLOTS] = 0;
		}
		this.#slot = slot;
	}
}
