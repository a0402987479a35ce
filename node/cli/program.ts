import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import type { Command as Action } from './command.ts';
import { EXAMPLES, EXIT_CODES, HOW_IT_WORKS } from './help-texts.ts';
import type { OutputFlags } from './run.ts';
import {
	ABOUT_ADVERTISE,
	ABOUT_BROKER,
	ABOUT_CERT,
	ABOUT_EXCLUDE,
	ABOUT_GATEWAY_NAME,
	ABOUT_ID,
	ABOUT_LANE,
	ABOUT_LIMIT,
	ABOUT_LISTEN,
	ABOUT_LOG_LEVEL,
	ABOUT_METRICS,
	ABOUT_NO_CACHE,
	ABOUT_NO_LISTEN,
	ABOUT_NO_NODE_NAME,
	ABOUT_NODE_NAME,
	ABOUT_SKIP_ODD,
	ABOUT_TRACE,
	ABOUT_TRACKED_BROKER,
	ADVERTISE,
	BROKER,
	CERT,
	EXCLUDE,
	ID,
	LANE,
	LIMIT,
	LISTEN,
	LOG_LEVEL,
	METRICS,
	NO_CACHE,
	NODE_NAME,
	RATE,
} from './shared-flags.ts';

// Nothing else is loaded until a command runs, so that help is printed at once.

/** Runs the command line. A command ends the process with its exit code. */
export async function main(args: readonly string[]): Promise<void> {
	const program = makeProgram();
	ignoreClosedPipes();
	try {
		await program.parseAsync(args, { from: 'user' });
	} catch (error) {
		if (!(error instanceof CommanderError)) {
			throw error;
		}
		if (error.exitCode === 0) {
			return;
		}
		await complain(program, error, args);
	}
}

/** Ignores a closed pipe, as in `shoal --help | head`. Commands add handlers of their own. */
function ignoreClosedPipes(): void {
	for (const stream of [process.stdout, process.stderr]) {
		stream.on('error', (error: NodeJS.ErrnoException) => {
			if (error.code !== 'EPIPE' && stream.listenerCount('error') === 1) {
				throw error;
			}
		});
	}
}

/** The commands and flags, with their help. */
export function makeProgram(): Command {
	const program = new Command('shoal')
		.description(HOW_IT_WORKS)
		.version(version(), '--version', 'print the version')
		.helpOption('-h, --help', 'print this help')
		.helpCommand('help [command]', 'print the help of a command')
		.addHelpText('after', EXIT_CODES)
		.exitOverride()
		.configureOutput({ writeErr: () => {} });
	addHosting(program);
	addTransfers(program);
	addLists(program);
	addFiles(program);
	return program;
}

function addHosting(program: Command): void {
	add(program, 'broker', 'run the broker and the tracker')
		.option('--host <address>', 'address to listen on', '127.0.0.1')
		.option('--port <port>', 'port to listen on, 0 for any that is free', '1883')
		.option('--lan', 'listen on all addresses of this machine; clients need the token')
		.option(
			'--advertise <host>',
			'the address at which others reach the broker, if it is not an address of this machine: HOST or HOST:PORT (default: SHOAL_ADVERTISE); can be repeated',
			collect,
		)
		.option('--data <folder>', 'the folder for tokens, keys and the audit log')
		.option(
			'--tls',
			'speak TLS with a certificate that the broker makes; the join link contains its fingerprint (--lan implies --tls)',
		)
		.option('--no-tls', 'with --lan: do not encrypt anything, not even the tokens')
		.option('--tls-cert <file>', 'speak TLS with this certificate, PEM')
		.option('--tls-key <file>', 'the private key of the certificate, PEM')
		.option(
			'--http <port>',
			'port of the web page, which also serves files by HTTP (default: 8080, or any free port if 8080 is in use)',
		)
		.option('--no-http', 'serve no web page, and nothing else by HTTP')
		.option(
			'--http-name <name>',
			'a host name allowed in requests to the page, beside IP addresses, localhost, the name of this machine and the hosts of --advertise; can be repeated',
			collect,
		)
		.option(
			'--http-origin <origin>',
			'an origin whose pages may be nodes of this broker, such as https://lab.example; can be repeated',
			collect,
		)
		.option(NODE_NAME, 'the name of the node that serves files by HTTP, as others see it')
		.option('--no-node-name', ABOUT_NO_NODE_NAME)
		.option('--no-mdns', 'do not announce this broker on the LAN')
		.option('--insecure-anonymous', 'accept every client that reaches the port, without a token')
		.option(LIMIT, ABOUT_LIMIT, collect)
		.option(LOG_LEVEL, ABOUT_LOG_LEVEL)
		.action((options) =>
			start(
				options,
				async () => (await import('./commands/broker.ts')).brokerCommand(options),
				true,
			),
		);
	add(program, 'token', 'print the join links of the broker on this machine')
		.argument('[renew]', 'make new tokens; the old ones are not valid any more')
		.option('--data <folder>', "the broker's folder, if it was started with --data")
		.action((what, options) =>
			start(options, async () => (await import('./commands/token.ts')).tokenCommand(what, options)),
		);
	add(
		program,
		'join',
		'join a broker by its link and remember it; without a link: print which broker is used',
	)
		.argument('[link]', 'the join link that the broker printed, in quotes')
		.action((link, options) =>
			start(options, async () => (await import('./commands/join.ts')).joinCommand(link)),
		);
	add(program, 'leave', 'forget the broker that was joined').action((options) =>
		start(options, async () => (await import('./commands/join.ts')).leaveCommand()),
	);
	add(program, 'tracker', 'run only the tracker, on a broker that runs already')
		.option(BROKER, ABOUT_TRACKED_BROKER)
		.option(CERT, ABOUT_CERT)
		.option(LIMIT, ABOUT_LIMIT, collect)
		.option(LOG_LEVEL, ABOUT_LOG_LEVEL)
		.action((options) =>
			start(
				options,
				async () => (await import('./commands/tracker.ts')).trackerCommand(options),
				true,
			),
		);
}

