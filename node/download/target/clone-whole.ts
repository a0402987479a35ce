import { constants } from 'node:fs';
import { chmod, copyFile, rm, stat } from 'node:fs/promises';
import { umask } from 'node:process';

const { COPYFILE_EXCL, COPYFILE_FICLONE_FORCE } = constants;

/**
 * Makes the file at `path` share the blocks of a file that may have the same bytes, if the file
 * system can do that. Nothing is copied, and nothing is verified. Does nothing if `path` exists.
 *
 * @param files the paths of such files
 * @param length bytes that the file must have
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
			// Most file systems cannot, and none can from another one.
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
