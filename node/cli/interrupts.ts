import { setMaxListeners } from 'node:events';
import { ShoalError } from '../../protocol/index.ts';
import { unlessAborted } from '../util/abort.ts';
import { EXIT } from './exit-codes.ts';

/** Why a command is to end. */
export type StopReason = 'SIGINT' | 'SIGTERM' | 'EPIPE';

/** After a signal the process ends in this many ms, whatever hangs. */
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
	/** The exit code if the process has to be cut short. */
	lastExit: number = EXIT.interrupted;

	constructor() {
		// Each of any number of files waits for it.
		setMaxListeners(0, this.signal);
		process.on('SIGINT', this.#onInt);
		process.on('SIGTERM', this.#onTerm);
		process.on('SIGHUP', this.#onTerm);
	}

	/** Aborted, with an ERR_ABORTED, when the command is to end. */
	get signal(): AbortSignal {
		return this.#controller.signal;
	}

	/** Why it is to end; undefined while it may go on. */
	get reason(): StopReason | undefined {
		return this.#reason;
	}

	/** Resolves when the command is to end. */
	async stopped(): Promise<void> {
		await this.race(new Promise<never>(() => {})).catch(() => {});
	}

	/** The outcome of `work`, unless the command is to end first. @throws ShoalError ERR_ABORTED */
	async race<T>(work: Promise<T>): Promise<T> {
		return await unlessAborted(work, this.signal);
	}

	/** Ends the command. */
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
