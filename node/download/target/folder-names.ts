import { lstat, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
	checkName,
	type FolderEntry,
	quoted,
	ShoalError,
	unstorableOnWindows,
} from '../../../protocol/index.ts';
import { fsError, onFile } from '../../storage/fs-error.ts';

/** The names that a file system can store, and whether it can store links. */
export interface NameRules {
	/** Whether names that differ only in case are the same. */
	readonly isFolding: boolean;
	/** Whether this process can make symbolic links there. True as well if this was not tried. */
	readonly hasLinks: boolean;
	/** Whether names must be those of Windows. */
	readonly isWindows: boolean;
}

const PROBE = '.shoal-case';
const LINK_PROBE = '.shoal-link';

/**
 * Finds out what can be stored in `folder`.
 *
 * @param wantsLinks whether to try to make a link in it
 */
export async function nameRulesIn(folder: string, wantsLinks: boolean): Promise<NameRules> {
	return {
		isFolding: await foldsCase(folder),
		hasLinks: !wantsLinks || (await canLink(folder)),
		isWindows: process.platform === 'win32',
	};
}

async function canLink(folder: string): Promise<boolean> {
	const probe = join(folder, LINK_PROBE);
	try {
		await rm(probe, { force: true });
		await symlink(PROBE, probe);
		return true;
	} catch (error) {
		const { code = '' } = error as NodeJS.ErrnoException;
		if (['EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP'].includes(code)) {
			return false;
		}
		throw fsError(error, folder);
	} finally {
		await rm(probe, { force: true }).catch(() => {});
	}
}

/**
 * Finds out by a trial whether names in `folder` that differ only in case are the same.
 *
 * @throws ShoalError
 */
export async function foldsCase(folder: string): Promise<boolean> {
	const probe = join(folder, PROBE);
	await onFile(probe, () => writeFile(probe, ''));
	try {
		return await lstat(join(folder, PROBE.toUpperCase())).then(
			() => true,
			() => false,
		);
	} finally {
		await rm(probe, { force: true }).catch(() => {});
	}
}

/**
 * Checks that a file system can store all entries.
 *
 * @throws ShoalError ERR_NAME, or ERR_PERMISSION if an entry is a link and no links can be made
 */
export function checkNames(
	entries: readonly FolderEntry[],
	{ isFolding, hasLinks, isWindows }: NameRules,
): void {
	const link = hasLinks ? undefined : entries.find(({ kind }) => kind === 'l');
	if (link !== undefined) {
		throw new ShoalError(
			'ERR_PERMISSION',
			`${quoted(link.path)} is a link, and links cannot be made here; choose a folder on another file system with -o, or leave the links out with --exclude`,
		);
	}
	const [pair] = isFolding ? caseConflicts(entries) : [];
	if (pair !== undefined) {
		const [other, path] = pair;
		throw new ShoalError(
			'ERR_NAME',
			`${quoted(other)} and ${quoted(path)} differ only in case, and are the same file here; choose a folder on another file system with -o, or leave one of them out with --exclude`,
		);
	}
	const bad = isWindows ? entries.find(({ path }) => !fitsWindows(path)) : undefined;
	if (bad !== undefined) {
		throw new ShoalError(
			'ERR_NAME',
			`${quoted(bad.path)} cannot be stored on Windows; leave it out with --exclude`,
		);
	}
}

/**
 * The pairs of paths that differ only in case; the path that comes first is the first of its pair.
 * The paths are those of entries, and of the folders that contain entries.
 */
export function* caseConflicts(
	entries: readonly FolderEntry[],
): Generator<readonly [other: string, path: string], undefined> {
	const seen = new Map<string, string>();
	for (const { path } of entries) {
		for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
			const each = path.slice(0, end);
			const folded = each.toLowerCase();
			const other = seen.get(folded);
			if (other === each) {
				break;
			}
			if (other === undefined) {
				seen.set(folded, each);
			} else {
				yield [other, each];
			}
		}
	}
}

/** Whether Windows can store a file at `path`, below a folder. */
export function fitsWindows(path: string): boolean {
	return path
		.split('/')
		.every((part) => isSafeName(part) && unstorableOnWindows(part).length === 0);
}

function isSafeName(name: string): boolean {
	try {
		checkName(name);
		return true;
	} catch {
		return false;
	}
}
