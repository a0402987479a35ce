import type { ContentThread } from './content-thread.ts';
import type { ThreadAnswer, ThreadCommand } from './thread-messages.ts';

/** A command about an open content that has an answer. */
export type ContentQuestion =
	| { do: 'take'; first: number; count: number; segments: readonly Uint8Array[] }
	| { do: 'digest' }
	| { do: 'finish' };

/** The work of a thread for a content: where the content is, and which digests are checked. */
export type ContentWork = Pick<
	Extract<ThreadCommand, { do: 'open' }>,
	'location' | 'toWrite' | 'toHash'
>;

/**
 * A content that is open in a thread. A content that is open on the event loop can move to a thread
 * when the event loop is too busy.
 */
export class OpenInThread {
	readonly #work: ContentWork;
	/** One byte for each chunk, 1 if it is stored. Undefined if no digest is wanted. */
	readonly #stored: Uint8Array | undefined;
	#thread: ContentThread;
	#content: number;
	/** Returns the thread to move to; undefined if the content stays where it is. */
	#next: (() => ContentThread) | undefined;
	#moving: Promise<void> | undefined;
	#closing: Promise<void> | undefined;
	#hasLost = false;

	/** @param next see `ContentThreads` */
	constructor(thread: ContentThread, work: ContentWork, next?: () => ContentThread) {
		this.#work = work;
		this.#stored = next && work.toHash && Uint8Array.from(work.toHash.stored);
		this.#next = next;
		this.#thread = thread;
		this.#content = this.#openIn(thread, work);
	}

	/** Whether the close of a written file has shown that bytes of it could not be stored. */
	get hasLost(): boolean {
		return this.#hasLost;
	}

	/** @returns the answer of the thread @throws ShoalError ERR_IO if the thread has ended */
	async ask(question: ContentQuestion): Promise<ThreadAnswer> {
		if (question.do !== 'take') {
			// The answer to such a question may come much later, from the thread that got it.
			this.#next = undefined;
		} else if (this.#next !== undefined && this.#thread.isBusy) {
			this.#moving = this.#move(this.#next);
		}
		await this.#moving;
		const answer = await this.#tell(question);
		if (question.do === 'take') {
			this.#note(question.first, answer.good ?? []);
		}
		return answer;
	}

	/** `count` chunks, from chunk `first` on, are stored; the thread has to read their bytes back. */
	stored(first: number, count: number): void {
		this.#thread.tell({ do: 'stored', content: this.#content, first, count });
	}

	/**
	 * The chunks with a 1 in `stored`, and no others, are right. From now on the content stays where it
	 * is. Called only when no write is under way.
	 */
	restart(stored: Uint8Array): void {
		this.#next = undefined;
		this.#thread.tell({ do: 'restart', content: this.#content, stored });
	}

	/**
	 * Resolves when the thread uses the files no more. Never rejects: afterwards, `hasLost` says
	 * whether bytes were lost. Idempotent.
	 */
	close(): Promise<void> {
		this.#next = undefined;
		this.#closing ??= this.#close();
		return this.#closing;
	}

	async #close(): Promise<void> {
		try {
			await this.#moving;
		} catch {
			// The thread to move to could not be started, and the content has left the event loop.
			return;
		}
		await this.#leave();
	}

	async #tell(question: ContentQuestion | { do: 'close' }): Promise<ThreadAnswer> {
		const answer = await this.#thread.ask({ ...question, content: this.#content });
		this.#hasLost ||= answer.error?.isLost === true;
		return answer;
	}

	/** Opens the content in `thread`. @returns its number there */
	#openIn(thread: ContentThread, work: ContentWork): number {
		const content = thread.enter();
		thread.tell({ do: 'open', content, ...work });
		return content;
	}

	async #leave(): Promise<void> {
		// A thread that has ended writes nothing either.
		await this.#tell({ do: 'close' }).catch(() => {});
		this.#thread.leave();
	}

	/** Moves to another thread. To compute the digest, it reads back what is already stored. */
	async #move(next: () => ContentThread): Promise<void> {
		this.#next = undefined;
		// The answer to `close` comes after all other answers, so the stored chunks are all noted.
		await this.#leave();
		const { toHash } = this.#work;
		const stored = this.#stored;
		this.#thread = next();
		this.#content = this.#openIn(this.#thread, {
			...this.#work,
			toHash: toHash && stored && { ...toHash, stored },
		});
	}

	#note(first: number, good: readonly boolean[]): void {
		for (const [index, isGood] of good.entries()) {
			if (isGood && this.#stored !== undefined) {
				this.#stored[first + index] = 1;
			}
		}
	}
}
