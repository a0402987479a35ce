import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
	type Folder,
	isShoalError,
	quoted,
	ShoalError,
	unstorableOnWindows,
} from '../../../protocol/index.ts';
import { caseConflicts, fitsWindows } from '../../download/target/folder-names.ts';
import { checkFolder, type ScanFolderOptions } from '../../hashing/folder/make-folder.ts';
import type { OddEntry } from '../../hashing/folder/scan-folder.ts';
import { checkShareable, nameOf } from '../../hashing/make-seed.ts';
import type { Output } from '../terminal/output.ts';
import { countOf } from '../terminal/units.ts';

/** A file or folder that can be shared, as far as is known without reading it. */
export interface ShareableFile {
	/** The path as it was typed. */
	readonly path: string;
	/** The name that others see. */
	readonly name: string;
	/** Bytes; of a folder, infinity: its length is not known yet. */
	readonly length: number;
	readonly isFolder: boolean;
}

/** Most files or entries that are named in messages; the others are counted. */
const MOST_NAMED = 5;

/** The files that can be shared, and the errors of the others, each in the order of the arguments. */
export interface Looked {
	readonly files: readonly ShareableFile[];
	readonly errors: readonly ShoalError[];
}

/**
 * Checks all files and folders to share before the first one is read.
 *
 * @param name the name that others see, in place of the name of the file or folder
 */
export async function lookAt(paths: readonly string[], name: string | undefined): Promise<Looked> {
	const files: ShareableFile[] = [];
	const errors: ShoalError[] = [];
	const looking = paths.map(async (path) => ({ path, ...(await look(path, name)) }));
	for (const seen of await Promise.allSettled(looking)) {
		if (seen.status === 'fulfilled') {
			files.push(seen.value);
		} else if (isShoalError(seen.reason)) {
			errors.push(seen.reason);
		} else {
			throw seen.reason;
		}
	}
	return { files, errors };
}

/**
 * Checks also what is in the folders among `files`, which are scanned for that.
 *
 * @throws ShoalError ERR_ABORTED
 */
export async function lookInto(
	files: readonly ShareableFile[],
	options: ScanFolderOptions,
): Promise<Looked> {
	const good: ShareableFile[] = [];
	const errors: ShoalError[] = [];
	for (const file of files) {
		try {
			if (file.isFolder) {
				await checkFolder(resolve(file.path), options);
			}
			good.push(file);
		} catch (error) {
			if (!isShoalError(error) || error.code === 'ERR_ABORTED') {
				throw error;
			}
			errors.push(error);
		}
	}
	return { files: good, errors };
}

/**
 * Whether there is a folder at `path`. An empty path, which would mean the working folder, is none.
 */
export async function isFolder(path: string): Promise<boolean> {
	const found = path === '' ? undefined : await stat(path).catch(() => undefined);
	return found?.isDirectory() ?? false;
}

/** @throws ShoalError ERR_USAGE if there is an --exclude, but none of the named contents is a folder */
export function checkExclude(exclude: readonly string[] | undefined, isAnyFolder: boolean): void {
	if (exclude !== undefined && !isAnyFolder) {
		throw new ShoalError('ERR_USAGE', '--exclude is for folders, and no folder is named');
	}
}

async function look(path: string, name: string | undefined): Promise<Omit<ShareableFile, 'path'>> {
	return (await isFolder(path))
		? { name: nameOf(resolve(path), name), length: Number.POSITIVE_INFINITY, isFolder: true }
		: { ...(await checkShareable(path, name)), isFolder: false };
}

/**
 * Prints why files and folders are not shared: the first five errors, and the number of the others.
 */
export function printNotShared(output: Output, errors: readonly ShoalError[]): void {
	for (const error of errors.slice(0, MOST_NAMED)) {
		output.error(error);
	}
	const [next, ...others] = errors.slice(MOST_NAMED);
	if (next !== undefined) {
		const count = countOf(others.length + 1, 'more path');
		output.error(new ShoalError(next.code, `${count} cannot be shared`));
	}
}

/** Warns of the entries of the folder at `path` that are left out. */
export function warnOfOdd(output: Output, path: string, odd: readonly OddEntry[]): void {
	const named = odd.slice(0, MOST_NAMED).map((each) => `${quoted(each.path, 100)} (${each.why})`);
	const more = odd.length > MOST_NAMED ? `, and ${odd.length - MOST_NAMED} more` : '';
	output.warn(`left out of ${quoted(path, 300)}: ${named.join(', ')}${more}`);
}

/**
 * Warns of paths in a folder that other systems cannot store: pairs that differ only in case, and
 * names that Windows refuses.
 */
export function warnOfPaths(output: Output, path: string, { entries }: Folder): void {
	const conflicts = [...caseConflicts(entries)];
	const [pair] = conflicts;
	if (pair !== undefined) {
		const more = conflicts.length > 1 ? ` (and ${countOf(conflicts.length - 1, 'more pair')})` : '';
		output.warn(
			`in ${quoted(path, 300)}, ${quoted(pair[0])} and ${quoted(pair[1])} differ only in case${more}: Windows and macOS cannot store both, so shoal get refuses the folder there, unless one is left out with --exclude`,
		);
	}
	const bad = entries.filter((entry) => !fitsWindows(entry.path));
	const [first] = bad;
	if (first !== undefined) {
		const more =
			bad.length > 1 ? ` (and ${countOf(bad.length - 1, 'more name')} of that kind)` : '';
		output.warn(
			`in ${quoted(path, 300)}, Windows cannot store ${quoted(first.path)}${more}, so shoal get refuses the folder there, unless it is left out with --exclude`,
		);
	}
}

/** Warns of names that Windows cannot store; other systems can. */
export function warnOfWindows(output: Output, names: readonly string[]): void {
	const bad = names.filter((name) => unstorableOnWindows(name).length > 0);
	const [first, ...others] = bad;
	if (first === undefined) {
		return;
	}
	const characters = unstorableOnWindows(first).join(' ');
	const more =
		others.length > 0 ? ` (and ${countOf(others.length, 'more name')} of that kind)` : '';
	output.warn(
		`Windows cannot store a file named ${quoted(first)}, as it does not allow ${characters} in names${more}; --name gives a file another name`,
	);
}
