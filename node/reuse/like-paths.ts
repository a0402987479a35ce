import { stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { ShoalError } from '../../protocol/index.ts';
import { FolderThread } from '../hashing/folder/folder-thread.ts';
import type { ListedFile } from '../hashing/folder/list-files.ts';
import type { HashOptions } from '../hashing/hasher.ts';
import { onFile } from '../storage/fs-error.ts';
import { statReadable } from '../storage/regular-file.ts';

/** Files that are like what is downloaded. */
export interface LikeFiles {
	/** Absolute path of the folder that the paths of the files are below. */
	readonly root: string;
	readonly files: readonly ListedFile[];
	/** Whether the user has named the file itself, not a folder that it is in. */
	readonly isNamed: boolean;
}

/**
 * Checks the paths that a user has given.
 *
 * @throws ShoalError ERR_NO_FILE, ERR_PERMISSION, ERR_IO if one is neither a file nor a folder that
 *   can be read
 */
export async function checkLike(paths: readonly string[]): Promise<void> {
	for (const path of paths) {
		if (path === '') {
			throw new ShoalError(
				'ERR_NO_FILE',
				'the path of a file or folder is expected, and it is empty',
			);
		}
		if (!(await isFolder(path))) {
			await statReadable(path);
		}
	}
}

/**
 * The files at a path, or below it. A folder is read in a thread.
 *
 * @throws ShoalError ERR_NO_FILE, ERR_PERMISSION, ERR_IO, ERR_ABORTED
 */
export async function listLike(path: string, options: HashOptions): Promise<LikeFiles> {
	const absolute = resolve(path);
	if (!(await isFolder(absolute))) {
		const { size } = await statReadable(absolute);
		const files = [{ path: basename(absolute), length: Number(size) }];
		return { root: dirname(absolute), files, isNamed: true };
	}
	const thread = new FolderThread(absolute, options);
	try {
		const files = await thread.run<ListedFile[]>({ do: 'list', root: absolute });
		return { root: absolute, files, isNamed: false };
	} finally {
		await thread.close();
	}
}

/**
 * The SHA-256 of some files, hashed in a thread, one after the other; zeros for a file that cannot
 * be read.
 *
 * @throws ShoalError ERR_ABORTED
 */
export async function hashLike(
	{ root }: LikeFiles,
	files: readonly ListedFile[],
	options: HashOptions,
): Promise<Uint8Array> {
	const thread = new FolderThread(root, options);
	try {
		const paths = files.map(({ path }) => join(root, path));
		return await thread.run<Uint8Array>({ do: 'digests', paths });
	} finally {
		await thread.close();
	}
}

async function isFolder(path: string): Promise<boolean> {
	return (await onFile(path, () => stat(path))).isDirectory();
}
