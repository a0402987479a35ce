import type { BigIntStats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { fsError } from './fs-error.ts';

/**
 * The state of a file in one line: device, inode, size, and the times of the last change of its
 * bytes and of the file itself, in ns. While the stamp is the same, the bytes are the same: setting
 * the time of the bytes back also changes the file itself.
 */
export function stampOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
	return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}

/** The identity of a file, whatever its name and content. */
export function identityOf({ dev, ino }: BigIntStats): string {
	return `${dev}-${ino}`;
}

/**
 * The stats of `path` itself, undefined if nothing is there. A symbolic link is not followed, so a
 * link that leads nowhere is found as well.
 *
 * @throws ShoalError ERR_PERMISSION, ERR_IO
 */
export async function found(path: string): Promise<BigIntStats | undefined> {
	try {
		return await lstat(path, { bigint: true });
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
			return undefined;
		}
		throw fsError(error, path);
	}
}
