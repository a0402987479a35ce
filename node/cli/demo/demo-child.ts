import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type ErrorCode, ShoalError } from '../../../protocol/index.ts';
import { MAIN } from '../paths.ts';
import type { JsonEvent } from '../terminal/output.ts';

const EXIT_WITHIN = 1_500;

/** A child process that runs shoal, and whose events are read. */
export class DemoChild {
	/** Its name in the demo. */
	readonly role: string;
	readonly #process: ChildProcess;
	readonly #exited: Promise<void>;
	readonly #seen = new Map<string, JsonEvent>();
	readonly #listeners = new Set<(event: JsonEvent) => void>();
	#failure: JsonEvent | undefined;
	#isStopped = false;

	/**
	 * @param args of the command line, without `--json`
	 * @param home the folder for its caches and its state. @default those of this user
	 */
	constructor(role: string, args: readonly string[], home?: string) {
		this.role = role;
		this.#process = spawn(process.execPath, [MAIN, ...args, '--json'], {
			stdio: ['ignore', 'pipe', 'ignore'],
			env: { ...process.env, ...(home && { XDG_CACHE_HOME: home, XDG_STATE_HOME: home }) },
		});
		const { stdout } = this.#process;
		if (stdout !== null) {
			createInterface({ input: stdout }).on('line', (line) => this.#onLine(line));
		}
		this.#exited = new Promise((resolve) => {
			this.#process.once('close', () => resolve());
			this.#process.once('error', () => resolve());
		});
	}

	/** Calls `listener` with each event from now on. */
	listen(listener: (event: JsonEvent) => void): void {
		this.#listeners.add(listener);
	}

	/** The first event with this name. @throws ShoalError the error of a process that fails before */
	async first(name: string): Promise<JsonEvent> {
		const seen = this.#seen.get(name);
		if (seen !== undefined) {
			return seen;
		}
		const told = new Promise<JsonEvent>((resolve) => {
			this.listen((event) => event.event === name && resolve(event));
		});
		return await Promise.race([told, this.failed()]);
	}

	/** Never resolves; rejects with the error of the process if that fails without being stopped. */
	async failed(): Promise<never> {
		await this.#exited;
		if (this.#isStopped || this.#process.exitCode === 0) {
			return await new Promise<never>(() => {});
		}
		const code = this.#failure?.code ?? 'ERR_IO';
		const message = this.#failure?.message ?? `it ended with exit code ${this.#process.exitCode}`;
		throw new ShoalError(code as ErrorCode, `${this.role} has failed: ${message}`);
	}

	/** Ends the process; kills it if it still runs after 1.5 s. */
	async stop(): Promise<void> {
		this.#isStopped = true;
		this.#process.kill('SIGTERM');
		const timer = setTimeout(() => this.#process.kill('SIGKILL'), EXIT_WITHIN);
		await this.#exited;
		clearTimeout(timer);
	}

	#onLine(line: string): void {
		let event: JsonEvent;
		try {
			event = JSON.parse(line);
		} catch {
			return;
		}
		if (!this.#seen.has(event.event)) {
			this.#seen.set(event.event, event);
		}
		if (event.event === 'error') {
			this.#failure = event;
		}
		for (const listener of this.#listeners) {
			listener(event);
		}
	}
}
