import { createHash } from 'node:crypto';
import {
	type BigIntStats,
	closeSync,
	fstatSync,
	lstatSync,
	openSync,
	readlinkSync,
	readSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { type FolderEntry, parseIndex } from '../../../protocol/index.ts';
import { EntryStamps } from '../../storage/folder/entry-stamps.ts';
import { READ_FILE } from '../../storage/folder/folder-place.ts';
import { fsError } from '../../storage/fs-error.ts';
import { isPassing } from '../../storage/io-errors.ts';
import { isOfKind } from './entry-kind.ts';

/** The entries of an index that are looked for in a folder, which may also have other files. */
export interface EntriesToCheck {
	/** Path of the folder, without symbolic links. */
	readonly root: string;
	/** The text of the index. */
	readonly index: Uint8Array;
	/** Bytes of the files without a known stamp; 0 if these files are not hashed. */
	readonly bytes: number;
	/**
	 * The numbers of {@link EntryStamps}: a file that still has its stamp is right, and is not
	 * hashed.
	 */
	readonly known: BigUint64Array;
	/** Whether files without a known stamp are hashed; if not, they count as wrong. */
	readonly hashesOthers: boolean;
	/**
	 * Whether the file system stores which files are executable; if not, executable files and
	 * others count as the same.
	 */
	readonly hasKinds: boolean;
}

const BLOCK = 1024 * 1024;

/**
 * Finds the entries of an index that are right in a folder. An entry below a link is missing. Runs
 * in a worker, with synchronous calls.
 *
 * @param onBytes called with the number of bytes hashed since the last call
 * @returns the numbers of the {@link EntryStamps} of the entries that are right
 * @throws errors of the system if it lacks open files or memory: no file is wrong because of that
 */
export function rightEntries(
	{ root, index, known, hashesOthers, hasKinds }: EntriesToCheck,
	onBytes: (bytes: number) => void,
): BigUint64Array {
	const entries = parseIndex(index);
	const expected = new EntryStamps(known);
	const right = new EntryStamps(entries.length);
	const folders = new RealFolders(root);
	for (const [number, entry] of entries.entries()) {
		const path = join(root, entry.path);
		const stats = folders.has(dirname(path)) ? look(path) : undefined;
		if (stats === undefined || !isOfKind(entry, stats)) {
			continue;
		}
		if (hasKinds && !isAsExecutable(entry, stats)) {
			continue;
		}
		const isSure = entry.kind === 'd' || expected.isSame(number, stats);
		if (isSure || (hashesOthers && hasBytes(path, entry, stats, onBytes))) {
			right.set(number, stats);
		}
	}
	return right.numbers;
}

/** Finds out, once for each folder, whether a path below the root is a folder and no link. */
class RealFolders {
	readonly #known = new Map<string, boolean>();

	constructor(root: string) {
		this.#known.set(root, true);
	}

	has(path: string): boolean {
		const known = this.#known.get(path);
		if (known !== undefined) {
			return known;
		}
		const isReal = this.has(dirname(path)) && look(path)?.isDirectory() === true;
		this.#known.set(path, isReal);
		return isReal;
	}
}

/** @throws errors of the system that say nothing about the file */
function look(path: string): BigIntStats | undefined {
	try {
		return lstatSync(path, { bigint: true, throwIfNoEntry: false });
	} catch (error) {
		if (isPassing(fsError(error, path))) {
			throw error;
		}
		return undefined;
	}
}

/** Whether a file is executable exactly if its entry is; true for other entries. */
function isAsExecutable({ kind }: FolderEntry, stats: BigIntStats): boolean {
	const isRunnable = (stats.mode & 0o100n) !== 0n;
	return !stats.isFile() || isRunnable === (kind === 'x');
}

/**
 * Whether the bytes at `path` have the digest of the entry, and did not change meanwhile.
 *
 * @throws errors of the system that say nothing about the file
 */
function hasBytes(
	path: string,
	{ kind, digest, length }: FolderEntry,
	stats: BigIntStats,
	onBytes: (bytes: number) => void,
): boolean {
	const stamp = new EntryStamps(1);
	stamp.set(0, stats);
	try {
		if (kind === 'l') {
			const target = readlinkSync(path, 'buffer');
			return createHash('sha256').update(target).digest('hex') === digest;
		}
		const file = openSync(path, READ_FILE);
		try {
			const found = hashOpen(file, length, onBytes);
			return found === digest && stamp.isSame(0, fstatSync(file, { bigint: true }));
		} finally {
			closeSync(file);
		}
	} catch (error) {
		if (isPassing(fsError(error, path))) {
			throw error;
		}
		return false;
	}
}

function hashOpen(file: number, length: number, onBytes: (bytes: number) => void): string {
	const hash = createHash('sha256');
	const block = Buffer.allocUnsafeSlow(Math.max(1, Math.min(BLOCK, length)));
	for (let done = 0; done < length; ) {
		const read = readSync(file, block, 0, Math.min(block.length, length - done), done);
		if (read === 0) {
			break;
		}
		hash.update(block.subarray(0, read));
		onBytes(read);
		done += read;
	}
	return hash.digest('hex');
}
