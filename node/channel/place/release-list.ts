import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { nanoid } from 'nanoid';
import { ensureFolder } from '../../../broker/for-nodes.ts';
import { FolderThread } from '../../hashing/folder/folder-thread.ts';
import { found } from '../../storage/file-stamp.ts';
import { onFile } from '../../storage/fs-error.ts';
import { type FollowedFolder, isMissing } from './followed-folder.ts';
import { rightIn } from './inspect.ts';
import { compareVersions, type Version } from './place.ts';
import { readRecord, type VersionRecord, writeRecord } from './version-record.ts';

/** The folder with the releases, in the followed folder. */
export const RELEASES = 'releases';

/** A version in a folder of its own. */
export interface Release extends VersionRecord {
	/** The name of its folder. */
	readonly name: string;
	/** Absolute path of its folder. */
	readonly path: string;
}

/**
 * The releases that a follower has made, each with a record in the own folder. A release without a
 * record was made by people, or changed by them, and is left alone.
 */
export class ReleaseList {
	readonly #folder: FollowedFolder;
	/** The newest first. */
	#releases: readonly Release[] = [];

	private constructor(folder: FollowedFolder) {
		this.#folder = folder;
	}

	/** @throws ShoalError the errors of the file system */
	static async open(folder: FollowedFolder): Promise<ReleaseList> {
		const list = new ReleaseList(folder);
		const isNew = await isMissing(list.#records);
		for (const name of isNew ? [] : await onFile(list.#records, () => readdir(list.#records))) {
			const record = await readRecord(join(list.#records, name));
			// The process may have ended before the release got its name, or while it was removed.
			if (record === undefined || (await isMissing(list.#pathOf(name)))) {
				await list.#forget(name);
			} else {
				list.#add(name, record);
			}
		}
		return list;
	}

	/** The newest first. */
	get all(): readonly Release[] {
		return this.#releases;
	}

	find(name: string | undefined): Release | undefined {
		return this.#releases.find((release) => release.name === name);
	}

	/** A name for the release of `version` that is not in use yet. @throws ShoalError */
	async freeName({ block, seq }: Version): Promise<string> {
		const name = block > 0 ? `${block}-${seq}` : `${seq}`;
		for (let count = 1; ; count += 1) {
			const each = count === 1 ? name : `${name}.${count}`;
			if (await isMissing(this.#pathOf(each))) {
				return each;
			}
		}
	}

	/** Writes the record of a release. @throws ShoalError */
	async keep(name: string, record: VersionRecord): Promise<Release> {
		// Not before: the folder shows that a version was applied.
		await onFile(this.#records, () => ensureFolder(this.#records, 0o700));
		await writeRecord(join(this.#records, name), record);
		this.#releases = this.#releases.filter((release) => release.name !== name);
		return this.#add(name, record);
	}

	/** Forgets the releases whose folders people have removed or replaced. @throws ShoalError */
	async forgetMissing(): Promise<void> {
		for (const { name, path } of this.#releases) {
			if ((await found(path))?.isDirectory() !== true) {
				await this.#forget(name);
			}
		}
	}

	/**
	 * Those of `releases` that people have changed, or have added files to; without those that cannot
	 * be read.
	 */
	async changed(releases: readonly Release[]): Promise<Release[]> {
		const changed: Release[] = [];
		for (const release of releases) {
			if (await this.#isChanged(release).catch(() => false)) {
				changed.push(release);
			}
		}
		return changed;
	}

	/**
	 * Removes a release, or leaves it to people if they have changed it. Never rejects: a release
	 * that cannot be read or moved stays in the list.
	 */
	async remove(release: Release): Promise<void> {
		const { name, path } = release;
		// Under this name, the rest is removed when the folder is opened again.
		const removed = this.#folder.file(`${nanoid()}.tmp`);
		try {
			await rename(path, removed);
			const moved = { ...release, path: removed };
			const isChanged = await this.#isChanged(moved).catch(() => undefined);
			if (isChanged !== false) {
				await rename(removed, path);
			}
			if (isChanged !== undefined) {
				await this.#forget(name);
			}
			await rm(removed, { recursive: true, force: true });
		} catch {
			// People may have made it read-only. The version is applied nevertheless.
		}
	}

	/** Leaves a release to people. @throws ShoalError */
	async leave({ name }: Release): Promise<void> {
		await this.#forget(name);
	}

	/** @throws ShoalError the errors of the file system */
	async #isChanged(release: Release): Promise<boolean> {
		const { path, index, version } = release;
		const { hasKinds } = this.#folder;
		// Files that were touched, but have the same bytes, are unchanged.
		const { numbers: stamps } = await rightIn(path, release, release.stamps, { hasKinds });
		const thread = new FolderThread(path, {});
		try {
			const record = { seed: version.seed, index, stamps };
			const changes = await thread.run<string[]>({ do: 'changes', root: path, record });
			const gone = await Promise.all(changes.map((each) => isMissing(join(path, each))));
			return gone.includes(false);
		} finally {
			await thread.close();
		}
	}

	get #records(): string {
		return this.#folder.file(RELEASES);
	}

	#pathOf(name: string): string {
		return join(this.#folder.root, RELEASES, name);
	}

	#add(name: string, record: VersionRecord): Release {
		const release = { ...record, name, path: this.#pathOf(name) };
		this.#releases = [...this.#releases, release].sort((a, b) =>
			compareVersions(b.version, a.version),
		);
		return release;
	}

	async #forget(name: string): Promise<void> {
		this.#releases = this.#releases.filter((release) => release.name !== name);
		const path = join(this.#records, name);
		await onFile(path, () => rm(path, { force: true }));
	}
}
