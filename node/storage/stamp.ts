import type { BigIntStats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { fsError } from './fs-error.ts';

/** What is the same before and after, if nobody has changed a file. */
export function stampOf({ ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
	return `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
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
