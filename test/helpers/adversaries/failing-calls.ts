import fs, { promises } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import type { Scope } from '../harness/suite.ts';

type Call = (...args: unknown[]) => unknown;

const BY_PATH = ['link', 'lstat', 'open', 'readFile', 'rename', 'rm', 'stat', 'statfs'];
const OF_HANDLES = ['appendFile', 'chmod', 'close', 'readv', 'sync', 'truncate', 'writev'];
const BY_DESCRIPTOR = ['fstatSync', 'readSync'];
/** Further calls that are made only to write folders and private files. */
const FOLDERS_BY_PATH = ['chmod', 'mkdir', 'readdir', 'realpath', 'writeFile'];
const FOLDERS_AT_ONCE = [
	'lstatSync',
	'mkdirSync',
	'readdirSync',
	'readlinkSync',
	'renameSync',
	'rmSync',
	'symlinkSync',
];
const FOLDERS_BY_DESCRIPTOR = ['closeSync', 'fsyncSync', 'ftruncateSync', 'writeSync'];

/**
 * Counts the calls of this process to the file system for paths below a folder, and makes some of
 * them fail, until the test ends. A call that fails has no other effect, except that a failing
 * close still closes.
 */
export class FailingCalls {
	readonly #folder: string;
	readonly #descriptors = new Set<unknown>();
	/** The names of the calls so far. */
	made: string[] = [];
	/**
	 * Called for each call with its name, number and arguments. It returns the code with which the
	 * call fails, or undefined.
	 */
	decide: (name: string, index: number, args: readonly unknown[]) => string | undefined = () =>
		undefined;

	/** @param ofFolders whether calls that are made only to write folders and private files are counted too */
	constructor(t: Scope, folder: string, ofFolders = false) {
		this.#folder = folder;
		const wholeModule = fs as unknown as Record<string, Call>;
		const asynchronous = promises as unknown as Record<string, Call>;
		for (const name of [...BY_PATH, 'unlink', ...(ofFolders ? FOLDERS_BY_PATH : [])]) {
			this.#replace(t, asynchronous, name, (call) => this.#onPath(name, call));
		}
		for (const name of ['openSync', ...(ofFolders ? FOLDERS_AT_ONCE : [])]) {
			this.#replace(t, wholeModule, name, (call) => this.#onPath(name, call));
		}
		for (const name of [...BY_DESCRIPTOR, ...(ofFolders ? FOLDERS_BY_DESCRIPTOR : [])]) {
			this.#replace(t, wholeModule, name, (call) => this.#onDescriptor(name, call));
		}
		syncBuiltinESMExports();
		t.defer(syncBuiltinESMExports);
	}

	#replace(t: Scope, owner: Record<string, Call>, name: string, wrap: (call: Call) => Call): void {
		const before = owner[name] as Call;
		owner[name] = wrap(before);
		t.defer(() => {
			owner[name] = before;
		});
	}

	#onPath(name: string, call: Call): Call {
		return (...args) => {
			if (!String(args[0]).startsWith(this.#folder)) {
				return call(...args);
			}
			const failure = this.#count(name, args);
			if (name.endsWith('Sync')) {
				if (failure !== undefined) {
					throw failure;
				}
				const result = call(...args);
				if (name === 'openSync') {
					this.#descriptors.add(result);
				}
				return result;
			}
			if (failure !== undefined) {
				return Promise.reject(failure);
			}
			const result = call(...args) as Promise<unknown>;
			return name === 'open' ? result.then((handle) => this.#watch(handle)) : result;
		};
	}

	#onDescriptor(name: string, call: Call): Call {
		return (descriptor, ...rest) => {
			const failure = this.#descriptors.has(descriptor) ? this.#count(name, rest) : undefined;
			if (name === 'closeSync') {
				this.#descriptors.delete(descriptor);
				call(descriptor);
			}
			if (failure !== undefined) {
				throw failure;
			}
			return name === 'closeSync' ? undefined : call(descriptor, ...rest);
		};
	}

	/** Counts the calls on an open file too. */
	#watch(handle: unknown): unknown {
		const methods = handle as Record<string, Call>;
		const { fd } = handle as { fd: number };
		this.#descriptors.add(fd);
		for (const name of OF_HANDLES) {
			const call = (methods[name] as Call).bind(handle);
			methods[name] = async (...args) => {
				const failure = this.#count(name, args);
				if (name === 'close') {
					this.#descriptors.delete(fd);
					await call();
				}
				if (failure !== undefined) {
					throw failure;
				}
				return name === 'close' ? undefined : await call(...args);
			};
		}
		return handle;
	}

	#count(name: string, args: readonly unknown[]): Error | undefined {
		const code = this.decide(name, this.made.length, args);
		this.made.push(name);
		return code === undefined
			? undefined
			: Object.assign(new Error(`${code}: failed on purpose, ${name}`), { code });
	}
}
