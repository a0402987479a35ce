import type { Command } from 'commander';
import {
	ABOUT_CERT,
	ABOUT_EXCLUDE,
	ABOUT_LIMIT,
	ABOUT_NO_CACHE,
	ABOUT_SKIP_ODD,
	BROKER,
	CERT,
	EXCLUDE,
	LIMIT,
	NO_CACHE,
} from '../shared-flags.ts';
import { add, collect, start } from './define.ts';

/** The commands that work on files, and those that print rules and limits. */
export function addFiles(program: Command): void {
	add(program, 'seed', 'write the seed of a file or folder')
		.argument('<path>', 'the file or folder')
		.option(
			'-o, --output <path>',
			'the path of the seed (default: PATH.seed), or - for standard output; the index of a folder goes beside it',
		)
		.option('--name <name>', 'the name in the seed (default: that of the file or folder)')
		.option(EXCLUDE, ABOUT_EXCLUDE, collect)
		.option('--skip-odd', ABOUT_SKIP_ODD)
		.option(NO_CACHE, ABOUT_NO_CACHE)
		.action((path, options) =>
			start(options, async () => (await import('../commands/seed.ts')).seedCommand(path, options)),
		);
	add(program, 'verify', 'check a file or folder against its seed')
		.argument('<seed>', 'the path of the seed')
		.argument('[path]', 'the file or folder (default: the one beside the seed)')
		.option(EXCLUDE, ABOUT_EXCLUDE, collect)
		.option(
			BROKER,
			'the broker (or several, with commas between them) whose nodes send the index of a folder if this machine does not have the index',
			collect,
		)
		.option(CERT, ABOUT_CERT, collect)
		.action((seed, path, options) =>
			start(options, async () =>
				(await import('../commands/verify.ts')).verifyCommand(seed, path, options),
			),
		);
	add(program, 'diff', 'print how much of a new version would be fetched')
		.argument('<from>', 'the path of the seed of the version that the machine has')
		.argument('<to>', 'the path of the seed of the new version')
		.action((from, to, options) =>
			start(options, async () => (await import('../commands/diff.ts')).diffCommand(from, to)),
		);
	add(program, 'demo', 'run a broker, three seeders and a downloader on this machine')
		.argument('[file]', 'the file to transfer (default: the executable of Node.js)')
		.action((file, options) =>
			start(options, async () => (await import('../commands/demo.ts')).demoCommand(file)),
		);
	add(program, 'acl', 'print the access rules for a broker of another kind')
		.argument('<broker>', 'the kind of broker: mosquitto')
		.option(
			'--by <what>',
			'what identifies a node at the broker: client (its MQTT client id) or user (its user name)',
			'client',
		)
		.option('--tracker <user>', 'the user name of the tracker', 'shoal-tracker')
		.action((broker, options) =>
			start(options, async () => (await import('../commands/acl.ts')).aclCommand(broker, options)),
		);
	add(program, 'limits', 'print the limits, and the most memory that a broker uses with them')
		.option(LIMIT, ABOUT_LIMIT, collect)
		.action((options) =>
			start(options, async () => (await import('../commands/limits.ts')).limitsCommand(options)),
		);
}
