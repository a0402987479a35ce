import { type BigIntStats, lstatSync, renameSync, rmSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ensureFolder } from '../../../broker/for-nodes.ts';
import { quoted, ShoalError } from '../../../protocol/index.ts';
import { found, identityOf } from '../../storage/file-stamp.ts';
import { INDEX, LINKS } from '../../storage/folder/folder-place.ts';
import { fsError, onFile } from '../../storage/fs-error.ts';
import { makingFile } from './check-output.ts';
import { removeFolder } from './existing-folder.ts';
import { type PartPaths, pathsOfPart } from './part-paths.ts';

/** Only the owner may enter a folder that is being written. */
const OWNER_ONLY = 0o700;
/** The names of the written folder, and of the replaced one, in a part folder. */
const CONTENT = 'content';
const OLD = 'old';

/**
 * A folder that is being downloaded. It lies in the part folder, `<name>.<start of id>.part` beside
 * its final path. The part folder also has the index. When the download is complete, the folder
 * gets its final name.
 */
export class PartFolder {
	/** Where the finished folder will be. */
	readonly path: string;
	/** The part folder: it has `root`, and the index. */
	readonly side: string;
	/** The folder that the files are written to. */
	readonly root: string;
	/** Whether an earlier download has left the part folder. */
	readonly wasThere: boolean;
	/** The stats of `side` when it was found or made. */
	readonly stats: BigIntStats;
	/** Whether the folder has its final name, and another one had it before. */
	#hasReplaced = false;

	private constructor(paths: PartPaths, wasThere: boolean, stats: BigIntStats) {
		this.path = paths.path;
		this.side = paths.part;
		this.root = join(paths.part, CONTENT);
		this.wasThere = wasThere;
		this.stats = stats;
	}

	/**
	 * Opens the part folder, or makes it. If something else than a folder is in the place of
	 * `root`, it is removed. The index and the file of the link targets are removed if they are no
	 * ordinary files, or have further names (hard links).
	 *
	 * @throws ShoalError ERR_EXISTS if something else is in the place of the part folder,
	 *   ERR_PERMISSION also if the part folder belongs to another user, ERR_NO_SPACE, ERR_IO
	 */
	static async open(paths: PartPaths): Promise<PartFolder> {
		const { part } = paths;
		const before = await found(part);
		if (before !== undefined && !before.isDirectory()) {
			throw fsError({ code: 'EEXIST' }, part);
		}
		if (before !== undefined && !isOwn(before)) {
			throw new ShoalError(
				'ERR_PERMISSION',
				`${quoted(part, 300)} belongs to another user, who could change what is written to it; remove it, or choose another folder with -o`,
			);
		}
		await makingFile(dirname(part), async () => {
			if (before === undefined) {
				await onFile(part, () => mkdir(part, { mode: OWNER_ONLY }));
			}
			await onFile(part, () => chmod(part, OWNER_ONLY));
			await makeContent(part);
		});
		const stats = await onFile(part, () => stat(part, { bigint: true }));
		return new PartFolder(paths, before !== undefined, stats);
	}

	/** Where the folder that was replaced is until everything is synced. */
	get #old(): string {
		return join(this.side, OLD);
	}

	/** The index that an earlier download has stored; undefined if there is none. */
	async storedIndex(most: number): Promise<Uint8Array | undefined> {
		const path = join(this.side, INDEX);
		const stats = await found(path);
		return stats?.isFile() && stats.size === BigInt(most) ? await readFile(path) : undefined;
	}

	/** The device and inode of the folder. They stay the same when it gets its final name. */
	async identity(): Promise<string> {
		return identityOf(await onFile(this.root, () => stat(this.root, { bigint: true })));
	}

	/**
	 * Gives the folder its final name. This is synchronous, so that no read uses the old path in
	 * the meantime.
	 *
	 * @param replaces whether the folder at the final path is to be replaced
	 * @throws ShoalError ERR_EXISTS if something is at the final path that is not to be replaced,
	 *   ERR_IO
	 */
	appear(replaces: boolean): void {
		const { path, root } = this;
		const old = this.#old;
		let isMoved = false;
		try {
			if (replaces) {
				rmSync(old, { recursive: true, force: true });
				renameSync(path, old);
				isMoved = true;
			} else if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) {
				throw fsError({ code: 'EEXIST' }, path);
			}
			renameSync(root, path);
			this.#hasReplaced = isMoved;
		} catch (error) {
			if (isMoved && lstatSync(path, { throwIfNoEntry: false }) === undefined) {
				renameSync(old, path);
			}
			throw fsError(error, path);
		}
	}

	/**
	 * Checks the folder that was replaced. If `check` fails, takes the new folder back.
	 *
	 * @param check gets the path at which the replaced folder is now
	 * @throws the error of `check`
	 */
	async checkOld(check: (old: string) => Promise<void> | undefined): Promise<void> {
		try {
			await check(this.#old);
		} catch (error) {
			this.takeBack();
			throw error;
		}
	}

	/**
	 * Moves the folder back into the part folder, and gives a folder that it has replaced its name
	 * back. Never throws.
	 */
	takeBack(): void {
		try {
			renameSync(this.path, this.root);
			if (this.#hasReplaced) {
				renameSync(this.#old, this.path);
			}
		} catch {
			// The part folder stays. The next download gives the old folder its name back, or checks
			// what has the final name.
		}
	}

	/** Removes `root`, because nothing has to be written. @throws ShoalError */
	async dropContent(): Promise<void> {
		await removeFolder(this.root);
	}

	/** Removes the part folder, and with it the folder that was replaced. @throws ShoalError */
	async remove(): Promise<void> {
		await removeFolder(this.side);
	}
}

/** Makes the folder of the content, and removes what must not be written to. @throws ShoalError */
async function makeContent(part: string): Promise<void> {
	const content = join(part, CONTENT);
	const inside = await found(content);
	if (inside?.isDirectory() === false) {
		await onFile(content, () => rm(content));
	}
	await onFile(content, () => ensureFolder(content));
	for (const path of [join(part, INDEX), join(part, LINKS)]) {
		const stats = await found(path);
		if (stats !== undefined && !(stats.isFile() && stats.nlink <= 1n)) {
			await removeFolder(path);
		}
	}
}

/** Whether a part folder belongs to this user. No other user can change what is in it then. */
function isOwn({ uid }: BigIntStats): boolean {
	const user = process.geteuid?.();
	return user === undefined || uid === BigInt(user);
}

/**
 * Finishes what earlier downloads to the same path have left. A download that replaces a folder
 * first moves the old folder away. If the process ended before the new folder had the final name,
 * the old folder gets this name back. If a download of another seed had given its folder the final
 * name, the part folder and the journal of that download are removed.
 *
 * @throws ShoalError the errors of the file system
 */
export async function settleEarlier({ path, part: own }: PartPaths): Promise<void> {
	const folder = dirname(path);
	for (const name of await onFile(folder, () => readdir(folder))) {
		const paths = pathsOfPart(path, name);
		const stats = paths && (await found(paths.part));
		if (paths === undefined || !stats?.isDirectory() || !isOwn(stats)) {
			continue;
		}
		const [content, old] = [join(paths.part, CONTENT), join(paths.part, OLD)];
		if ((await found(content)) === undefined) {
			if (paths.part !== own) {
				await removeFolder(paths.part);
				await onFile(paths.journal, () => rm(paths.journal, { force: true }));
			}
		} else if ((await found(path)) === undefined && (await found(old))?.isDirectory()) {
			await onFile(path, () => rename(old, path));
		}
	}
}
