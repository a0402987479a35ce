import {
	type BigIntStats,
	closeSync,
	constants,
	lstatSync,
	mkdirSync,
	openSync,
	readlinkSync,
	realpathSync,
	renameSync,
	rmdirSync,
	unlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { dirname } from 'node:path/posix';
import { foreign } from '../../storage/folder/own-folders.ts';

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;
/** Error codes which say that no folder is at a path. */
const NO_FOLDER = new Set(['ENOENT', 'ENOTDIR', 'ELOOP']);

/**
 * Looks at, moves and removes entries of a folder by their paths below it, with synchronous calls.
 * Never goes through a symbolic link: on Linux, the folder of an entry is opened, the real path of
 * the open folder is checked, and the entry is reached through the open folder. So a link that is
 * put in the place of the folder meanwhile has no effect. On other systems, the real path is checked
 * immediately before each operation.
 */
export class TreeEditor {
	readonly #root: string;
	/** The folder that was used last, and its descriptor. */
	#open: { readonly folder: string; readonly fd: number } | undefined;

	/** @param root path without symbolic links */
	constructor(root: string) {
		this.#root = root;
	}

	/**
	 * The stats of `path`, without following a link; undefined if nothing is there, or if the path
	 * leads through something else than folders.
	 *
	 * @throws errors of the file system
	 */
	look(path: string): BigIntStats | undefined {
		const folder = this.#folderOf(path);
		return folder === undefined
			? undefined
			: lstatSync(join(folder, nameOf(path)), { bigint: true, throwIfNoEntry: false });
	}

	/** Renames the file or link at the absolute path `from` to `path`. Replaces a file. */
	put(from: string, path: string): void {
		renameSync(from, this.#at(path));
	}

	/** Renames the entry at `path`, within its folder. */
	rename(path: string, name: string): void {
		const folder = this.#at(path);
		renameSync(folder, join(folder.slice(0, folder.lastIndexOf('/')), name));
	}

	/** Removes a file or link. */
	remove(path: string): void {
		unlinkSync(this.#at(path));
	}

	/** Removes a folder, unless it has entries or is a mount point. */
	removeFolder(path: string): void {
		// An open folder cannot be removed on some systems.
		this.close();
		try {
			rmdirSync(this.#at(path));
		} catch (error) {
			const { code = '' } = error as NodeJS.ErrnoException;
			if (!['ENOTEMPTY', 'EEXIST', 'ENOENT', 'EBUSY'].includes(code)) {
				throw error;
			}
		}
	}

	makeFolder(path: string): void {
		mkdirSync(this.#at(path));
	}

	/** Closes the folder that is open. The editor can still be used. */
	close(): void {
		if (this.#open !== undefined) {
			closeSync(this.#open.fd);
			this.#open = undefined;
		}
	}

	/** A path by which the entry is reached. @throws EFOREIGN, and errors of the file system */
	#at(path: string): string {
		const folder = this.#folderOf(path);
		if (folder === undefined) {
			throw foreign(join(this.#root, path));
		}
		return `${folder}/${nameOf(path)}`;
	}

	/** A path by which the folder of the entry is reached; undefined if it is no folder. */
	#folderOf(path: string): string | undefined {
		const folder = dirname(path);
		const full = folder === '.' ? this.#root : join(this.#root, folder);
		return process.platform === 'linux' ? this.#opened(full) : checked(full);
	}

	#opened(folder: string): string | undefined {
		if (this.#open?.folder !== folder) {
			this.close();
			const fd = openFolder(folder);
			if (fd === undefined) {
				return undefined;
			}
			this.#open = { folder, fd };
		}
		const { fd } = this.#open as { fd: number };
		const link = `/proc/self/fd/${fd}`;
		let real: string;
		try {
			real = readlinkSync(link);
		} catch {
			// There is no /proc.
			return checked(folder);
		}
		if (real !== folder) {
			// The folder was moved, or the path leads through a link.
			this.close();
			return checked(folder) === undefined ? undefined : this.#reopened(folder);
		}
		return link;
	}

	/** Opens a folder again, after another one was put in its place. */
	#reopened(folder: string): string | undefined {
		const fd = openFolder(folder);
		if (fd === undefined) {
			return undefined;
		}
		this.#open = { folder, fd };
		const link = `/proc/self/fd/${fd}`;
		return readlinkSync(link) === folder ? link : undefined;
	}
}

function openFolder(path: string): number | undefined {
	try {
		return openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	} catch (error) {
		if (NO_FOLDER.has((error as NodeJS.ErrnoException).code ?? '')) {
			return undefined;
		}
		throw error;
	}
}

/** `folder` if no link is on the way to it, and it is a folder. */
function checked(folder: string): string | undefined {
	try {
		const isReal = realpathSync.native(folder).normalize('NFC') === folder.normalize('NFC');
		return isReal && lstatSync(folder).isDirectory() ? folder : undefined;
	} catch (error) {
		if (NO_FOLDER.has((error as NodeJS.ErrnoException).code ?? '')) {
			return undefined;
		}
		throw error;
	}
}

function nameOf(path: string): string {
	return path.slice(path.lastIndexOf('/') + 1);
}
