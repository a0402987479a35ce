import { BusyLoop } from './busy-loop.ts';
import { ContentServer } from './content-server.ts';
import type { ThreadAnswer, ThreadCommand } from './thread-messages.ts';

type OnAnswers = (answers: readonly ThreadAnswer[]) => void;
type OnError = (cause: unknown) => void;

/** The members of a worker that are used here. */
export interface CommandTaker {
	on(event: 'message', handler: OnAnswers): unknown;
	on(event: 'error', handler: OnError): unknown;
	on(event: 'exit', handler: () => void): unknown;
	postMessage(commands: readonly ThreadCommand[]): void;
	/** From now on, it keeps the process running. */
	ref(): void;
	unref(): void;
	terminate(): unknown;
	/** Whether a thread would obey sooner. @default false */
	readonly isBusy?: boolean;
}

/** Obeys the commands of a thread on the event loop. The start of a thread takes 50 ms of processor time. */
export class EventLoopThread implements CommandTaker {
	#onMessage: OnAnswers = () => {};
	#onError: OnError = () => {};
	readonly #server = new ContentServer((answers) => this.#onMessage(answers));
	readonly #load = new BusyLoop();

	get isBusy(): boolean {
		return this.#load.isBusy;
	}

	/** The handler of `exit` is ignored, because the event loop does not exit before its users. */
	on(event: 'message' | 'error' | 'exit', handler: OnAnswers & OnError): void {
		if (event === 'message') {
			this.#onMessage = handler;
		} else if (event === 'error') {
			this.#onError = handler;
		}
	}

	postMessage(commands: readonly ThreadCommand[]): void {
		const begun = performance.now();
		try {
			this.#server.receive(commands);
		} catch (error) {
			this.#onError(error);
		}
		this.#load.worked(performance.now() - begun);
	}

	ref(): void {}

	unref(): void {}

	terminate(): void {}
}
