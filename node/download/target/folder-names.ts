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
	if (isFolding) {
		checkCase(entries);
	}
	if (isWindows) {
		for (const { path } of entries) {
			checkOnWindows(path);
		}
	}
}

/** Checks that no two paths differ only in case, nor the folders that they are in. */
function checkCase(entries: readonly FolderEntry[]): void {
	const seen = new Map<string, string>();
	for (const { path } of entries) {
		for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
			const each = path.slice(0, end);
			const folded = each.toLowerCase();
			const other = seen.get(folded);
			if (other !== undefined && other !== each) {
				throw new ShoalError(
					'ERR_NAME',
					`${quoted(other)} and ${quoted(each)} differ only in case, and are the same file here; choose a folder on another file system with -o, or leave one of them out with --exclude`,
				);
			}
			if (other === each) {
				break;
			}
			seen.set(folded, each);
		}
	}
}

function checkOnWindows(path: string): void {
	for (const part of path.split('/')) {
		checkName(part);
		if (unstorableOnWindows(part).length > 0) {
			throw new ShoalError(
				'ERR_NAME',
				`${quoted(path)} cannot be stored on Windows; leave it out with --exclude`,
			);
		}
	}
}
