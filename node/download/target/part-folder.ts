import { type BigIntStats, lstatSync, renameSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rename, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { found, identityOf } from '../../storage/file-stamp.ts';
import { INDEX } from '../../storage/folder/folder-place.ts';
import { fsError, onFile } from '../../storage/fs-error.ts';
import { makingFile } from './check-output.ts';
import { removeFolder } from './existing-folder.ts';
import type { PartPaths } from './part-paths.ts';

/** Nobody else may enter a folder that is being written. */
const OWNER_ONLY = 0o700;
/** The names of the written folder, and of the replaced one, in a part folder. */
const CONTENT = 'content';
const OLD = 'old';

/**
 * A folder that is being downloaded. It lies in `<name>.<start of id>.part` beside its final path,
 * with its index, and gets its final name when it is complete.
 */
export class PartFolder {
	/** Where the finished folder will be. */
	readonly path: string;
	/** The folder with the written one and with its index. */
	readonly side: string;
	/** The folder that is written. */
	readonly root: string;
	/** Whether an earlier download has left it. */
	readonly wasThere: boolean;
	/** The stats of `side` when it was found or made. */
	readonly stats: BigIntStats;

	private constructor(paths: PartPaths, wasThere: boolean, stats: BigIntStats) {
		this.path = paths.path;
		this.side = paths.part;
		this.root = join(paths.part, CONTENT);
		this.wasThere = wasThere;
		this.stats = stats;
	}

	/**
	 * Opens the part folder, or makes it.
	 *
	 * @throws ShoalError ERR_EXISTS if something else is in its place, ERR_NO_SPACE, ERR_PERMISSION, ERR_IO
	 */
	static async open(paths: PartPaths): Promise<PartFolder> {
		const { part } = paths;
		const before = await found(part);
		if (before !== undefined && !before.isDirectory()) {
			throw fsError({ code: 'EEXIST' }, part);
		}
		await makingFile(dirname(part), async () => {
			await onFile(part, () => mkdir(part, { recursive: true, mode: OWNER_ONLY }));
			await onFile(part, () => chmod(part, OWNER_ONLY));
			await onFile(part, () => mkdir(join(part, CONTENT), { recursive: true }));
		});
		const stats = await onFile(part, () => stat(part, { bigint: true }));
		return new PartFolder(paths, before !== undefined, stats);
	}

	/** The index that an earlier download has stored; undefined if there is none. */
	async storedIndex(most: number): Promise<Uint8Array | undefined> {
		const path = join(this.side, INDEX);
		const stats = await found(path);
		return stats?.isFile() && stats.size === BigInt(most) ? await readFile(path) : undefined;
	}

	/** The identity that the folder has under its final name, too. */
	async identity(): Promise<string> {
		return identityOf(await onFile(this.root, () => stat(this.root, { bigint: true })));
	}

	/**
	 * Gives the folder its final name. Does not wait: nothing may be read by the old path afterwards.
	 *
	 * @param replaces whether a folder is there that is to be replaced
	 * @throws ShoalError ERR_EXISTS if something is there that is not to be replaced, ERR_IO
	 */
	appear(replaces: boolean): void {
		const { path, root, side } = this;
		const old = join(side, OLD);
		try {
			if (replaces) {
				renameSync(path, old);
			} else if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) {
				throw fsError({ code: 'EEXIST' }, path);
			}
			renameSync(root, path);
		} catch (error) {
			if (replaces && lstatSync(path, { throwIfNoEntry: false }) === undefined) {
				renameSync(old, path);
			}
			throw fsError(error, path);
		}
	}

	/** Takes the final name back, unless the folder has replaced another one. Never throws. */
	takeBack(): void {
		try {
			if (lstatSync(join(this.side, OLD), { throwIfNoEntry: false }) === undefined) {
				renameSync(this.path, this.root);
			}
		} catch {
			// The part folder stays, so that the next download checks what has the final name.
		}
	}

	/** Removes it, and the folder that was replaced. @throws ShoalError */
	async remove(): Promise<void> {
		await removeFolder(this.side);
	}
}

/**
 * A download that replaces a folder moves the old one away first. If the process ended before the
 * new one had its name, gives the old one its name back.
 *
 * @throws ShoalError the errors of the file system
 */
export async function restoreReplaced(path: string): Promise<void> {
	if ((await found(path)) !== undefined) {
		return;
	}
	const folder = dirname(path);
	const names = await onFile(folder, () => readdir(folder));
	const start = `${basename(path)}.`;
	for (const name of names.filter((each) => each.startsWith(start) && each.endsWith('.part'))) {
		const old = join(folder, name, OLD);
		if ((await found(old).catch(() => undefined))?.isDirectory()) {
			await onFile(path, () => rename(old, path));
			return;
		}
	}
}
