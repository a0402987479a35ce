import { stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { FolderThread } from '../hashing/folder/folder-thread.ts';
import type { ListedFile } from '../hashing/folder/list-files.ts';
import type { HashOptions } from '../hashing/hasher.ts';
import { onFile } from '../storage/fs-error.ts';
import { statReadable } from '../storage/regular-file.ts';

/** The files at a path that the user has given with `like`, or below it. */
export interface LikeFiles {
	/** Absolute path of the folder to which the paths of the files are relative. */
	readonly root: string;
	readonly files: readonly ListedFile[];
	/** Whether the user has named the file itself, not a folder that it is in. */
	readonly isNamed: boolean;
}

/**
 * Checks the paths that a user has given.
 *
 * @throws ShoalError ERR_NO_FILE, ERR_PERMISSION, ERR_IO if a path is neither a folder nor a file
 *   that can be read
 */
export async function checkLike(paths: readonly string[]): Promise<void> {
	for (const path of paths) {
		if (!(await isFolder(path))) {
			await statReadable(path);
		}
	}
}

/**
 * The files at a path, or below it. The files of a folder are listed in a thread.
 *
 * @throws ShoalError ERR_NO_FILE, ERR_PERMISSION, ERR_IO, ERR_ABORTED
 */
export async function listLike(path: string, options: HashOptions): Promise<LikeFiles> {
	const absolute = resolve(path);
	if (await isFolder(absolute)) {
		const thread = new FolderThread(absolute, options);
		try {
			const files = await thread.run<ListedFile[]>({ do: 'list', root: absolute });
			return { root: absolute, files, isNamed: false };
		} finally {
			await thread.close();
		}
	}
	const { size } = await statReadable(absolute);
	const files = [{ path: basename(absolute), length: Number(size) }];
	return { root: dirname(absolute), files, isNamed: true };
}

async function isFolder(path: string): Promise<boolean> {
	return (await onFile(path, () => stat(path))).isDirectory();
}
