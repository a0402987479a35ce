import type { BigIntStats } from 'node:fs';
import { link, rename, rm, stat, unlink } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { ensureFolder } from '../../../broker/for-nodes.ts';
import type { Seed } from '../../../protocol/index.ts';
import { found, identityOf } from '../../storage/file-stamp.ts';
import { FileStorage } from '../../storage/file-storage.ts';
import { fsError, onFile, syncFolder } from '../../storage/fs-error.ts';
import { checkRoom, makingFile } from './check-output.ts';
import type { ExistingFile } from './existing-file.ts';
import { type PartPaths, partPathsOf } from './part-paths.ts';
import { safePath } from './safe-path.ts';

/** The owner of a part file may read and write it, whatever the replaced file allows. */
const OWNER = 0o600;
/** Bytes of the unit in which stat counts the space that a file takes. */
const BLOCK = 512;

/**
 * A file that is being downloaded: it lies beside its final path as `<name>.<start of id>.part`
 * and gets its final name only when {@link PartFile.appear} is called. The next download of the
 * seed finds the part file of an interrupted one there.
 */
export class PartFile {
	/** Where the finished file will be. */
	readonly path: string;
	readonly partPath: string;
	/** Whether the part file existed before. */
	readonly wasThere: boolean;
	/** The stats of the part file when it was found or created. */
	readonly stats: BigIntStats;
	readonly storage: FileStorage;
	readonly #replaced: ExistingFile | undefined;
	#hasName = false;
	#hasFailed = false;
	/** Whether this file was synced to the disk and has then replaced the old file. */
	#hasReplaced = false;

	private constructor(
		{ path, part }: PartPaths,
		storage: FileStorage,
		before: BigIntStats | undefined,
		{ stats, replaced }: { stats: BigIntStats; replaced: ExistingFile | undefined },
	) {
		this.path = path;
		this.partPath = part;
		this.wasThere = before !== undefined;
		this.stats = before ?? stats;
		this.storage = storage;
		this.#replaced = replaced;
	}

	/**
	 * Opens the part file of `seed` for its final path `path`. A file that got its final name but was
	 * not settled before the process or the system ended becomes a part file again.
	 *
	 * @param replaced the file at `path`, if the finished file is to replace it
	 * @throws ShoalError ERR_EXISTS if there is another file at `path`, ERR_NO_SPACE if the disk has not
	 *   enough room, ERR_NO_FILE if the folder does not exist, ERR_PERMISSION, ERR_IO
	 */
	static async open(path: string, seed: Seed, replaced?: ExistingFile): Promise<PartFile> {
		const paths = partPathsOf(path, seed);
		const before = await leftOver(paths);
		if (replaced === undefined) {
			await clear(path, before);
		}
		// Room is still needed for the holes of the part file: they take none on the disk yet.
		const room =
			before === undefined ? 0 : Math.min(Number(before.size), Number(before.blocks) * BLOCK);
		await checkRoom(dirname(path), seed.length - room);
		const pieces = [{ path: paths.part, length: seed.length }];
		const storage = await makingFile(dirname(path), () =>
			FileStorage.openToWrite(pieces, replaced && replaced.mode | OWNER),
		);
		try {
			if (replaced !== undefined) {
				await takeAfter(storage, paths.part, replaced);
			}
			const stats = await onFile(paths.part, () => stat(paths.part, { bigint: true }));
			return new PartFile(paths, storage, before, { stats, replaced });
		} catch (error) {
			await storage.close();
			throw error;
		}
	}

	/**
	 * Whether the disk failed to store what was written. The system reports that once, and may still
	 * return the bytes from memory, so everything has to be written again before it can be relied on.
	 */
	get hasFailed(): boolean {
		return this.#hasFailed;
	}

	/**
	 * Gives the part file its final name. The part file replaces only the file that was passed to
	 * `open`, and only if that file is unchanged. It never replaces a file that was made at the final
	 * path in the meantime.
	 *
	 * @throws ShoalError ERR_EXISTS, ERR_IO, ERR_NO_SPACE
	 */
	async appear(): Promise<void> {
		if (this.#replaced !== undefined && (await found(this.path)) !== undefined) {
			await this.#replace(this.#replaced);
		} else {
			await this.#link();
		}
		this.#hasName = true;
	}

