import type { ContentThread } from './content-thread.ts';
import type { ThreadAnswer, ThreadCommand } from './thread-messages.ts';

/** A command about an open content that has an answer. */
export type ContentQuestion =
	| { do: 'take'; first: number; count: number; segments: readonly Uint8Array[] }
	| { do: 'digest' }
	| { do: 'finish' };

/** A content that is open in a thread. */
export class OpenInThread {
	readonly #thread: ContentThread;
	readonly #content: number;
	#closing: Promise<void> | undefined;

	/** @param what the thread does with the content */
	constructor(
		thread: ContentThread,
		what: Pick<Extract<ThreadCommand, { do: 'open' }>, 'location' | 'toWrite' | 'toHash'>,
	) {
		this.#thread = thread;
		this.#content = thread.enter();
		thread.tell({ do: 'open', content: this.#content, ...what });
	}

	/** @returns the answer of the thread @throws ShoalError ERR_IO if the thread has ended */
	ask(question: ContentQuestion): Promise<ThreadAnswer> {
		return this.#thread.ask({ ...question, content: this.#content });
	}

	/** `count` chunks, from chunk `first` on, are stored; the thread has to read their bytes back. */
	stored(first: number, count: number): void {
		this.#thread.tell({ do: 'stored', content: this.#content, first, count });
	}

	/** The chunks with a 1 in `stored`, and no others, are right. */
	restart(stored: Uint8Array): void {
		this.#thread.tell({ do: 'restart', content: this.#content, stored });
	}

	/** Resolves when the thread uses the files no more. Idempotent. */
	close(): Promise<void> {
		this.#closing ??= this.#close();
		return this.#closing;
	}

	async #close(): Promise<void> {
		// A thread that has ended writes nothing either.
		await this.#thread.ask({ do: 'close', content: this.#content }).catch(() => {});
		this.#thread.leave();
	}
}
