import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { addChannels } from './definitions/channel-commands.ts';
import { addFiles } from './definitions/file-commands.ts';
import { addHosting } from './definitions/hosting-commands.ts';
import { addLists } from './definitions/list-commands.ts';
import { addTransfers } from './definitions/transfer-commands.ts';
import { EXIT_CODES, HOW_IT_WORKS } from './help-texts.ts';

// Nothing else is loaded until a command runs, so that help is printed at once.

/** Runs the command line. A command ends the process with its exit code. */
export async function main(args: readonly string[]): Promise<void> {
	const program = makeProgram();
	ignoreClosedPipes();
	try {
		await program.parseAsync(understood(program, args), { from: 'user' });
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

/**
 * The arguments as Commander gets them: `help NAME` is `NAME --help`, as Commander's own command
 * takes the exit code from the process. With a name that no command has, it would print the help of
 * all commands for `--help`, so the name stays alone.
 */
function understood(program: Command, args: readonly string[]): readonly string[] {
	const isHelp = args[0] === 'help';
	const [name = 'help'] = isHelp ? args.slice(1) : args;
	if (name === 'help' || name.startsWith('-')) {
		return isHelp ? ['--help'] : args;
	}
	if (!program.commands.some((command) => command.name() === name)) {
		return [name];
	}
	return isHelp ? [name, '--help'] : args;
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
		.hook('preAction', (_, command) => refuseEmpty(command))
		.configureOutput({ writeErr: () => {} });
	addHosting(program);
	addTransfers(program);
	addChannels(program);
	addLists(program);
	addFiles(program);
	return program;
}

/**
 * Refuses the empty value of a flag: a variable of a script has no value. Keys would go into the
 * current folder.
 */
function refuseEmpty(command: Command): void {
	for (const option of command.options) {
		const value: unknown = command.getOptionValue(option.attributeName());
		if ([value].flat().includes('')) {
			command.error(`${option.long} is empty; give it a value, or leave it out`);
		}
	}
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
	await failUsage(`${whatIsWrong(error)}; see: ${help}`, args.includes('--json'));
}

function whatIsWrong({ code, message }: CommanderError): string {
	if (code === 'commander.help') {
		return 'a command is expected';
	}
	return message
		.replace(/^error: /, '')
		.replace(/\.$/, '')
		.replace(/\n\(Did you mean (.*)\?\)$/, ' (did you mean $1?)');
}

function version(): string {
	const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
	return (JSON.parse(text) as { version: string }).version;
}
