import { ShoalError } from '../../../protocol/index.ts';
import { type HashNews, type HashOrder, HashRunner } from './hash-runner.ts';
import type { HashReady } from './hash-thread.ts';

/** Messages of a {@link HashPort}. */
export interface HashPortEvents {
	readonly hear: (news: HashNews) => void;
	/** The thread has ended, and all its unfinished hashes have failed. */
	readonly onLost: (why: string) => void;
	/** There is no hashing thread: the thread of the caller hashes. */
	readonly onNoThread: (error: ShoalError) => void;
}

/**
 * Sends hashing orders to a separate thread, or hashes in this thread if the script of that thread
 * cannot be loaded: a bundler that does not know `new Worker(new URL(…))` omits the script, and the
 * policy of a page may forbid workers. Orders wait until it is known which thread hashes.
 */
export class HashPort {
	readonly #events: HashPortEvents;
	#waiting: HashOrder[] | undefined = [];
	#post: (order: HashOrder) => void = (order) => this.#waiting?.push(order);

	constructor(events: HashPortEvents) {
		this.#events = events;
		try {
			// This is the name of the compiled script. A bundler finds the source by this name, too.
			this.#listen(new Worker(new URL('./hash-thread.js', import.meta.url), { type: 'module' }));
		} catch (error) {
			this.#hashHere(String(error));
		}
	}

	/**
	 * Carries out `order` after earlier orders. The bytes of an update are transferred: the caller
	 * cannot use them afterwards.
	 */
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
				this.#hashHere(message || 'the script hash-thread.js is not in the folder of this script');
			}
		});
	}

	#hashHere(why: string): void {
		const runner = new HashRunner(this.#events.hear);
		this.#settle((order) => runner.take(order));
		this.#events.onNoThread(
			new ShoalError(
				'ERR_IO',
				`files are hashed without a thread of their own, which slows this thread down: ${why}`,
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
