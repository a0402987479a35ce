import { lstatSync, mkdirSync, readlinkSync, realpathSync, rmdirSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes the folders inside a folder that is being written, each of them once. Never follows a
 * symbolic link, even if another program puts a link in the place of a folder meanwhile.
 */
export class OwnFolders {
	readonly #base: string;
	/** The path of the base without symbolic links. */
	readonly #real: string;
	/** The paths of the folders that exist, and that were found to be no links. */
	readonly #made: Set<string>;

	/**
	 * @param base path of a folder that exists; symbolic links on this path are followed
	 * @throws errors of the file system
	 */
	constructor(base: string) {
		this.#base = base;
		this.#real = realpathSync.native(base);
		this.#made = new Set([base]);
	}

	/**
	 * Makes the folder `path` and the folders above it.
	 *
	 * @throws EFOREIGN, with the path, if something else is in the place of one of them
	 */
	make(path: string): void {
		if (!this.#made.has(path)) {
			this.make(dirname(path));
			const isNew = makeFolder(path);
			if (!this.#isReal(path)) {
				undo(isNew, () => rmdirSync(path));
				throw foreign(path);
			}
			this.#made.add(path);
		}
	}

	/**
	 * Checks that the open file `fd` is at `path`: that no folder on the way was replaced by a link.
	 *
	 * @throws EFOREIGN, with the path
	 */
	checkOpen(fd: number, path: string): void {
		if (placeOf(fd) !== this.#realOf(path) && !this.#isReal(dirname(path))) {
			throw foreign(path);
		}
	}

	#isReal(path: string): boolean {
		return sameForm(realpathSync.native(path)) === sameForm(this.#realOf(path));
	}

	#realOf(path: string): string {
		return this.#real + path.slice(this.#base.length);
	}
}

/** The error of a path at which another program has put something. */
export function foreign(path: string): Error {
	return Object.assign(new Error('another program has put it there'), { code: 'EFOREIGN', path });
}

/** @returns whether it is new @throws EFOREIGN if something else is in its place */
function makeFolder(path: string): boolean {
	try {
		mkdirSync(path);
		return true;
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
			throw error;
		}
		if (!lstatSync(path).isDirectory()) {
			throw foreign(path);
		}
		return false;
	}
}

/** Takes back what was made in a wrong place. */
export function undo(isNew: boolean, remove: () => void): void {
	try {
		if (isNew) {
			remove();
		}
	} catch {
		// A file or folder that cannot be removed is empty, and does no harm.
	}
}

/** The path of an open file without symbolic links; undefined where the system does not tell. */
function placeOf(fd: number): string | undefined {
	try {
		return readlinkSync(`/proc/self/fd/${fd}`);
	} catch {
		return undefined;
	}
}

/**
 * A path in one Unicode form: some file systems return names in another form than they were given.
 */
function sameForm(path: string): string {
	return path.normalize('NFC');
}
