import { isShoalError, ShoalError } from '../../protocol/index.ts';
import { fsError } from '../storage/fs-error.ts';
import type { Command } from './command.ts';
import { EXIT, exitCodeOf } from './exit-codes.ts';
import { Interrupts } from './interrupts.ts';
import { optimizeLate } from './start/late-optimization.ts';
import { Output } from './terminal/output.ts';

/** Options for the format and the destination of a command's output. */
export interface OutputFlags {
	readonly json?: boolean | undefined;
	readonly output?: string | undefined;
}

/**
 * Runs a command to its end, then ends the process with its exit code.
 *
 * @param isEndless whether the command runs until it is stopped, so that being stopped is no
 *   failure
 */
export async function run(
	options: OutputFlags,
	load: () => Promise<Command>,
	isEndless = false,
): Promise<never> {
	const interrupts = new Interrupts();
	interrupts.lastExit = isEndless ? EXIT.done : EXIT.interrupted;
	const output = await Output.open({
		json: options.json ?? false,
		isStdoutTaken: options.output === '-',
	});
	const fail = (error: unknown): void => {
		output.error(error);
		process.exit(EXIT.failed);
	};
	process.on('uncaughtException', fail);
	let lost: ShoalError | undefined;
	for (const stream of [process.stdout, process.stderr]) {
		stream.on('error', (error: NodeJS.ErrnoException) => {
			// A reader that closes the pipe early is no failure of the output; a full disk is.
			lost = error.code === 'EPIPE' ? lost : fsError(error, 'standard output');
			interrupts.stop('EPIPE');
		});
	}
	let code: number;
	try {
		const command = await load();
		optimizeLate();
		code = await command({ output, interrupts });
	} catch (error) {
		const isUnread = interrupts.reason === 'EPIPE';
		const isQuiet = isUnread || (isEndless && isShoalError(error, 'ERR_ABORTED'));
		const isEnough = isEndless || options.output === '-';
		code = isQuiet ? (isEnough ? EXIT.done : EXIT.failed) : exitCodeOf(error);
		if (!isQuiet) {
			output.error(error);
		}
	}
	output.endLive({ keep: true });
	await written();
	if (lost !== undefined) {
		output.error(lost);
		code = EXIT.failed;
	}
	return process.exit(code);
}

/** Ends the process with ERR_USAGE: the arguments name no command, or do not fit the command. */
export async function failUsage(message: string, json: boolean): Promise<never> {
	return await run({ json }, () => Promise.reject(new ShoalError('ERR_USAGE', message)));
}

/** Resolves when all output has left the process. */
async function written(): Promise<void> {
	for (const stream of [process.stdout, process.stderr]) {
		if (stream.writableLength > 0 && !stream.destroyed) {
			await new Promise<void>((resolve) => {
				stream.once('drain', resolve);
				stream.once('error', () => resolve());
				stream.once('close', resolve);
			});
		}
	}
	// The error of the last write is reported in the next turn of the event loop.
	await new Promise((resolve) => setImmediate(resolve));
}