function addTransfers(program: Command): void {
	add(program, 'share', 'share files and folders until the command is stopped')
		.argument('<path...>', 'files and folders to share')
		.option(BROKER, ABOUT_BROKER)
		.option(CERT, ABOUT_CERT)
		.option('--name <name>', 'the name that others see; for a single file or folder only')
		.option(EXCLUDE, ABOUT_EXCLUDE, collect)
		.option('--skip-odd', ABOUT_SKIP_ODD)
		.option('--strict', 'share nothing if something cannot be shared')
		.option(NO_CACHE, ABOUT_NO_CACHE)
		.option('--max-up <rate>', `the most that is sent, in ${RATE}`)
		.option('--max-down <rate>', `the most that is received, in ${RATE}`)
		.option(LANE, ABOUT_LANE)
		.option(LISTEN, ABOUT_LISTEN)
		.option('--no-listen', ABOUT_NO_LISTEN)
		.option(ADVERTISE, ABOUT_ADVERTISE, collect)
		.option(ID, ABOUT_ID)
		.option(NODE_NAME, ABOUT_NODE_NAME)
		.option('--no-node-name', ABOUT_NO_NODE_NAME)
		.option('--trace <file>', ABOUT_TRACE)
		.option(METRICS, ABOUT_METRICS)
		.option(LOG_LEVEL, ABOUT_LOG_LEVEL)
		.action((files, options) =>
			start(options, async () =>
				(await import('./commands/share.ts')).shareCommand(files, options),
			),
		);
	add(program, 'get', 'download files and folders, verify them, and go on sharing them for a while')
		.argument('<what...>', 'an id, a link, a name as ls shows it, or the path of a seed file')
		.option(BROKER, ABOUT_BROKER.replace('(default: ', '(default: the one in the link, '))
		.option(CERT, ABOUT_CERT)
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
		.option('--max-down <rate>', `the most that is received, in ${RATE}`)
		.option(LANE, ABOUT_LANE)
		.option(LISTEN, ABOUT_LISTEN)
		.option('--no-listen', ABOUT_NO_LISTEN)
		.option(ADVERTISE, ABOUT_ADVERTISE, collect)
		.option(ID, ABOUT_ID)
		.option(NODE_NAME, ABOUT_NODE_NAME)
		.option('--no-node-name', ABOUT_NO_NODE_NAME)
		.option('--trace <file>', ABOUT_TRACE)
		.option(METRICS, ABOUT_METRICS)
		.action((what, options) =>
			start(options, async () => (await import('./commands/get.ts')).getCommand(what, options)),
		);
	add(program, 'gateway', 'serve the files of the swarm by HTTP')
		.option('--host <address>', 'address to listen on', '127.0.0.1')
		.option('--port <port>', 'port to listen on, 0 for any that is free', '8080')
		.option(
			'--name <name>',
			'a host name allowed in requests, beside IP addresses and localhost; can be repeated',
			collect,
		)
		.option(BROKER, ABOUT_BROKER)
		.option(CERT, ABOUT_CERT)
		.option(LANE, ABOUT_LANE)
		.option(NODE_NAME, ABOUT_GATEWAY_NAME)
		.option('--no-node-name', ABOUT_NO_NODE_NAME)
		.option(METRICS, ABOUT_METRICS)
		.option(LOG_LEVEL, ABOUT_LOG_LEVEL)
		.action((options) =>
			start(
				options,
				async () => (await import('./commands/gateway.ts')).gatewayCommand(options),
				true,
			),
		);
}

