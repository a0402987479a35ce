import type { Command } from 'commander';
import type { Command as Action } from '../command.ts';
import { EXAMPLES } from '../help-texts.ts';
import type { OutputFlags } from '../run.ts';

// Nothing else is loaded until a command runs, so that help is printed at once.

/** Defines a command, with its examples and `--json`. */
export function add(program: Command, name: keyof typeof EXAMPLES, about: string): Command {
	return program
		.command(name)
		.summary(about)
		.description(`${about[0]?.toUpperCase()}${about.slice(1)}.`)
		.option('--json', 'print one JSON object per line, for programs')
		.addHelpText('after', EXAMPLES[name]);
}

/** Loads and runs a command. */
export async function start(
	options: OutputFlags,
	load: () => Promise<Action>,
	isEndless = false,
): Promise<void> {
	const { run } = await import('../run.ts');
	await run(options, load, isEndless);
}

/** Collects the values of an option that can be repeated. */
export function collect(value: string, previous: readonly string[] = []): string[] {
	return [...previous, value];
}
