import type { BigIntStats } from 'node:fs';
import { realpath, rm } from 'node:fs/promises';
import { Bitfield, type Folder, quoted, type Seed, ShoalError } from '../../../protocol/index.ts';
import type { FolderDifferences, RecordedFolder } from '../../hashing/folder/compare-folder.ts';
import { FolderThread } from '../../hashing/folder/folder-thread.ts';
import type { HashOptions } from '../../hashing/hasher.ts';
import { OlderFolder } from '../../reuse/older-version.ts';
import { found, identityOf } from '../../storage/file-stamp.ts';
import { EntryStamps } from '../../storage/folder/entry-stamps.ts';
import type { FolderLocation } from '../../storage/folder/folder-place.ts';
import { FolderStorage } from '../../storage/folder/folder-storage.ts';
import { fsError, onFile } from '../../storage/fs-error.ts';
import { checkReplaceable } from './check-output.ts';
import type { FolderRecords } from './folder-records.ts';

/** Most paths that an error names. */
const MOST_NAMED = 5;

/**
 * The folder that already exists at the final path of a download: the same content, a version of
 * it that an earlier download has put there, or a folder of the user, which is not replaced.
 */
export class ExistingFolder {
	readonly path: string;
	readonly #differences: FolderDifferences;
	readonly #record: RecordedFolder | undefined;
	readonly #stats: BigIntStats;

	private constructor(
		path: string,
		differences: FolderDifferences,
		record: RecordedFolder | undefined,
		stats: BigIntStats,
	) {
		this.path = path;
		this.#differences = differences;
		this.#record = record;
		this.#stats = stats;
	}

	/**
	 * Compares the folder at `location` with its index. Files that an earlier download of the same
	 * seed has put there, and that have not changed since, are not hashed if the record of that
	 * download is trusted. Undefined if nothing is there.
	 *
	 * @throws ShoalError ERR_EXISTS if something else than a folder is there, ERR_ABORTED, and the
	 *   errors of the file system
	 */
	static async compare(
		location: FolderLocation,
		records: FolderRecords,
		options: HashOptions & { readonly isTrusted: boolean },
	): Promise<ExistingFolder | undefined> {
		const { root } = location;
		const stats = await found(root);
		if (stats === undefined) {
			return undefined;
		}
		if (!stats.isDirectory()) {
			throw fsError({ code: 'EEXIST' }, root);
		}
		const real = await onFile(root, () => realpath(root));
		const record = await records.find(real, identityOf(stats));
		const thread = new FolderThread(root, options);
		try {
			const known = record && (options.isTrusted ? record : { ...record, seed: '' });
			const job = { do: 'compare', location, record: known } as const;
			return new ExistingFolder(root, await thread.run<FolderDifferences>(job), record, stats);
		} finally {
			await thread.close();
		}
	}

	/** Whether every wanted entry is there and right, and nothing else than entries is there. */
	isComplete(wanted: (path: string) => boolean): boolean {
		const { bad, missing, extra } = this.#differences;
		return extra.length === 0 && ![...bad, ...missing].some(wanted);
	}

	/** The paths of what an earlier download of the same seed has put there. */
	recordedOf({ id }: Seed, { entries }: Folder): string[] {
		if (this.#record?.seed !== id) {
			return [];
		}
		const stamps = new EntryStamps(this.#record.stamps);
		return entries.flatMap(({ path }, number) => (stamps.has(number) ? [path] : []));
	}

	/** Finds bytes of the files that an earlier download has put there; undefined if none has. */
	get older(): OlderFolder | undefined {
		return this.#record && new OlderFolder(this.path, this.#record.index);
	}

	/** The device and inode of the folder. */
	get identity(): string {
		return identityOf(this.#stats);
	}

	/**
	 * Opens the folder for sharing.
	 *
	 * @param chunks the chunks of which all bytes are there
	 * @param wanted the paths of the entries that are there; undefined: all
	 */
	open(
		seed: Seed,
		folder: Folder,
		chunks: Bitfield = Bitfield.full(seed.chunks),
		wanted?: ReadonlySet<string>,
	) {
		const { location, stamps } = this.#differences;
		const place = { ...location, wanted };
		return { storage: new FolderStorage(place, folder, new EntryStamps(stamps)), have: chunks };
	}

	/**
	 * Checks that a download has put the folder there, and that nobody has changed it since.
	 *
	 * @throws ShoalError ERR_EXISTS, which names what was changed; ERR_PERMISSION
	 */
	async checkReplaceable(): Promise<void> {
		const { path } = this;
		const what = quoted(path, 300);
		const { extra, bad, changed } = this.#differences;
		if (changed === undefined) {
			const named = this.#named([...extra, ...bad]);
			throw new ShoalError(
				'ERR_EXISTS',
				`${what} is another folder, and shoal get has not made it${named}; move it away or choose another with -o`,
			);
		}
		this.#refuseChanges(changed);
		await checkReplaceable(path, this.#stats);
	}

	/**
	 * Checks again, when the folder is replaced, that it has not changed.
	 *
	 * @param root where the folder is now. @default its path
	 * @throws ShoalError ERR_EXISTS, ERR_ABORTED
	 */
	async checkUnchanged(options: HashOptions, root: string = this.path): Promise<void> {
		const { path } = this;
		const now = await found(root);
		if (now === undefined || identityOf(now) !== this.identity || this.#record === undefined) {
			throw fsError({ code: 'EEXIST' }, path);
		}
		const thread = new FolderThread(path, options);
		try {
			const job = { do: 'changes', root, record: this.#record } as const;
			this.#refuseChanges(await thread.run<string[]>(job));
		} finally {
			await thread.close();
		}
	}

	#refuseChanges(changed: readonly string[]): void {
		if (changed.length > 0) {
			throw new ShoalError(
				'ERR_EXISTS',
				`${quoted(this.path, 300)} was changed since shoal get made it${this.#named(changed)}, so it is not replaced; move it away or choose another with -o`,
			);
		}
	}

	#named(paths: readonly string[]): string {
		const named = paths.slice(0, MOST_NAMED).map((each) => quoted(each, 100));
		const more = paths.length > MOST_NAMED ? ` and ${paths.length - MOST_NAMED} more` : '';
		return named.length === 0 ? '' : ` (${named.join(', ')}${more})`;
	}
}

/** Removes a folder and all that is in it; a link is removed, not followed. @throws ShoalError */
export async function removeFolder(path: string): Promise<void> {
	await onFile(path, () => rm(path, { recursive: true, force: true }));
}
