import { execFile } from 'node:child_process';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { isShoalError } from '../../../protocol/index.ts';
import { onFile, syncFolder } from '../fs-error.ts';
import { READ_ONLY } from '../regular-file.ts';
import type { FolderStorage } from './folder-storage.ts';

/**
 * From this number of entries on, the whole file system is synced at once. Node.js has no function
 * for that, so it is done by a command.
 */
const MANY = 64;
const AT_ONCE = 8;

/**
 * Makes the system write the folder at `path` to the disk: the bytes of its files, and their names.
 *
 * @throws ShoalError ERR_IO, ERR_NO_SPACE
 */
export async function syncAll(path: string, storage: FolderStorage): Promise<void> {
	if (storage.kept >= MANY && (await syncFileSystem(path))) {
		return;
	}
	const { files, folders } = storage.paths;
	await syncEach(files, syncFile);
	await syncEach(folders, syncFolder);
}

/**
 * Makes the system write the names in `folders` to the disk. A folder that is missing is passed
 * over.
 *
 * @param path of the folder that has all of them
 * @throws ShoalError ERR_IO, ERR_NO_SPACE
 */
export async function syncFolders(path: string, folders: readonly string[]): Promise<void> {
	if (folders.length >= MANY && (await syncFileSystem(path))) {
		return;
	}
	await syncEach(folders, async (folder) => {
		await syncFolder(folder).catch((error) => {
			if (!isShoalError(error, 'ERR_NO_FILE')) {
				throw error;
			}
		});
	});
}

async function syncEach(
	paths: readonly string[],
	sync: (path: string) => Promise<void>,
): Promise<void> {
	for (let start = 0; start < paths.length; start += AT_ONCE) {
		await Promise.all(paths.slice(start, start + AT_ONCE).map(sync));
	}
}

/** @returns whether the system has such a command, and it has succeeded */
async function syncFileSystem(path: string): Promise<boolean> {
	return await promisify(execFile)('sync', ['-f', path]).then(
		() => true,
		() => false,
	);
}

async function syncFile(path: string): Promise<void> {
	await onFile(path, async () => {
		const file = await open(path, READ_ONLY);
		await file.sync().finally(() => file.close());
	});
}
