import { chmod, lstat, mkdir, readdir, realpath, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ensureFolder } from '../../../broker/for-nodes.ts';
import { quoted, ShoalError } from '../../../protocol/index.ts';
import { LockFile, type LockOwner, type TakeOptions } from '../../download/target/lock-file.ts';
import { found } from '../../storage/file-stamp.ts';
import { hasFileKinds } from '../../storage/folder/file-kinds.ts';
import { OWN_FOLDER, PLACE_FILE } from '../../storage/folder/follower-folder.ts';
import { onFile } from '../../storage/fs-error.ts';
import { readIfThere } from '../../storage/read-if-there.ts';
import { writeSynced } from './version-record.ts';

/** How a folder follows its channel. */
export type PlaceKind = 'in-place' | 'releases';

const MAGIC = 'shoal place 1';
const LOCK = 'lock';
const OWNER_ONLY = 0o700;
/** The start of the names of the folders in which versions are staged. */
const STAGING = 'next-';
/** Ends the names of files that a killed process left. */
const TEMPORARY = '.tmp';

/** Options of {@link FollowedFolder.open}. */
export interface OpenOptions extends Pick<TakeOptions, 'signal' | 'silence'> {
	/** Called repeatedly, with the reason, while the opening waits. */
	readonly onWait?: ((why: string) => void) | undefined;
	/** Finds out whether a folder stores which files are executable. @default {@link hasFileKinds} */
	readonly findKinds?: typeof hasFileKinds | undefined;
}

/** The channel of a followed folder, as recorded in the folder. */
interface Mark {
	readonly kind: PlaceKind;
	readonly channel: string;
}

/**
 * A folder that follows a channel, and the follower's own folder `.shoal` in it. It is locked, so
 * that one process at a time follows into it.
 */
export class FollowedFolder {
	/** Absolute path, as it was given. */
	readonly dir: string;
	/** The same path without symbolic links. */
	readonly root: string;
	/** Path of the own folder. */
	readonly own: string;
	/** Whether the file system stores which files are executable. */
	readonly hasKinds: boolean;
	readonly #lock: LockFile;

	private constructor(dir: string, root: string, lock: LockFile, hasKinds: boolean) {
		this.dir = dir;
		this.hasKinds = hasKinds;
		this.root = root;
		this.own = join(root, OWN_FOLDER);
		this.#lock = lock;
	}

	/**
	 * Opens the folder at `path`, and makes it if it is missing.
	 *
	 * @throws ShoalError ERR_EXISTS if another process follows into it, or if it follows another
	 *   channel or in another way; ERR_PERMISSION, ERR_NO_SPACE, ERR_IO, ERR_ABORTED
	 */
	static async open(
		path: string,
		mark: Mark,
		{ onWait, findKinds = hasFileKinds, ...options }: OpenOptions = {},
	): Promise<FollowedFolder> {
		const dir = resolve(path);
		await onFile(dir, () => ensureFolder(dir));
		const root = await onFile(dir, () => realpath(dir));
		const own = join(root, OWN_FOLDER);
		await makeOwn(own);
		const lock = await LockFile.take(join(own, LOCK), mark.channel, (owner) => inUse(dir, owner), {
			...options,
			onWait: () => onWait?.(waitingFor(dir)),
		});
		try {
			const folder = new FollowedFolder(dir, root, lock, await findKinds(own));
			await folder.#checkMark(mark);
			await folder.#removeTemporary();
			return folder;
		} catch (error) {
			await lock.release();
			throw error;
		}
	}

	/** The path of one of the own files. */
	file(name: string): string {
		return join(this.own, name);
	}

	/**
	 * Makes the folder in which the version with this seed is staged, and removes those of other
	 * versions.
	 *
	 * @returns its name in the own folder
	 * @throws ShoalError the errors of the file system
	 */
	async stage(seed: string): Promise<string> {
		const name = `${STAGING}${seed.slice(0, 16)}`;
		await this.clearStaging(name);
		const path = this.file(name);
		await onFile(path, () => ensureFolder(path, OWNER_ONLY));
		return name;
	}

	/** Removes the folders of staged versions, except `kept`. @throws ShoalError */
	async clearStaging(kept?: string): Promise<void> {
		for (const name of await this.#names()) {
			if (name.startsWith(STAGING) && name !== kept) {
				const path = this.file(name);
				await onFile(path, () => rm(path, { recursive: true, force: true }));
			}
		}
	}

