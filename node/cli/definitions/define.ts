import type { Command } from 'commander';
import type { Command as Action } from '../command.ts';
import { EXAMPLES } from '../help-texts.ts';
import type { OutputFlags } from '../run.ts';
import {
	ABOUT_ADVERTISE,
	ABOUT_ID,
	ABOUT_LANE,
	ABOUT_LISTEN,
	ABOUT_METRICS,
	ABOUT_NO_LISTEN,
	ABOUT_NO_NODE_NAME,
	ABOUT_NODE_NAME,
	ABOUT_TRACE,
	ADVERTISE,
	ID,
	LANE,
	LISTEN,
	METRICS,
	NODE_NAME,
} from '../shared-flags.ts';

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

/** Adds the flags of a command whose node sends and receives chunks: its lanes, and where it listens. */
export function withLaneFlags(command: Command): Command {
	return command
		.option(LANE, ABOUT_LANE)
		.option(LISTEN, ABOUT_LISTEN)
		.option('--no-listen', ABOUT_NO_LISTEN)
		.option(ADVERTISE, ABOUT_ADVERTISE, collect);
}

/** Adds the flags of {@link withLaneFlags}, and those of a node with an id and a name of its own. */
export function withNodeFlags(command: Command): Command {
	return withLaneFlags(command)
		.option(ID, ABOUT_ID)
		.option(NODE_NAME, ABOUT_NODE_NAME)
		.option('--no-node-name', ABOUT_NO_NODE_NAME)
		.option('--trace <file>', ABOUT_TRACE)
		.option(METRICS, ABOUT_METRICS);
}
