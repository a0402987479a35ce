import { constants } from 'node:fs';
import { chmod, copyFile, rm, stat } from 'node:fs/promises';
import { umask } from 'node:process';

const { COPYFILE_EXCL, COPYFILE_FICLONE_FORCE } = constants;

/**
 * Makes the file at `path` as a clone of one of `files`: the two share their blocks on the disk. No
 * bytes are copied, and nothing is verified. Does nothing if `path` exists, or if the file system
 * cannot share blocks.
 *
 * @param files paths of files that may have the right bytes. The first that can be cloned is taken
 * @param length only files with so many bytes are cloned
 * @returns whether the file was made
 */
export async function cloneWhole(
	path: string,
	files: readonly string[],
	length: number,
): Promise<boolean> {
	for (const file of files) {
		try {
			const found = await stat(file);
			if (!found.isFile() || found.size !== length) {
				continue;
			}
			await copyFile(file, path, COPYFILE_EXCL | COPYFILE_FICLONE_FORCE);
		} catch {
			// Most file systems cannot clone, and none can clone a file of another file system.
			continue;
		}
		try {
			// The clone has the permissions of its source, which may be read-only.
			await chmod(path, 0o666 & ~umask());
			return true;
		} catch {
			await rm(path, { force: true });
		}
	}
	return false;
}
