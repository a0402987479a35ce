import type { BigIntStats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { fsError } from './fs-error.ts';

/**
 * What the system says of a file, in one line: device, inode, size, and in ns when its bytes and when
 * it was changed last. As long as it is the same, so are the bytes; putting the time of the bytes back
 * is a change of the file.
 */
export function stampOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
	return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}

/** Which file it is, whatever its name and content. */
export function identityOf({ dev, ino }: BigIntStats): string {
	return `${dev}-${ino}`;
}

/**
 * What stands at `path`, not through a symbolic link: one that leads nowhere stands there as well.
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
