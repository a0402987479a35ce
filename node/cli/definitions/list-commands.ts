import type { Command } from 'commander';
import { ABOUT_BROKER, ABOUT_CERT, BROKER, CERT } from '../shared-flags.ts';
import { add, collect, start } from './define.ts';

/** The commands that show what is in the swarm. */
export function addLists(program: Command): void {
	add(program, 'ls', 'list all seeds, or the files of a folder')
		.argument('[id]', 'a folder: its id, link, name as ls shows it, or the path of its seed file')
		.option(BROKER, ABOUT_BROKER, collect)
		.option(CERT, ABOUT_CERT, collect)
		.action((id, options) =>
			start(options, async () =>
				id === undefined
					? (await import('../commands/ls.ts')).lsCommand(options)
					: (await import('../commands/ls-folder.ts')).lsFolderCommand(id, options),
			),
		);
	add(program, 'who', 'list the nodes that have a seed, and how much of it')
		.argument('<id>', 'an id, a link, or a name as ls shows it')
		.option(BROKER, ABOUT_BROKER, collect)
		.option(CERT, ABOUT_CERT, collect)
		.action((id, options) =>
			start(options, async () => (await import('../commands/who.ts')).whoCommand(id, options)),
		);
	add(program, 'watch', 'watch all swarms live')
		.option(BROKER, ABOUT_BROKER, collect)
		.option(CERT, ABOUT_CERT, collect)
		.action((options) =>
			start(
				options,
				async () => (await import('../commands/watch.ts')).watchCommand(options),
				true,
			),
		);
}
