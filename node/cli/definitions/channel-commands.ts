import type { Command } from 'commander';
import {
	ABOUT_BROKER,
	ABOUT_CERT,
	ABOUT_CHANNEL_DATA,
	ABOUT_EXCLUDE,
	ABOUT_GATEWAY_NAME,
	ABOUT_LOG_LEVEL,
	ABOUT_METRICS,
	ABOUT_NO_CACHE,
	ABOUT_SKIP_ODD,
	ABOUT_TRACE,
	BROKER,
	CERT,
	DATA,
	EXCLUDE,
	LOG_LEVEL,
	METRICS,
	NO_CACHE,
	RATE,
} from '../shared-flags.ts';
import { add, collect, start, withLaneFlags, withNodeFlags } from './define.ts';

/** The commands of channels. */
export function addChannels(program: Command): void {
	withNodeFlags(
		add(program, 'publish', 'publish a file or folder to all machines that follow a channel')
			.argument('<path>', 'the file or folder')
			.requiredOption('--channel <name>', 'the name of the channel')
			.option(
				'--to <group:percent>',
				'give the version only to a part of a group, such as lab-2:25; can be repeated',
				collect,
			)
			.option('--stages <percents>', 'give it out in stages, such as 5,25,100')
			.option(
				'--stop-at <percent>',
				'with --stages: begin no further stage if more of a stage have failed (default: 2%)',
			)
			.option(
				'--min <n>',
				'with --stages: machines that must have applied it before the next stage begins (default: 3)',
			)
			.option(
				'--until <time>',
				'how long the version is valid if this command does not renew it, such as 30d or 12h',
				'30d',
			)
			.option(
				'--keep <n>',
				'how many versions to keep as copies in the folder for state (default: 1 for a folder, 0 for a file)',
			)
			.option('--no-keep', 'keep no copies')
			.option(DATA, ABOUT_CHANNEL_DATA)
			.option(BROKER, ABOUT_BROKER, collect)
			.option(CERT, ABOUT_CERT, collect)
			.option('--name <name>', 'the name of the file or folder that others see')
			.option(EXCLUDE, ABOUT_EXCLUDE, collect)
			.option('--skip-odd', ABOUT_SKIP_ODD)
			.option(NO_CACHE, ABOUT_NO_CACHE)
			.option('--max-up <rate>', `the most that is sent, in ${RATE}`),
	)
		.option(LOG_LEVEL, ABOUT_LOG_LEVEL)
		.action((path, options) =>
			start(options, async () =>
				(await import('../commands/publish.ts')).publishCommand(path, options),
			),
		);
	withLaneFlags(
		add(program, 'follow', 'keep a folder at the newest version of a channel')
			.argument('<link>', 'the link of the channel, in quotes')
			.argument('<folder>', 'the folder, which is made if it is missing')
			.option('--exec <command>', 'run a command after each version is applied')
			.option('--exec-timeout <time>', 'how long the command may take, such as 90s or 10m', '10m')
			.option('--group <group>', 'a group that this machine is in; can be repeated', collect)
			.option('--releases <n>', 'keep N versions side by side, and the link FOLDER/current')
			.option('--name <name>', ABOUT_GATEWAY_NAME)
			.option('--once', 'get the newest version, apply it, and end')
			.option(DATA, ABOUT_CHANNEL_DATA)
			.option(BROKER, ABOUT_BROKER.replace('(default: ', '(default: those in the link, '), collect)
			.option(CERT, ABOUT_CERT, collect)
			.option('--max-up <rate>', `the most that is sent, in ${RATE}`)
			.option('--max-down <rate>', `the most that is received, in ${RATE}`),
	)
		.option('--trace <file>', ABOUT_TRACE)
		.option(METRICS, ABOUT_METRICS)
		.option(LOG_LEVEL, ABOUT_LOG_LEVEL)
		.action((link, folder, options) =>
			start(
				options,
				async () => (await import('../commands/follow.ts')).followCommand(link, folder, options),
				!options.once,
			),
		);
	add(program, 'fleet', 'list the machines that follow a channel, and how far each is')
		.argument('<link>', 'the link of the channel, in quotes')
		.option(
			'--expect <machines>',
			'the machines that must have the newest version: their number, or a file with their names or ids',
		)
		.option('--wait', 'wait until all of them have it')
		.option('--csv', 'print comma-separated values')
		.option(BROKER, ABOUT_BROKER.replace('(default: ', '(default: those in the link, '), collect)
		.option(CERT, ABOUT_CERT, collect)
		.action((link, options) =>
			start(options, async () =>
				(await import('../commands/fleet.ts')).fleetCommand(link, options),
			),
		);
	add(program, 'channel', 'list, show and export channels, change their keys, or go back')
		.argument('<what>', 'ls, show, export, rotate, close or rollback')
		.argument(
			'[target]',
			'a link (show, export, rotate), a name (rotate, close) or a folder (rollback)',
		)
		.option('--drawer <file>', 'rotate: the drawer key')
		.option('--until <time>', 'rotate, close: how long the document is valid', '30d')
		.option(
			'-o, --output <folder>',
			'export: the folder for the files (default: the current folder)',
		)
		.option(DATA, ABOUT_CHANNEL_DATA)
		.option(BROKER, ABOUT_BROKER, collect)
		.option(CERT, ABOUT_CERT, collect)
		.action((what, target, options) =>
			start(options, async () =>
				(await import('../commands/channel.ts')).channelCommand(what, target, options),
			),
		);
}
