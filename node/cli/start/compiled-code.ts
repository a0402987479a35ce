import { createHash } from 'node:crypto';
import {
	accessSync,
	constants,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	statSync,
	writeFileSync,
} from 'node:fs';
import module from 'node:module';
import { dirname, join } from 'node:path';
import vm from 'node:vm';
import { ensureFolder } from '../../../broker/for-nodes.ts';
import { EXIT } from '../exit-codes.ts';

/** Bytes of the SHA-256 with which a file of compiled code begins. */
const SUM_BYTES = 32;
/** The use of a run without a command. */
const OTHER = 'other';
const WRITABLE_BY_OTHERS = 0o022;
/** ms. */
const WEEK = 7 * 24 * 60 * 60_000;
/**
 * Seconds. A process that runs as long can spend 15 ms at its end on finding out whether it used
 * functions that the stored code does not contain.
 */
const LONG = 1;
/** Code is stored again only if it is larger by this factor than the stored code. */
const MORE = 1.02;

/** The parameters of a CommonJS module. */
type Body = (
	exports: unknown,
	require: NodeJS.Require,
	module: { exports: unknown },
	filename: string,
	dirname: string,
) => void;

/**
 * Loads a CommonJS module as `require` does, with compiled code from an earlier run. If no code is
 * stored for this version of Node.js and of the module, stores the code when the process exits,
 * because only then it contains every function that was used. A process that took long stores it
 * again if it used more functions. A use without code of its own begins with that of no use.
 *
 * @param path of the module, which contains only ASCII characters
 * @param folder where compiled code is kept
 * @param use what the module is used for, such as a command: each use has code of its own. @default one for all
 * @returns its exports
 */
export function requireWithCode(path: string, folder: string, use = ''): unknown {
	const ending = `-${/^[a-z]+$/.test(use) ? use : OTHER}`;
	const version = join(folder, versionOf(path));
	const kept = version + ending;
	const own = readIfWhole(kept);
	const cachedData = own ?? readIfWhole(`${version}-${OTHER}`);
	// A text in UTF-8 would first be searched for characters beyond ASCII.
	const script = new vm.Script(module.wrap(readFileSync(path, 'latin1')), {
		filename: path,
		cachedData,
		importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
	});
	const stored = script.cachedDataRejected === false ? (own?.length ?? 0) : 0;
	process.once('exit', (code) => {
		// After wrong arguments, the code is not kept, because `use` may be no command.
		if (stored > 0 ? process.uptime() > LONG : code !== EXIT.usage) {
			keep(kept, script, MORE * stored);
			removeOld(folder, ending);
		}
	});
	const loaded = { exports: {} };
	const body = script.runInThisContext() as Body;
	body(loaded.exports, module.createRequire(path), loaded, path, dirname(path));
	return loaded.exports;
}

/**
 * The folder beside a program for its compiled code, as `__pycache__` is for Python's.
 *
 * @param of the folder of the program
 * @returns undefined if this user does not own that folder, or others may write there
 */
export function codeFolder(of: string): string | undefined {
	const { uid, mode } = statSync(of);
	const isOwn = uid === process.getuid?.() && (mode & WRITABLE_BY_OTHERS) === 0;
	return isOwn && isWritable(of) ? join(of, 'code') : undefined;
}

function isWritable(folder: string): boolean {
	try {
		accessSync(folder, constants.W_OK);
		return true;
	} catch {
		return false;
	}
}

/** A text that is different for each version of Node.js and of the module. */
function versionOf(path: string): string {
	const { mtimeMs, size } = statSync(path);
	return [process.version, process.arch, size, Math.round(mtimeMs)].join('-');
}

/**
 * Reads compiled code; undefined if there is none, or it is damaged. V8 does not check the code,
 * and crashes if it is damaged.
 */
function readIfWhole(path: string): Buffer | undefined {
	try {
		const file = readFileSync(path);
		const code = file.subarray(SUM_BYTES);
		return sumOf(code).equals(file.subarray(0, SUM_BYTES)) ? code : undefined;
	} catch {
		return undefined;
	}
}

function sumOf(code: Uint8Array): Buffer {
	return createHash('sha256').update(code).digest();
}

/**
 * Stores the code as a whole file or not at all, if it has at least as many bytes as `least`. A
 * command that cannot store it is only slower.
 */
function keep(path: string, script: vm.Script, least: number): void {
	const temporary = `${path}.${process.pid}`;
	quietly(() => {
		const code = script.createCachedData();
		if (code.length < least) {
			return;
		}
		ensureFolder(dirname(path), 0o700);
		const file = Buffer.concat([sumOf(code), code]);
		writeFileSync(temporary, file, { mode: 0o600, flag: 'wx' });
		renameSync(temporary, path);
	});
	quietly(() => rmSync(temporary, { force: true }));
}

/** Removes code that other versions left a week ago or earlier. */
function removeOld(folder: string, ending: string): void {
	quietly(() => {
		for (const name of readdirSync(folder).filter((each) => each.includes(ending))) {
			const path = join(folder, name);
			if (Date.now() - statSync(path).mtimeMs > WEEK) {
				rmSync(path, { force: true });
			}
		}
	});
}

/** Runs `operation`. Its failure is ignored: the disk is full, or the folder cannot be used. */
function quietly(operation: () => void): void {
	try {
		operation();
	} catch {
		// The command works without stored code.
	}
}
