import { type DigestKind, ShoalError } from '../../../protocol/index.ts';
import type { HashNews, HashOrder } from './hash-thread.ts';

/** Bytes that may wait for the thread. */
const MOST_WAITING = 16 * 1024 * 1024;

let thread: Worker | undefined;
let lastNumber = 0;
const open = new Map<number, ThreadedHash>();

/** A digest that a thread of its own computes, beside whatever else goes on. */
export class ThreadedHash {
	readonly #number: number;
	readonly #thread: Worker;
	#waiting = 0;
	#failure: ShoalError | undefined;
	/** Wakes whoever waits for room or for the digest. */
	#wake = (): void => {};
	#digest: string | undefined;

	constructor(kind: DigestKind) {
		thread ??= startThread();
		this.#thread = thread;
		lastNumber += 1;
		this.#number = lastNumber;
		open.set(this.#number, this);
		this.#order({ do: 'begin', hash: this.#number, kind });
	}

	/** Whether the thread keeps up: what it gets beyond that waits in memory. */
	get hasRoom(): boolean {
		return this.#waiting < MOST_WAITING;
	}

	/** Adds `bytes`, which are copied. */
	update(bytes: Uint8Array): void {
		const copy = bytes.slice();
		this.#waiting += copy.length;
		this.#thread.postMessage(
			{ do: 'update', hash: this.#number, bytes: copy } satisfies HashOrder,
			[copy.buffer],
		);
	}

	/** Resolves when it has room. @throws ShoalError ERR_IO if the thread has failed, ERR_CLOSED */
	async room(): Promise<void> {
		await this.#until(() => this.hasRoom);
	}

	/** The digest of what was added, in hex; it begins anew. @throws as {@link room} */
	async digest(): Promise<string> {
		this.#digest = undefined;
		this.#order({ do: 'digest', hash: this.#number });
		await this.#until(() => this.#digest !== undefined);
		return this.#digest as unknown as string;
	}

	/** It is not needed any more. */
	close(): void {
		open.delete(this.#number);
		this.#order({ do: 'end', hash: this.#number });
		this.fail(new ShoalError('ERR_CLOSED', 'hashing was stopped'));
	}

	/** The thread has told something. */
	hear(news: HashNews): void {
		if ('failed' in news) {
			this.fail(threadFailed(news.failed));
		} else if ('digest' in news) {
			this.#digest = news.digest;
		} else {
			this.#waiting -= news.updated;
		}
		this.#wake();
	}

	/** Nothing comes of it any more. */
	fail(reason: ShoalError): void {
		this.#failure ??= reason;
		this.#wake();
	}

	async #until(isTrue: () => boolean): Promise<void> {
		while (!isTrue()) {
			if (this.#failure !== undefined) {
				throw this.#failure;
			}
			await new Promise<void>((resolve) => {
				const others = this.#wake;
				this.#wake = () => {
					this.#wake = () => {};
					others();
					resolve();
				};
			});
		}
	}

	#order(order: HashOrder): void {
		this.#thread.postMessage(order);
	}
}

function startThread(): Worker {
	// As it is called when it is compiled: a bundler finds the source as well.
	const worker = new Worker(new URL('./hash-thread.js', import.meta.url), { type: 'module' });
	worker.addEventListener('message', ({ data }: MessageEvent<HashNews>) => {
		open.get(data.hash)?.hear(data);
	});
	// Its script is not to be had any more, or no script at all.
	worker.addEventListener('error', ({ message }) => {
		thread = undefined;
		for (const hash of open.values()) {
			hash.fail(threadFailed(message));
		}
	});
	return worker;
}

function threadFailed(why: string): ShoalError {
	return new ShoalError(
		'ERR_IO',
		`this page cannot hash files any more: load it again, as its broker may be another version by now (${why || 'a script is missing'})`,
	);
}
