type Task = () => Promise<void>;

// Enough that one slow confirmation delays no other message, and far below the 65,535 packet ids of
// MQTT.
const MOST_AT_ONCE = 256;

/**
 * The queue of messages to publish. Many messages are on their way at once, so that one with a slow
 * confirmation does not delay the others; they are started in order. While there is no connection,
 * the messages wait.
 */
export class Outbox {
	readonly #isOpen: () => boolean;
	readonly #onFailure: (error: unknown) => void;
	readonly #waiting = new Set<Task>();
	/** Called when no message waits any more. */
	readonly #onEmpty = new Set<() => void>();
	#running = 0;

	constructor(isOpen: () => boolean, onFailure: (error: unknown) => void) {
		this.#isOpen = isOpen;
		this.#onFailure = onFailure;
	}

	/** Number of messages that wait. */
	get size(): number {
		return this.#waiting.size;
	}

	/** Adds `task`, which publishes one message, to the queue. */
	push(task: Task): void {
		this.#waiting.add(task);
		this.pump();
	}

	/** Starts as many waiting tasks as are allowed; to be called when the connection is up. */
	pump(): void {
		for (const task of this.#waiting) {
			if (this.#running >= MOST_AT_ONCE || !this.#isOpen()) {
				return;
			}
			this.#waiting.delete(task);
			this.#running += 1;
			void this.#run(task);
		}
		this.#tellEmpty();
	}

	/** Resolves when no message waits, because all were started or dropped, or after `ms`. */
	async emptied(ms: number): Promise<void> {
		if (this.#waiting.size > 0) {
			await new Promise<void>((resolve) => {
				this.#onEmpty.add(resolve);
				setTimeout(resolve, ms).unref();
			});
		}
	}

	/** Drops the waiting tasks. */
	clear(): void {
		this.#waiting.clear();
		this.#tellEmpty();
	}

	#tellEmpty(): void {
		for (const tell of this.#onEmpty) {
			tell();
		}
		this.#onEmpty.clear();
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
