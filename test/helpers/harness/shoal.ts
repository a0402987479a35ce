import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { makeFolder } from '../fixtures/folder.ts';
import type { Scope } from './suite.ts';

/**
 * The path of the command line: the shipped bundle, or the single files when coverage is measured.
 */
export const MAIN: string = fileURLToPath(
	new URL(
		process.env.NODE_V8_COVERAGE ? '../../../node/cli/main.js' : '../../../bundle/cli/main.js',
		import.meta.url,
	),
);

/**
 * An environment in which no seed and no broker is stored: their folders would lie below a file, so
 * they cannot be made.
 */
export const CACHELESS: NodeJS.ProcessEnv = {
	...process.env,
	XDG_CACHE_HOME: MAIN,
	XDG_CONFIG_HOME: MAIN,
	XDG_STATE_HOME: MAIN,
};

/** An event that a process of shoal printed with `--json`. */
export type CliEvent = Record<string, unknown> & {
	readonly event: string;
	/** When the event was read, ms. */
	readonly at: number;
};

/** A running `shoal … --json`, killed when the test ends. */
export class Shoal {
	readonly events: CliEvent[] = [];
	readonly #child: ChildProcess;
	/** Emits `change` after each event, and when the process has ended. */
	readonly #changes = new EventEmitter().setMaxListeners(0);
	#code: number | NodeJS.Signals | undefined;
	#stderr = '';

	/**
	 * @param within words before the command, for example to run it on another host
	 * @param main the command line of another build
	 */
	constructor(
		t: Scope,
		args: readonly string[],
		env: NodeJS.ProcessEnv = CACHELESS,
		within: readonly string[] = [],
		main: string = MAIN,
	) {
		const command = [...within, process.execPath, main, ...args, '--json'];
		this.#child = spawn(command[0] as string, command.slice(1), { env });
		const out = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream });
		out.on('line', (line) => {
			this.events.push({ ...JSON.parse(line), at: performance.now() });
			this.#changes.emit('change');
		});
		this.#child.stderr?.on('data', (data) => {
			this.#stderr += data;
		});
		// On close, not on exit: the last output may not have been read at exit.
		this.#child.on('close', (code, signal) => {
			this.#code = code ?? signal ?? -1;
			this.#changes.emit('change');
		});
		t.defer(() => this.end());
	}

	get pid(): number {
		return this.#child.pid as number;
	}

	/** The standard error of the process. */
	get stderr(): string {
		return this.#stderr;
	}

	/**
	 * The exit code, or the signal that ended the process; undefined until it has ended and all its
	 * output was read.
	 */
	get code(): number | NodeJS.Signals | undefined {
		return this.#code;
	}

	/** Waits for the first event of that name. Fails if the process ends before it. */
	async event(name: string, ms?: number): Promise<CliEvent> {
		const find = (): CliEvent | undefined => this.events.find(({ event }) => event === name);
		await this.#until(
			`the event ${name}`,
			() => {
				const isThere = find() !== undefined;
				if (!isThere && this.#code !== undefined) {
					throw new Error(
						`ended with ${this.#code}: ${JSON.stringify(this.events)} ${this.#stderr}`,
					);
				}
				return isThere;
			},
			ms,
		);
		return find() as CliEvent;
	}

	/** All events of that name so far. */
	all(name: string): CliEvent[] {
		return this.events.filter(({ event }) => event === name);
	}

	/** Waits until the process has ended by itself. @returns its exit code or signal */
	async exit(ms?: number): Promise<number | NodeJS.Signals> {
		await this.#until('the process to end', () => this.#code !== undefined, ms);
		return this.#code as number | NodeJS.Signals;
	}

	/** As {@link until}, but looks only when there is something new. */
	async #until(what: string, condition: () => boolean, ms = 60_000): Promise<void> {
		const signal = AbortSignal.timeout(ms);
		while (!condition()) {
			await once(this.#changes, 'change', { signal }).catch(() => {
				throw new Error(`after ${ms} ms still not true: ${what}`);
			});
		}
	}

	signal(signal: NodeJS.Signals): void {
		this.#child.kill(signal);
	}

	async end(): Promise<void> {
		if (this.#code === undefined) {
			const ended = once(this.#child, 'close');
			this.#child.kill('SIGKILL');
			await ended;
		}
	}
}

/** Starts a broker in its own process. @returns the process and the URL */
export async function spawnBroker(
	t: Scope,
	...args: string[]
): Promise<{ readonly broker: Shoal; readonly url: string }> {
	const broker = new Shoal(t, ['broker', '--port', '0', ...args]);
	const { url } = await broker.event('listening');
	return { broker, url: url as string };
}

/** Writes a file of random bytes. @returns its SHA-256 */
export async function randomFile(path: string, length: number): Promise<string> {
	const hash = createHash('sha256');
	const file = await open(path, 'w');
	for (let left = length; left > 0; ) {
		const block = randomBytes(Math.min(left, 4 * 1024 * 1024));
		hash.update(block);
		await file.write(block);
		left -= block.length;
	}
	await file.close();
	return hash.digest('hex');
}

/** Writes a file of random bytes in a folder that is removed when the test ends. */
export async function source(
	t: Scope,
	length: number,
): Promise<{ folder: string; path: string; digest: string }> {
	const folder = await makeFolder(t);
	const path = join(folder, 'source.bin');
	return { folder, path, digest: await randomFile(path, length) };
}

/** SHA-256 of a file. */
export async function sha256(path: string): Promise<string> {
	const hash = createHash('sha256');
	for await (const block of createReadStream(path)) {
		hash.update(block as Buffer);
	}
	return hash.digest('hex');
}
