import { ShoalError } from '../../../protocol/index.ts';
import { type HashNews, type HashOrder, HashRunner } from './hash-runner.ts';
import type { HashReady } from './hash-thread.ts';

/** Messages of a {@link HashPort}. */
export interface HashPortEvents {
	readonly hear: (news: HashNews) => void;
	/** The thread has ended, and with it everything it was to hash. */
	readonly onLost: (why: string) => void;
	/** There is no thread: what hashes is the thread that asks. */
	readonly onNoThread: (error: ShoalError) => void;
}

/**
 * Sends orders to hash to a thread of its own, or hashes in this thread if the script of that thread cannot be
 * loaded: a bundler that does not know `new Worker(new URL(…))` omits it, and the policy of a page may forbid it.
 * Orders wait until it is known which.
 */
export class HashPort {
	readonly #events: HashPortEvents;
	#waiting: HashOrder[] | undefined = [];
	#post: (order: HashOrder) => void = (order) => this.#waiting?.push(order);

	constructor(events: HashPortEvents) {
		this.#events = events;
		try {
			// As it is called when it is compiled: a bundler finds the source as well.
			this.#listen(new Worker(new URL('./hash-thread.js', import.meta.url), { type: 'module' }));
		} catch (error) {
			this.#hashHere(String(error));
		}
	}

	/** Does as `order` says, after what was ordered before. Takes the bytes of an update away. */
	post(order: HashOrder): void {
		this.#post(order);
	}

	#listen(worker: Worker): void {
		worker.addEventListener('message', ({ data }: MessageEvent<HashNews | HashReady>) => {
			if ('isReady' in data) {
				this.#settle((order) =>
					worker.postMessage(order, order.do === 'update' ? [order.bytes.buffer] : []),
				);
			} else {
				this.#events.hear(data);
			}
		});
		worker.addEventListener('error', ({ message }) => {
			if (this.#waiting === undefined) {
				this.#events.onLost(message);
			} else {
				this.#hashHere(message || 'the script hash-thread.js is not beside this one');
			}
		});
	}

	#hashHere(why: string): void {
		const runner = new HashRunner(this.#events.hear);
		this.#settle((order) => runner.take(order));
		this.#events.onNoThread(
			new ShoalError(
				'ERR_IO',
				`files are hashed without a thread of their own, which takes time from this one: ${why}`,
			),
		);
	}

	#settle(post: (order: HashOrder) => void): void {
		this.#post = post;
		for (const order of this.#waiting ?? []) {
			post(order);
		}
		this.#waiting = undefined;
	}
}
