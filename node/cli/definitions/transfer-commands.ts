import { type Command, Option } from 'commander';
import {
	ABOUT_BROKER,
	ABOUT_CERT,
	ABOUT_EXCLUDE,
	ABOUT_GATEWAY_NAME,
	ABOUT_LANE,
	ABOUT_LOG_LEVEL,
	ABOUT_METRICS,
	ABOUT_NO_CACHE,
	ABOUT_NO_NODE_NAME,
	ABOUT_SKIP_ODD,
	BROKER,
	CERT,
	EXCLUDE,
	LANE,
	LOG_LEVEL,
	METRICS,
	NO_CACHE,
	NODE_NAME,
	RATE,
} from '../shared-flags.ts';
import { add, collect, start, withNodeFlags } from './define.ts';

/** The commands that share, download and serve contents. */
export function addTransfers(program: Command): void {
	withNodeFlags(
		add(program, 'share', 'share files and folders until the command is stopped')
			.argument('<path...>', 'files and folders to share')
			.option(BROKER, ABOUT_BROKER, collect)
			.option(CERT, ABOUT_CERT, collect)
			.option('--name <name>', 'the name that others see; for a single file or folder only')
			.option(EXCLUDE, ABOUT_EXCLUDE, collect)
			.option('--skip-odd', ABOUT_SKIP_ODD)
			.option('--strict', 'share nothing if something cannot be shared')
			.option(NO_CACHE, ABOUT_NO_CACHE)
			.option('--max-up <rate>', `the most that is sent, in ${RATE}`)
			.option('--max-down <rate>', `the most that is received, in ${RATE}`),
	)
		.option(LOG_LEVEL, ABOUT_LOG_LEVEL)
		.action((files, options) =>
			start(options, async () =>
				(await import('../commands/share.ts')).shareCommand(files, options),
			),
		);
	withNodeFlags(
		add(
			program,
			'get',
			'download files and folders, verify them, and go on sharing them for a while',
		)
			.argument('<what...>', 'an id, a link, a name as ls shows it, or the path of a seed file')
			.option(BROKER, ABOUT_BROKER.replace('(default: ', '(default: those in the link, '), collect)
			.option(CERT, ABOUT_CERT, collect)
			.option(
				'-o, --output <path>',
				'the path to write to, or - for standard output; if the path is an existing folder or ends with /, the download goes into that folder',
			)
			.option('--range <range>', 'with -o -: only these bytes, such as 0-499, 500- or -500')
			.addOption(
				new Option('--check <what>', 'what is verified before a file gets its final name')
					.choices(['whole', 'chunks'])
					.default('whole'),
			)
			.option(
				'--only <glob>',
				'download only the entries of a folder that match the glob; can be repeated',
				collect,
			)
			.option(EXCLUDE, ABOUT_EXCLUDE, collect)
			.option(
				'--like <path>',
				'a file or folder, such as a copy on a disk that somebody brought; bytes that it contains are not fetched; can be repeated',
				collect,
			)
			.option('--wait', 'if no node has the seed yet, wait for one')
			.option(
				'--no-linger',
				'end when the download is complete (default: go on sharing until no request has come for 2 s, but for at most 60 s)',
			)
			.option('--keep', 'go on sharing until the command is stopped')
			.option('--max-up <rate>', `the most that is sent, in ${RATE}`)
			.option('--max-down <rate>', `the most that is received, in ${RATE}`),
	).action((what, options) =>
		start(options, async () => (await import('../commands/get.ts')).getCommand(what, options)),
	);
	add(program, 'gateway', 'serve the files of the swarm by HTTP')
		.option('--host <address>', 'address to listen on', '127.0.0.1')
		.option('--port <port>', 'port to listen on, 0 for any that is free', '8080')
		.option(
			'--name <name>',
			'a host name allowed in requests, beside IP addresses and localhost; can be repeated',
			collect,
		)
		.option(BROKER, ABOUT_BROKER, collect)
		.option(CERT, ABOUT_CERT, collect)
		.option(LANE, ABOUT_LANE)
		.option(NODE_NAME, ABOUT_GATEWAY_NAME)
		.option('--no-node-name', ABOUT_NO_NODE_NAME)
		.option(METRICS, ABOUT_METRICS)
		.option(LOG_LEVEL, ABOUT_LOG_LEVEL)
		.action((options) =>
			start(
				options,
				async () => (await import('../commands/gateway.ts')).gatewayCommand(options),
				true,
			),
		);
}
