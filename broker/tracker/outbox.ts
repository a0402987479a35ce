type Task = () => Promise<void>;

// Enough that one slow confirmation holds up nothing, and far below the 65,535 ids MQTT has.
const MOST_AT_ONCE = 256;

/**
 * What is to be published: started in order, many at once, so that a slow one does not hold up the
 * rest. Waits while it is not open.
 */
export class Outbox {
	readonly #isOpen: () => boolean;
	readonly #onFailure: (error: unknown) => void;
	readonly #waiting = new Set<Task>();
	#running = 0;

	constructor(isOpen: () => boolean, onFailure: (error: unknown) => void) {
		this.#isOpen = isOpen;
		this.#onFailure = onFailure;
	}

	/** How many wait. */
	get size(): number {
		return this.#waiting.size;
	}

	/** Publishes by `task` when its turn comes. */
	push(task: Task): void {
		this.#waiting.add(task);
		this.pump();
	}

	/** Starts what may start; to be called when it opens. */
	pump(): void {
		for (const task of this.#waiting) {
			if (this.#running >= MOST_AT_ONCE || !this.#isOpen()) {
				return;
			}
			this.#waiting.delete(task);
			this.#running += 1;
			void this.#run(task);
		}
	}

	/** Drops what waits. */
	clear(): void {
		this.#waiting.clear();
	}

	async #run(task: Task): Promise<void> {
		try {
			await task();
		} catch (error) {
			this.#onFailure(error);
		}
		this.#running -= 1;
		this.pump();
	}
}
