import { type DigestKind, ShoalError } from '../../../protocol/index.ts';
import { HashPort } from './hash-port.ts';
import type { HashNews } from './hash-runner.ts';

/** Maximum number of bytes that may wait for the thread. */
const MOST_WAITING = 16 * 1024 * 1024;

let port: HashPort | undefined;
let lastNumber = 0;
const open = new Map<number, ThreadedHash>();
const listeners = new Set<(error: ShoalError) => void>();

/** Calls `listener` if there is no hashing thread. @returns a function that removes the listener */
export function onNoThread(listener: (error: ShoalError) => void): () => void {
	listeners.add(listener);
	return () => {
		listeners.delete(listener);
	};
}

/** A digest that a separate thread computes, if there is one. */
export class ThreadedHash {
	readonly #number: number;
	readonly #port: HashPort;
	#waiting = 0;
	#failure: ShoalError | undefined;
	/** Wakes the calls that wait for room or for the digest. */
	#wake = (): void => {};
	#digest: string | undefined;

	constructor(kind: DigestKind) {
		port ??= openPort();
		this.#port = port;
		lastNumber += 1;
		this.#number = lastNumber;
		open.set(this.#number, this);
		this.#port.post({ do: 'begin', hash: this.#number, kind });
	}

	/** Whether less than 16 MiB waits for the thread in memory. `update` takes bytes even if not. */
	get hasRoom(): boolean {
		return this.#waiting < MOST_WAITING;
	}

	/** Adds `bytes`, which are copied. */
	update(bytes: Uint8Array): void {
		const copy = bytes.slice();
		this.#waiting += copy.length;
		this.#port.post({ do: 'update', hash: this.#number, bytes: copy });
	}

	/** Resolves when there is room. @throws ShoalError ERR_IO if the thread has failed, ERR_CLOSED */
	async room(): Promise<void> {
		await this.#until(() => this.hasRoom);
	}

	/**
	 * The digest of the bytes that were added, in hex. The next bytes start a new digest.
	 *
	 * @throws as {@link room}
	 */
	async digest(): Promise<string> {
		this.#digest = undefined;
		this.#port.post({ do: 'digest', hash: this.#number });
		await this.#until(() => this.#digest !== undefined);
		return this.#digest as unknown as string;
	}

	/** Ends the hash: calls that wait fail with ERR_CLOSED. */
	close(): void {
		open.delete(this.#number);
		this.#port.post({ do: 'end', hash: this.#number });
		this.fail(new ShoalError('ERR_CLOSED', 'hashing was stopped'));
	}

	/** Handles a message of the thread. */
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

	/** Makes calls that wait, and later ones, fail with `reason`. */
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
}

function openPort(): HashPort {
	return new HashPort({
		hear: (news) => open.get(news.hash)?.hear(news),
		onLost: (why) => {
			port = undefined;
			for (const hash of open.values()) {
				hash.fail(threadFailed(why));
			}
		},
		onNoThread: (error) => {
			for (const listener of listeners) {
				listener(error);
			}
		},
	});
}

function threadFailed(why: string): ShoalError {
	return new ShoalError(
		'ERR_IO',
		`this page cannot hash files any more: load it again, as its broker may be another version by now (${why || 'a script is missing'})`,
	);
}