	/** Releases the lock. Idempotent. */
	async close(): Promise<void> {
		await this.#lock.release();
	}

	/** @throws ShoalError ERR_EXISTS */
	async #checkMark({ kind, channel }: Mark): Promise<void> {
		const mark = await readMark(this.root);
		const isSame = mark?.channel === channel && mark.kind === kind;
		if (mark === undefined || (!isSame && (await this.#isUnused()))) {
			const text = `${MAGIC} ${kind} ${channel}\n`;
			await writeSynced(this.file(PLACE_FILE), [Buffer.from(text)]);
		} else if (mark.channel !== channel) {
			throw new ShoalError(
				'ERR_EXISTS',
				`${quoted(this.dir, 300)} follows another channel, ${mark.channel}; choose another folder, or remove ${quoted(this.own, 300)} to start anew: the files beside it then count as yours`,
			);
		} else if (mark.kind !== kind) {
			const how = mark.kind === 'releases' ? 'with --releases' : 'without --releases';
			throw new ShoalError(
				'ERR_EXISTS',
				`${quoted(this.dir, 300)} was followed ${how} before; do so again, choose another folder, or remove ${quoted(this.own, 300)} to start anew`,
			);
		}
	}

	/** Whether no version was ever applied here. A mistyped link must not claim the folder for ever. */
	async #isUnused(): Promise<boolean> {
		const names = await this.#names();
		return names.every((name) => {
			const isOfAttempt = name.startsWith(STAGING) || name.endsWith(TEMPORARY);
			return isOfAttempt || name === LOCK || name === PLACE_FILE;
		});
	}

	async #removeTemporary(): Promise<void> {
		for (const name of await this.#names()) {
			if (name.endsWith(TEMPORARY)) {
				await rm(this.file(name), { recursive: true, force: true }).catch(() => {});
			}
		}
	}

	async #names(): Promise<string[]> {
		return await onFile(this.own, () => readdir(this.own));
	}
}

/**
 * Which channel the folder at `dir` follows, and how; undefined if it follows none.
 *
 * @throws ShoalError ERR_PERMISSION, ERR_IO, ERR_FOLDER
 */
export async function readMark(dir: string): Promise<Mark | undefined> {
	const text = await readIfThere(join(dir, OWN_FOLDER, PLACE_FILE));
	if (text === undefined) {
		return undefined;
	}
	const [, kind, channel] =
		/^shoal place 1 (in-place|releases) ([0-9a-f]{64})\n$/.exec(String(text)) ?? [];
	return kind && channel ? { kind: kind as PlaceKind, channel } : undefined;
}

/** @throws ShoalError ERR_EXISTS, ERR_PERMISSION, and the errors of the file system */
async function makeOwn(own: string): Promise<void> {
	await onFile(own, () =>
		mkdir(own, { mode: OWNER_ONLY }).catch((error: NodeJS.ErrnoException) => {
			if (error.code !== 'EEXIST') {
				throw error;
			}
		}),
	);
	const stats = await onFile(own, () => lstat(own));
	const user = process.geteuid?.();
	if (!stats.isDirectory() || (user !== undefined && stats.uid !== user)) {
		const what = stats.isDirectory() ? 'belongs to another user' : 'is no folder';
		throw new ShoalError(
			stats.isDirectory() ? 'ERR_PERMISSION' : 'ERR_EXISTS',
			`${quoted(own, 300)} ${what}, and shoal follow needs it for its own files; move it away, or choose another folder`,
		);
	}
	await onFile(own, () => chmod(own, OWNER_ONLY));
}

function inUse(dir: string, { process }: LockOwner): ShoalError {
	return new ShoalError(
		'ERR_EXISTS',
		`another shoal follow (process ${process.pid}) keeps ${quoted(dir, 300)} up to date; end it first, or choose another folder`,
	);
}

function waitingFor(dir: string): string {
	return `waiting up to 10 seconds until it is clear whether another shoal follow keeps ${quoted(dir, 300)} up to date`;
}

/** Whether nothing is at `path`. @throws ShoalError ERR_PERMISSION, ERR_IO */
export async function isMissing(path: string): Promise<boolean> {
	return (await found(path)) === undefined;
}
