import { lstat, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
	checkName,
	type FolderEntry,
	quoted,
	ShoalError,
	unstorableOnWindows,
} from '../../../protocol/index.ts';
import { onFile } from '../../storage/fs-error.ts';

const PROBE = '.shoal-case';

/** Whether names in `folder` that differ only in case are the same: tries it. @throws ShoalError */
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
 * Checks that a file system can store the names of all entries.
 *
 * @throws ShoalError ERR_NAME
 */
export function checkNames(
	entries: readonly FolderEntry[],
	{ isFolding, isWindows }: { readonly isFolding: boolean; readonly isWindows: boolean },
): void {
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
 * The pairs of paths that differ only in case, each with the path that comes first. They can be
 * those of entries and of the folders that these are in.
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
