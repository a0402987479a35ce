import { spawn } from 'node:child_process';
import { onAbort } from '../util/abort.ts';
import { later } from '../util/timers.ts';
import { CommandFailure } from './failure.ts';
import type { AppliedUpdate } from './follower.ts';

/** Variables that a command does not get: they contain tokens. */
const SECRETS: ReadonlySet<string> = new Set(['SHOAL_JOIN', 'SHOAL_BROKER']);
/** ms from TERM to KILL, after the time is over. */
const GRACE = 10_000;
/** ms from TERM to KILL, when the follower is stopped: a stopped process has to end within two seconds. */
const GRACE_OF_STOP = 1_000;
/** ms between two looks at whether the group has ended. */
const LOOK_EVERY = 50;

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
 * time is over, its process group gets TERM, and KILL ten seconds later. When `signal` is aborted,
 * the group gets TERM, and KILL one second later. In both cases, this function waits until the
 * group has ended. Otherwise it waits only for the shell.
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
	let ending: Promise<void> | undefined;
	const timer = later(() => {
		isLate = true;
		ending ??= endGroup(child.pid, GRACE);
	}, timeout);
	const off = onAbort(signal, () => {
		ending = endGroup(child.pid, GRACE_OF_STOP);
	});
	try {
		const [code, ended] = await new Promise<[number | null, string | null]>((resolve, reject) => {
			child.once('error', (error) => reject(new CommandFailure('EXIT_127', error.message)));
			child.once('exit', (exit, by) => resolve([exit, by]));
		});
		// Other processes of the group may outlive the shell.
		await ending;
		checkEnd(code, ended, signal, isLate ? timeout : undefined);
	} finally {
		clearTimeout(timer);
		off();
	}
}

/** @param late the time that was over; undefined: the command ended in time. @throws CommandFailure */
function checkEnd(
	code: number | null,
	ended: string | null,
	signal: AbortSignal,
	late: number | undefined,
): void {
	signal.throwIfAborted();
	if (late !== undefined) {
		const seconds = late / 1_000;
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

/** Ends a process group: with TERM, and if that is not enough within `grace` ms, with KILL. */
async function endGroup(pid: number | undefined, grace: number): Promise<void> {
	const start = performance.now();
	let isThere = kill(pid, 'SIGTERM');
	while (isThere && performance.now() - start < grace) {
		await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
		isThere = kill(pid, 0);
	}
	if (isThere) {
		kill(pid, 'SIGKILL');
	}
}

/** Sends a signal to a process group. @returns false if none of its processes is left */
function kill(pid: number | undefined, signal: NodeJS.Signals | 0): boolean {
	if (pid === undefined) {
		return false;
	}
	try {
		process.kill(process.platform === 'win32' ? pid : -pid, signal);
		return true;
	} catch (error) {
		return (error as NodeJS.ErrnoException).code === 'EPERM';
	}
}
