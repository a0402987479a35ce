import type { Stats } from 'node:fs';
import { link, lstat, open, rename, rm, stat, statfs, unlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { quoted, type Seed, ShoalError } from '../../protocol/index.ts';
import { FileStorage } from './file-storage.ts';
import { fsError, onFile } from './fs-error.ts';

const NAME_BYTES = 255;
/** The unit in which stat counts what a file takes. */
const BLOCK = 512;

/**
 * A file that is being downloaded: it lies beside its final place as `<name>.<start of id>.part`
 * and gets its final name only when {@link PartFile.appear} is called. What is left of an
 * interrupted download is found there again.
 */
export class PartFile {
	/** Where the finished file will be. */
	readonly path: string;
	readonly partPath: string;
	/** Whether a part file was there before. */
	readonly wasThere: boolean;
	readonly storage: FileStorage;
	#hasName = false;

	private constructor(path: string, partPath: string, wasThere: boolean, storage: FileStorage) {
		this.path = path;
		this.partPath = partPath;
		this.wasThere = wasThere;
		this.storage = storage;
	}

	/**
	 * Opens the part file of `seed` for its final place `path`. A file that has its final name but was
	 * not settled before everything ended is a part file again.
	 *
	 * @throws ShoalError ERR_EXISTS if there is a file at `path`, ERR_NO_SPACE if the disk has not
	 *   enough room, ERR_NO_FILE if the folder does not exist, ERR_PERMISSION, ERR_IO
	 */
	static async open(path: string, seed: Seed): Promise<PartFile> {
		const folder = dirname(path);
		const partPath = join(folder, partName(basename(path), seed.id));
		const part = await found(partPath);
		const inTheWay = await found(path);
		if (inTheWay !== undefined) {
			if (part === undefined || part.ino !== inTheWay.ino || part.dev !== inTheWay.dev) {
				throw fsError({ code: 'EEXIST' }, path);
			}
			await onFile(path, () => unlink(path));
		}
		// Holes are no room.
		const room = part === undefined ? 0 : Math.min(part.size, part.blocks * BLOCK);
		await checkRoom(folder, seed.length - room);
		const storage = await FileStorage.openToWrite([{ path: partPath, length: seed.length }]);
		return new PartFile(path, partPath, part !== undefined, storage);
	}

	/**
	 * Gives the file its final name; never replaces one that came there in the meantime. Until it is
	 * settled the part's name stands beside it, which means: check again.
	 *
	 * @throws ShoalError ERR_EXISTS, ERR_IO, ERR_NO_SPACE
	 */
	async appear(): Promise<void> {
		try {
			await link(this.partPath, this.path);
		} catch (error) {
			const { code } = error as NodeJS.ErrnoException;
			if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') {
				throw fsError(error, this.path);
			}
			await this.#rename();
		}
		this.#hasName = true;
	}

	/**
	 * Has the file and its name survive a loss of power. If the disk fails, the name is taken back.
	 *
	 * @throws ShoalError ERR_IO, ERR_NO_SPACE
	 */
	async settle(): Promise<void> {
		try {
			await this.storage.sync();
			await syncFolder(dirname(this.path));
		} catch (error) {
			await unlink(this.path).catch(() => {});
			throw error;
		}
		await onFile(this.partPath, () => rm(this.partPath, { force: true }));
		this.storage.guard();
	}

	/** On a file system without hard links, such as FAT, there is no second name to mean: check again. */
	async #rename(): Promise<void> {
		await this.storage.sync();
		if ((await found(this.path)) !== undefined) {
			throw fsError({ code: 'EEXIST' }, this.path);
		}
		await onFile(this.path, () => rename(this.partPath, this.path));
	}

	/** Closes the file; what is verified stays for the next time. */
	async close(): Promise<void> {
		await this.storage.close();
	}

	/** Closes the file and removes it, unless it has its final name. */
	async discard(): Promise<void> {
		await this.storage.close();
		if (!this.#hasName) {
			await onFile(this.partPath, () => unlink(this.partPath));
		}
	}
}

/**
 * Where a download goes that was asked to go to `output`: a file, a folder that exists, or, without
 * it, the working folder. `name` has passed `checkName`.
 */
export async function resolveOutput(output: string | undefined, name: string): Promise<string> {
	if (output === undefined) {
		return resolve(name);
	}
	const isFolder = await stat(output).then(
		(found) => found.isDirectory(),
		() => /[/\\]$/.test(output),
	);
	return isFolder ? resolve(output, name) : resolve(output);
}

/** What stands at `path`, not through a symbolic link: one that leads nowhere is in the way as well. */
async function found(path: string): Promise<Stats | undefined> {
	try {
		return await lstat(path);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
			return undefined;
		}
		throw fsError(error, path);
	}
}

async function checkRoom(folder: string, bytes: number): Promise<void> {
	const { bavail, bsize } = await onFile(folder, () => statfs(folder));
	if (bytes > bavail * bsize) {
		throw new ShoalError(
			'ERR_NO_SPACE',
			`${quoted(folder, 300)} has room for ${bavail * bsize} bytes, ${bytes} are needed; choose another folder with -o`,
		);
	}
}

function partName(name: string, id: string): string {
	const suffix = `.${id.slice(0, 8)}.part`;
	let start = name;
	while (Buffer.byteLength(start) + suffix.length > NAME_BYTES) {
		start = [...start].slice(0, -1).join('');
	}
	return start + suffix;
}

/** So that the name itself survives a loss of power. */
async function syncFolder(folder: string): Promise<void> {
	try {
		const handle = await open(folder, 'r');
		await handle.sync().finally(() => handle.close());
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException;
		// Windows cannot open a folder as a file, and some file systems cannot sync one.
		if (!['EISDIR', 'EPERM', 'EACCES', 'EINVAL', 'ENOTSUP'].includes(code ?? '')) {
			throw fsError(error, folder);
		}
	}
}
