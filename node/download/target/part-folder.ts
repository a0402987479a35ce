import { type BigIntStats, lstatSync, renameSync, rmSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
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
	 * Opens the part folder, or makes it. Links and files with further names, which must not be written
	 * to, are removed from it.
	 *
	 * @throws ShoalError ERR_EXISTS if something else is in its place, ERR_PERMISSION also if it belongs to
	 *   another user, ERR_NO_SPACE, ERR_IO
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
		} catch (error) {
			if (isMoved && lstatSync(path, { throwIfNoEntry: false }) === undefined) {
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

	/** Removes the written folder, which is not needed. @throws ShoalError */
	async dropContent(): Promise<void> {
		await removeFolder(this.root);
	}

	/** Removes it, and the folder that was replaced. @throws ShoalError */
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
	await onFile(content, () => mkdir(content, { recursive: true }));
	for (const path of [join(part, INDEX), join(part, LINKS)]) {
		const stats = await found(path);
		if (stats !== undefined && !(stats.isFile() && stats.nlink <= 1n)) {
			await removeFolder(path);
		}
	}
}

/** Whether no other user can change what is in a folder that only its owner may enter. */
function isOwn({ uid }: BigIntStats): boolean {
	const user = process.geteuid?.();
	return user === undefined || uid === BigInt(user);
}

/**
 * Ends what earlier downloads to the same path have begun. A download that replaces a folder moves
 * the old one away first. If the process ended before the new one had its name, the old one gets its
 * name back. What a download of another seed has left after the new one had its name is removed.
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
