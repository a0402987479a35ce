import type { DigestKind } from '../../../protocol/index.ts';
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
	#updated = (): void => {};
	#digested = (_digest: string): void => {};

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

	/** Resolves when it has room. */
	async room(): Promise<void> {
		while (!this.hasRoom) {
			await new Promise<void>((resolve) => {
				this.#updated = resolve;
			});
		}
	}

	/** The digest of what was added, in hex; it begins anew. */
	async digest(): Promise<string> {
		const digest = new Promise<string>((resolve) => {
			this.#digested = resolve;
		});
		this.#order({ do: 'digest', hash: this.#number });
		return await digest;
	}

	/** It is not needed any more. */
	close(): void {
		open.delete(this.#number);
		this.#order({ do: 'end', hash: this.#number });
	}

	/** The thread has told something. */
	hear(news: HashNews): void {
		if ('digest' in news) {
			this.#digested(news.digest);
		} else {
			this.#waiting -= news.updated;
			this.#updated();
		}
	}

	#order(order: HashOrder): void {
		this.#thread.postMessage(order);
	}
}

function startThread(): Worker {
	const worker = new Worker(new URL('./hash-thread.ts', import.meta.url), { type: 'module' });
	worker.addEventListener('message', ({ data }: MessageEvent<HashNews>) => {
		open.get(data.hash)?.hear(data);
	});
	return worker;
}