	/**
	 * Links the final name. The part file's name stays until the file is settled: it tells the next
	 * download to check the file again.
	 */
	async #link(): Promise<void> {
		try {
			await link(this.partPath, this.path);
		} catch (error) {
			const { code } = error as NodeJS.ErrnoException;
			if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') {
				throw fsError(error, this.path);
			}
			await this.#rename();
		}
	}

	/**
	 * Replaces the old file. Syncs the new file first, so that one of the two survives a loss of
	 * power.
	 */
	async #replace(existing: ExistingFile): Promise<void> {
		await this.#sync();
		await this.storage.chmod(existing.mode);
		await existing.checkUnchanged();
		await onFile(this.path, () => rename(this.partPath, this.path));
		this.#hasReplaced = true;
	}

	/**
	 * Syncs the file and its name, so that they survive a loss of power. If the disk fails, the final
	 * name is removed again, unless an older version had it: that version is gone.
	 *
	 * @throws ShoalError ERR_IO, ERR_NO_SPACE
	 */
	async settle(): Promise<void> {
		try {
			await this.#sync();
			await syncFolder(dirname(this.path));
		} catch (error) {
			if (!this.#hasReplaced) {
				await this.#takeBack();
			}
			throw error;
		}
		await onFile(this.partPath, () => rm(this.partPath, { force: true }));
		this.storage.guard();
	}

	async #sync(): Promise<void> {
		try {
			await this.storage.sync();
		} catch (error) {
			this.#hasFailed = true;
			throw error;
		}
	}

	/** Removes the final name; the verified chunks stay under the name of the part file. */
	async #takeBack(): Promise<void> {
		// If both are names of the same file, the renaming does nothing.
		await rename(this.path, this.partPath)
			.then(() => unlink(this.path))
			.catch(() => {});
	}

	/**
	 * For file systems without hard links, such as FAT: only the journal tells the next download to
	 * check the file again.
	 */
	async #rename(): Promise<void> {
		await this.#sync();
		if ((await found(this.path)) !== undefined) {
			throw fsError({ code: 'EEXIST' }, this.path);
		}
		await onFile(this.path, () => rename(this.partPath, this.path));
	}

	/** Closes the file; verified chunks stay for the next download. */
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
 * The absolute path of the file to write. `output` is the path of that file, or of a folder; the
 * file in the folder gets a safe form of `name`. A folder whose path ends with a slash is created
 * if it does not exist. Undefined means the working folder.
 *
 * @throws ShoalError ERR_NAME
 */
export async function resolveOutput(output: string | undefined, name: string): Promise<string> {
	if (output === undefined) {
		return safePath('.', name);
	}
	const isFolder = await stat(output).then(
		(found) => found.isDirectory(),
		async () => {
			const isNamedFolder = /[/\\]$/.test(output);
			if (isNamedFolder) {
				await onFile(output, () => ensureFolder(output));
			}
			return isNamedFolder;
		},
	);
	return isFolder ? safePath(output, name) : resolve(output);
}

/**
 * The part file of an interrupted download. A file that has further names elsewhere is not used,
 * because writing to it would change a file of the user; its name as a part file is removed.
 */
async function leftOver({ path, part }: PartPaths): Promise<BigIntStats | undefined> {
	const [left, existing] = await Promise.all([found(part), found(path)]);
	const isNamed = left && existing && identityOf(left) === identityOf(existing);
	if (left?.isFile() && left.nlink > (isNamed ? 2n : 1n)) {
		await onFile(part, () => unlink(part));
		return undefined;
	}
	return left;
}

/**
 * Gives the open part file the permissions of the file that it will replace and, if this process
 * may do that, its owner. This happens before the first byte is written, because the file may be
 * private. Both are set by the open handle: in a folder that others may write to, the name of the
 * part file may by now lead to another file.
 */
async function takeAfter(
	storage: FileStorage,
	part: string,
	{ mode, owner }: ExistingFile,
): Promise<void> {
	const { uid, gid } = await onFile(part, () => stat(part));
	if (uid !== owner.uid || gid !== owner.gid) {
		await storage.chownIfAllowed(owner.uid, owner.gid);
	}
	await storage.chmod(mode | OWNER);
}

/**
 * Frees the name `path`.
 *
 * @throws ShoalError ERR_EXISTS if another file than the part file has it
 */
async function clear(path: string, part: BigIntStats | undefined): Promise<void> {
	const inTheWay = await found(path);
	if (inTheWay !== undefined) {
		if (part === undefined || identityOf(part) !== identityOf(inTheWay)) {
			throw fsError({ code: 'EEXIST' }, path);
		}
		await onFile(path, () => unlink(path));
	}
}
