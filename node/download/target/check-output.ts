import { type BigIntStats, constants } from 'node:fs';
import { open, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isShoalError, quoted, ShoalError } from '../../../protocol/index.ts';
import { onFile } from '../../storage/fs-error.ts';
import { formatBytes } from '../../util/size.ts';

// These checks run before the first byte is fetched; otherwise the error would come only when the
// complete file gets its name.

const STICKY = 0o1000n;

/**
 * Checks that the file at `path`, with the given `stats`, can be replaced.
 *
 * @throws ShoalError ERR_PERMISSION if it belongs to another user in a folder in which only the
 *   owner may replace it, or if the file is immutable or append-only
 */
export async function checkReplaceable(path: string, stats: BigIntStats): Promise<void> {
	const folder = await onFile(path, () => stat(dirname(path), { bigint: true }));
	const user = process.geteuid?.();
	const isSticky = (folder.mode & STICKY) !== 0n;
	const isOwn = user === 0 || [stats.uid, folder.uid].includes(BigInt(user ?? 0));
	if (user !== undefined && isSticky && !isOwn) {
		throw cannotReplace(
			path,
			'it belongs to another user, and in this folder only the owner may replace it',
		);
	}
	if (await isImmutable(path)) {
		throw cannotReplace(path, 'it is marked as immutable or append-only (lsattr, chattr -i -a)');
	}
}

/** A missing permission gives EACCES; EPERM means that not even root may write to the file. */
async function isImmutable(path: string): Promise<boolean> {
	try {
		const { O_NOFOLLOW = 0, O_NONBLOCK = 0, O_RDWR } = constants;
		const file = await open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK);
		await file.close();
		return false;
	} catch (error) {
		return (error as NodeJS.ErrnoException).code === 'EPERM';
	}
}

/**
 * Calls `make`, which creates a file in `folder`.
 *
 * @throws as `make` does. If the file system has room but can hold no more files, the message of
 *   ERR_NO_SPACE says so
 */
export async function makingFile<T>(folder: string, make: () => Promise<T>): Promise<T> {
	try {
		return await make();
	} catch (error) {
		const { files, ffree } = await statfs(folder).catch(() => ({ files: 0, ffree: 0 }));
		// A file system without such a limit reports 0 files.
		if (isShoalError(error, 'ERR_NO_SPACE') && files > 0 && ffree === 0) {
			throw new ShoalError(
				'ERR_NO_SPACE',
				`${quoted(folder, 300)} is on a file system that has as many files as it can hold (df -i), even if it has free space; remove some files, or choose another folder`,
				{ cause: error },
			);
		}
		throw error;
	}
}

/**
 * Checks that the file system of `folder` has room for `bytes`, and for `files` new files.
 *
 * @throws ShoalError ERR_NO_SPACE
 */
export async function checkRoom(folder: string, bytes: number, files = 0): Promise<void> {
	const found = await onFile(folder, () => statfs(folder));
	const { bavail, bsize, blocks } = found;
	// A file system in memory without a limit reports a size of 0.
	if (blocks > 0 && bytes > bavail * bsize) {
		throw new ShoalError(
			'ERR_NO_SPACE',
			`${quoted(folder, 300)} has room for ${formatBytes(bavail * bsize)}, ${formatBytes(bytes)} are needed; make room, or choose another folder`,
		);
	}
	// A file system without such a limit reports 0 files.
	if (found.files > 0 && files > found.ffree) {
		throw new ShoalError(
			'ERR_NO_SPACE',
			`${quoted(folder, 300)} is on a file system that can hold ${found.ffree} more files (df -i), ${files} are needed; remove some, or choose another folder`,
		);
	}
}

function cannotReplace(path: string, why: string): ShoalError {
	return new ShoalError(
		'ERR_PERMISSION',
		`${quoted(path, 300)} is another version of this content and cannot be replaced: ${why}; choose another with -o`,
	);
}
