import { setMaxListeners } from 'node:events';
import { ShoalError } from '../../protocol/index.ts';
import { unlessAborted } from '../util/abort.ts';
import { EXIT } from './exit-codes.ts';

/** The reason why a command has to end. */
export type StopReason = 'SIGINT' | 'SIGTERM' | 'EPIPE';

/** ms after the first reason to stop until the process ends, even if something hangs. */
const EXIT_WITHIN = 1_900;

/**
 * Turns signals into an abort: the first one ends the command in an orderly way, a second Ctrl-C ends
 * the process at once.
 */
export class Interrupts {
	readonly #controller = new AbortController();
	readonly #onInt = (): void => this.#onSignal('SIGINT');
	readonly #onTerm = (): void => this.#onSignal('SIGTERM');
	#reason: StopReason | undefined;
	/** The exit code if the command, told to stop, does not end in time. */
	lastExit: number = EXIT.interrupted;

	constructor() {
		// Each file adds a listener, and there may be any number of files.
		setMaxListeners(0, this.signal);
		process.on('SIGINT', this.#onInt);
		process.on('SIGTERM', this.#onTerm);
		process.on('SIGHUP', this.#onTerm);
	}

	/** Aborts with a ShoalError ERR_ABORTED when the command has to end. */
	get signal(): AbortSignal {
		return this.#controller.signal;
	}

	/** The reason why the command has to end; undefined while it may go on. */
	get reason(): StopReason | undefined {
		return this.#reason;
	}

	/** Resolves when the command has to end. */
	async stopped(): Promise<void> {
		await this.race(new Promise<never>(() => {})).catch(() => {});
	}

	/** Waits for `work`. @throws ShoalError ERR_ABORTED if the command has to end first */
	async race<T>(work: Promise<T>): Promise<T> {
		return await unlessAborted(work, this.signal);
	}

	/** Requests the end of the command; only the first reason counts. */
	stop(reason: StopReason): void {
		if (this.#reason === undefined) {
			this.#reason = reason;
			setTimeout(() => process.exit(this.lastExit), EXIT_WITHIN).unref();
			this.#controller.abort(new ShoalError('ERR_ABORTED', 'interrupted'));
		}
	}

	#onSignal(reason: 'SIGINT' | 'SIGTERM'): void {
		if (this.#reason !== undefined && reason === 'SIGINT') {
			process.exit(EXIT.interrupted);
		}
		this.stop(reason);
	}
}
