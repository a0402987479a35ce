import { spawn } from 'node:child_process';
import { onAbort } from '../util/abort.ts';
import { CommandFailure } from './failure.ts';
import type { AppliedUpdate } from './follower.ts';

/** Variables that a command does not get: they contain tokens. */
const SECRETS: ReadonlySet<string> = new Set(['SHOAL_JOIN', 'SHOAL_BROKER']);
/** ms from TERM to KILL. */
const GRACE = 10_000;

/** Options of {@link runCommand}. */
export interface RunCommandOptions {
	/** ms after which the command is ended. */
	readonly timeout: number;
	/** Ends the command. */
	readonly signal: AbortSignal;
}

/**
 * Runs `command` with `sh -c` (on Windows: `cmd /c`) for a version that was applied. The command gets
 * SHOAL_CHANNEL, SHOAL_SEQ, SHOAL_SEED and SHOAL_PATH. Its output goes to standard error. When the
 * time is over, its process group gets TERM, and KILL ten seconds later.
 *
 * @throws CommandFailure if it does not end with exit code 0
 */
export async function runCommand(
	command: string,
	{ channel, seq, id, path }: AppliedUpdate,
	{ timeout, signal }: RunCommandOptions,
): Promise<void> {
	const inherited = Object.entries(process.env).filter(([name]) => !SECRETS.has(name));
	const child = spawn(command, {
		shell: true,
		// A process group of its own, so that its children are ended with it.
		detached: process.platform !== 'win32',
		stdio: ['ignore', process.stderr, process.stderr],
		env: {
			...Object.fromEntries(inherited),
			SHOAL_CHANNEL: channel,
			SHOAL_SEQ: String(seq),
			SHOAL_SEED: id,
			SHOAL_PATH: path,
		},
	});
	let isLate = false;
	const end = (): void => {
		kill(child.pid, 'SIGTERM');
		setTimeout(() => kill(child.pid, 'SIGKILL'), GRACE).unref();
	};
	const timer = setTimeout(() => {
		isLate = true;
		end();
	}, timeout);
	const off = onAbort(signal, end);
	const [code, ended] = await new Promise<[number | null, string | null]>((resolve, reject) => {
		child.once('error', (error) => reject(new CommandFailure('EXIT_127', error.message)));
		child.once('exit', (exit, by) => resolve([exit, by]));
	}).finally(() => {
		clearTimeout(timer);
		off();
	});
	signal.throwIfAborted();
	if (isLate) {
		const seconds = timeout / 1_000;
		throw new CommandFailure(
			'TIMEOUT',
			`the command was still running after ${seconds} s, and was ended`,
		);
	}
	if (code !== 0) {
		throw code === null
			? new CommandFailure(`${ended}`, `the command was ended by ${ended}`)
			: new CommandFailure(`EXIT_${code}`, `the command failed with exit code ${code}`);
	}
}

/** Sends a signal to a process group. */
function kill(pid: number | undefined, signal: NodeJS.Signals): void {
	if (pid !== undefined) {
		try {
			process.kill(process.platform === 'win32' ? pid : -pid, signal);
		} catch {
			// It has ended already.
		}
	}
}
