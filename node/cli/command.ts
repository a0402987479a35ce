import type { Interrupts } from './interrupts.ts';
import type { Output } from './terminal/output.ts';

/** The terminal and the signals of the process in which a command runs. */
export interface CommandContext {
	readonly output: Output;
	readonly interrupts: Interrupts;
}

/** Runs a command to its end. @returns the exit code */
export type Command = (context: CommandContext) => Promise<number>;
