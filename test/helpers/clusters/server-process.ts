import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { groupBytes } from '../harness/proc.ts';
import { until } from '../harness/until.ts';

// Debian installs servers into a folder that only the PATH of root contains.
export const PATH = `${process.env.PATH}:/usr/sbin:/usr/local/sbin`;

/** Options of a {@link ServerProcess}. */
export interface ServerOptions {
	/** The program and its arguments. */
	readonly command: readonly string[];
	/** Environment variables beside those of this process. */
	readonly env?: NodeJS.ProcessEnv;
	/** The file for the output. */
	readonly log: string;
	/** Returns whether the server accepts clients. */
	readonly isUp: () => boolean | Promise<boolean>;
}

/** ms. RabbitMQ waits for its peers, half a minute at a time. */
const START_WITHIN = 150_000;

/** The servers that run. */
const running = new Set<ChildProcess>();

process.on('exit', () => {
	for (const child of running) {
		killGroup(child);
	}
});

/** A server with the processes that it starts. It can be killed and started again. */
export class ServerProcess {
	readonly #options: ServerOptions;
	#child: ChildProcess | undefined;

	constructor(options: ServerOptions) {
		this.#options = options;
	}

	/** Starts the server; resolves when it accepts clients. @throws with its log if it ends before */
	async start(): Promise<void> {
		const { command, env, log, isUp } = this.#options;
		const file = openSync(log, 'a');
		// A process group of its own: some servers are scripts that start the server as a child.
		const child = spawn(command[0] as string, command.slice(1), {
			env: { ...process.env, PATH, ...env },
			stdio: ['ignore', file, file],
			detached: true,
		});
		closeSync(file);
		this.#child = child;
		running.add(child);
		child.once('exit', () => running.delete(child));
		let failure: Error | undefined;
		child.once('error', (error) => {
			failure = error;
		});
		await until(
			`${command.join(' ')} accepts clients`,
			() => {
				if (failure !== undefined || child.exitCode !== null || child.signalCode !== null) {
					throw new Error(`${command.join(' ')} ended: ${failure?.message ?? readFileSync(log)}`);
				}
				return isUp();
			},
			START_WITHIN,
		);
	}

	/** Resident bytes of the server; 0 if it does not run. */
	get residentBytes(): number {
		return this.#child?.pid === undefined ? 0 : groupBytes(this.#child.pid);
	}

	/** Ends the server with SIGKILL; does nothing if it does not run. */
	async kill(): Promise<void> {
		const child = this.#child;
		this.#child = undefined;
		if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) {
			return;
		}
		const ended = once(child, 'exit');
		killGroup(child);
		await ended;
	}
}

/** Returns whether a program is in the PATH, or at its path. */
export function isInstalled(program: string, ...args: string[]): boolean {
	return program.includes('/')
		? existsSync(program)
		: spawnSync(program, args, { env: { ...process.env, PATH } }).error === undefined;
}

function killGroup({ pid }: ChildProcess): void {
	try {
		process.kill(-(pid as number), 'SIGKILL');
	} catch {
		// It has not started, or has ended by itself.
	}
}