function addLists(program: Command): void {
	add(program, 'ls', 'list all seeds, or the files of a folder')
		.argument('[id]', 'a folder: its id, link, name as ls shows it, or the path of its seed file')
		.option(BROKER, ABOUT_BROKER)
		.option(CERT, ABOUT_CERT)
		.action((id, options) =>
			start(options, async () =>
				id === undefined
					? (await import('./commands/ls.ts')).lsCommand(options)
					: (await import('./commands/ls-folder.ts')).lsFolderCommand(id, options),
			),
		);
	add(program, 'who', 'list the nodes that have a seed, and how much of it')
		.argument('<id>', 'an id, a link, or a name as ls shows it')
		.option(BROKER, ABOUT_BROKER)
		.option(CERT, ABOUT_CERT)
		.action((id, options) =>
			start(options, async () => (await import('./commands/who.ts')).whoCommand(id, options)),
		);
	add(program, 'watch', 'watch all swarms live')
		.option(BROKER, ABOUT_BROKER)
		.option(CERT, ABOUT_CERT)
		.action((options) =>
			start(options, async () => (await import('./commands/watch.ts')).watchCommand(options), true),
		);
}

function addFiles(program: Command): void {
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
			start(options, async () => (await import('./commands/seed.ts')).seedCommand(path, options)),
		);
	add(program, 'verify', 'check a file or folder against its seed')
		.argument('<seed>', 'the path of the seed')
		.argument('[path]', 'the file or folder (default: the one beside the seed)')
		.option(EXCLUDE, ABOUT_EXCLUDE, collect)
		.option(
			BROKER,
			'the broker whose nodes send the index of a folder if this machine does not have the index',
		)
		.option(CERT, ABOUT_CERT)
		.action((seed, path, options) =>
			start(options, async () =>
				(await import('./commands/verify.ts')).verifyCommand(seed, path, options),
			),
		);
	add(program, 'diff', 'print how much of a new version would be fetched')
		.argument('<from>', 'the path of the seed of the version that the machine has')
		.argument('<to>', 'the path of the seed of the new version')
		.action((from, to, options) =>
			start(options, async () => (await import('./commands/diff.ts')).diffCommand(from, to)),
		);
	add(program, 'demo', 'run a broker, three seeders and a downloader on this machine')
		.argument('[file]', 'the file to transfer (default: the executable of Node.js)')
		.action((file, options) =>
			start(options, async () => (await import('./commands/demo.ts')).demoCommand(file)),
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
			start(options, async () => (await import('./commands/acl.ts')).aclCommand(broker, options)),
		);
	add(program, 'limits', 'print the limits, and the most memory that a broker uses with them')
		.option(LIMIT, ABOUT_LIMIT, collect)
		.action((options) =>
			start(options, async () => (await import('./commands/limits.ts')).limitsCommand(options)),
		);
}

function add(program: Command, name: keyof typeof EXAMPLES, about: string): Command {
	return program
		.command(name)
		.summary(about)
		.description(`${about[0]?.toUpperCase()}${about.slice(1)}.`)
		.option('--json', 'print one JSON object per line, for programs')
		.addHelpText('after', EXAMPLES[name]);
}

async function start(
	options: OutputFlags,
	load: () => Promise<Action>,
	isEndless = false,
): Promise<void> {
	const { run } = await import('./run.ts');
	await run(options, load, isEndless);
}

/**
 * Ends the process after wrong usage: prints what is wrong, and the command that prints the help.
 */
async function complain(
	program: Command,
	error: CommanderError,
	args: readonly string[],
): Promise<void> {
	const command = program.commands.find((each) => each.name() === args[0]);
	const help = command === undefined ? 'shoal --help' : `shoal ${command.name()} --help`;
	const { failUsage } = await import('./run.ts');
	await failUsage(`${whatIsWrong(error, args)}; see: ${help}`, args.includes('--json'));
}

function whatIsWrong({ code, message }: CommanderError, args: readonly string[]): string {
	if (code === 'commander.help') {
		return args[0] === 'help' ? `there is no command ${args[1]}` : 'a command is expected';
	}
	return message
		.replace(/^error: /, '')
		.replace(/\n\(Did you mean (.*)\?\)$/, ' (did you mean $1?)');
}

function collect(value: string, previous: readonly string[] = []): string[] {
	return [...previous, value];
}

function version(): string {
	const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
	return (JSON.parse(text) as { version: string }).version;
}
