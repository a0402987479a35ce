import { Worker } from 'node:worker_threads';
import { ShoalError } from '../../protocol/index.ts';
import { later } from '../util/timers.ts';
import { type CommandTaker, EventLoopThread } from './event-loop-thread.ts';
import type { ThreadAnswer, ThreadCommand } from './thread-messages.ts';

interface Waiting {
	readonly resolve: (answer: ThreadAnswer) => void;
	readonly reject: (error: ShoalError) => void;
}

/** A command that has an answer, without the id of that answer. */
type Question =
	Extract<ThreadCommand, { id: number }> extends infer Each
		? Each extends { id: number }
			? Omit<Each, 'id'>
			: never
		: never;

/**
 * ms for which an idle thread stays, so that a download that begins soon need not start a thread.
 */
const IDLE = 2_000;
/** MB for new objects. With the default of 48, most of the memory of a thread is garbage. */
const YOUNG = 8;
const SCRIPT = new URL('./content-worker.js', import.meta.url);

/**
 * A thread in which contents are written and hashed. It keeps the process running only while it has
 * to answer a command.
 */
export class ContentThread {
	static #writing: ContentThread | undefined;
	static #hashing: ContentThread | undefined;
	static #here: ContentThread | undefined;
	readonly #worker: CommandTaker;
	readonly #waiting = new Map<number, Waiting>();
	#outbox: ThreadCommand[] = [];
	#contents = 0;
	#open = 0;
	#lastId = 0;
	#end: ShoalError | undefined;

	/** @param taker obeys the commands. @default a thread that is started */
	constructor(taker: CommandTaker = threadOf(SCRIPT)) {
		this.#worker = taker;
		this.#worker.unref();
		this.#worker.on('message', (answers: readonly ThreadAnswer[]) => {
			for (const answer of answers) {
				this.#take(answer.id)?.resolve(answer);
			}
		});
		this.#worker.on('error', (cause) => this.#ended(cause));
		this.#worker.on('exit', () => this.#ended(undefined));
	}

	/** The thread of this process that writes, started if there is none. */
	static get writing(): ContentThread {
		ContentThread.#writing = running(ContentThread.#writing);
		return ContentThread.#writing;
	}

	/** A second thread, which hashes what the first one has written. Started if there is none. */
	static get hashing(): ContentThread {
		ContentThread.#hashing = running(ContentThread.#hashing);
		return ContentThread.#hashing;
	}

	/** The event loop of this process in place of a thread, for small contents. */
	static get here(): ContentThread {
		const before = ContentThread.#here;
		ContentThread.#here =
			before === undefined || before.isOver ? new ContentThread(new EventLoopThread()) : before;
		return ContentThread.#here;
	}

	/** Whether it has ended. */
	get isOver(): boolean {
		return this.#end !== undefined;
	}

	/** Whether another thread would obey sooner: this one is the event loop, and it is busy. */
	get isBusy(): boolean {
		return this.#worker.isBusy === true;
	}

	/** Counts a content that is opened. @returns its number */
	enter(): number {
		this.#open += 1;
		this.#contents += 1;
		return this.#contents;
	}

	/** A content is closed. The thread ends when no content has been open for a while. */
	leave(): void {
		this.#open -= 1;
		later(() => {
			if (this.#open === 0) {
				this.#end ??= ended(undefined);
				void this.#worker.terminate();
			}
		}, IDLE);
	}

	/** Sends the thread a command that has no answer. */
	tell(command: Exclude<ThreadCommand, { id: number }>): void {
		if (this.#outbox.length === 0) {
			// The commands of one turn of the event loop go as one message.
			setImmediate(() => this.#flush());
		}
		this.#outbox.push(command);
	}

	/** Sends a command. @returns its answer @throws ShoalError ERR_IO if the thread has ended */
	async ask(question: Question): Promise<ThreadAnswer> {
		if (this.#end !== undefined) {
			throw this.#end;
		}
		return await new Promise<ThreadAnswer>((resolve, reject) => {
			this.#lastId += 1;
			const id = this.#lastId;
			this.#worker.ref();
			this.#waiting.set(id, { resolve, reject });
			this.tell({ ...question, id } as never);
		});
	}

	#flush(): void {
		const commands = this.#outbox;
		this.#outbox = [];
		this.#worker.postMessage(commands);
	}

	#take(id: number): Waiting | undefined {
		const waiting = this.#waiting.get(id);
		this.#waiting.delete(id);
		if (this.#waiting.size === 0) {
			this.#worker.unref();
		}
		return waiting;
	}

	#ended(cause: unknown): void {
		this.#end ??= ended(cause);
		for (const { reject } of this.#waiting.values()) {
			reject(this.#end);
		}
		this.#waiting.clear();
	}
}

/** Starts a thread that runs `script`. */
export function threadOf(script: URL): Worker {
	return new Worker(script, { resourceLimits: { maxYoungGenerationSizeMb: YOUNG } });
}

function running(thread: ContentThread | undefined): ContentThread {
	return thread === undefined || thread.isOver ? new ContentThread() : thread;
}

function ended(cause: unknown): ShoalError {
	return new ShoalError(
		'ERR_IO',
		'the thread that writes chunks has ended; run the command again, verified chunks are kept',
		{ cause },
	);
}
