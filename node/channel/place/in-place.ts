import { accessSync, constants, type Stats, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { quoted, ShoalError } from '../../../protocol/index.ts';
import { checkNames, nameRulesIn } from '../../download/target/folder-names.ts';
import type { Target } from '../../download/target/target.ts';
import type { HashOptions } from '../../hashing/hasher.ts';
import type { StoredContent } from '../../storage/content-store.ts';
import { fsError, onFile } from '../../storage/fs-error.ts';
import { abortError } from '../../util/abort.ts';
import { FollowedFolder, type OpenOptions } from './followed-folder.ts';
import { inspect, rightIn } from './inspect.ts';
import { olderBytes, rightBytes, sameFile } from './older-bytes.ts';
import { type Applied, isSameVersion, type Place, type Version } from './place.ts';
import { SetAsideLog } from './set-aside-log.ts';
import {
	type Needed,
	type StagedVersion,
	StagingTarget,
	stagedFor,
	stampsOfStaged,
} from './staging-target.ts';
import { openVersion } from './stored-version.ts';
import { Switcher } from './switcher.ts';
import { checkNotOwn, type VersionContent } from './version-content.ts';
import { readRecord, type VersionRecord, writeRecord } from './version-record.ts';

/** Options of {@link openInPlace}. */
export interface InPlaceOptions extends OpenOptions {
	/** Channel id, 64 hex digits. */
	readonly channel: string;
}

/** The names of the records in the own folder. */
const APPLIED = 'applied';
const SWITCH = 'switch';
const { W_OK, X_OK } = constants;

/**
 * Opens the folder at `dir` to follow a channel in place: the files of each version replace those
 * of the version before. Makes the folder if it is missing. If an earlier process has begun a switch
 * to a version, this switch is completed first.
 *
 * @throws ShoalError ERR_EXISTS if another process follows into the folder, or if it follows another
 *   channel; ERR_PERMISSION, ERR_NO_SPACE, ERR_IO, ERR_ABORTED
 */
export async function openInPlace(
	dir: string,
	{ channel, ...options }: InPlaceOptions,
): Promise<Place> {
	const folder = await FollowedFolder.open(dir, { kind: 'in-place', channel }, options);
	try {
		const place = new InPlace(folder, await readRecord(folder.file(APPLIED)));
		await place.endSwitch();
		return place;
	} catch (error) {
		await folder.close();
		throw error;
	}
}

class InPlace implements Place {
	readonly skipped = undefined;
	readonly #folder: FollowedFolder;
	#record: VersionRecord | undefined;
	/** The version whose download was finished last. */
	#staged: StagedVersion | undefined;
	#isTorn = false;

	constructor(folder: FollowedFolder, record: VersionRecord | undefined) {
		this.#folder = folder;
		this.#record = record;
	}

	get applied(): Version | undefined {
		return this.#record?.version;
	}

	get result(): Applied | undefined {
		const record = this.#record;
		return record && { path: this.#pathOf(record), kept: record.kept };
	}

	get isTorn(): boolean {
		return this.#isTorn;
	}

	target({ seed }: Version): Target {
		return new StagingTarget(seed, {
			prepare: async () => {
				await this.endSwitch();
				// The staged files of another version are removed.
				this.#staged = undefined;
				return this.#folder.file(await this.#folder.stage(seed));
			},
			need: (content, options) => this.#need(content, options),
			staged: (version) => {
				this.#staged = version;
			},
		});
	}

	async apply(version: Version, signal?: AbortSignal): Promise<Applied> {
		await this.endSwitch();
		if (!isSameVersion(this.applied, version)) {
			await this.#switch(await this.#begin(version, signal));
		}
		return this.result as Applied;
	}

	async content(): Promise<StoredContent | undefined> {
		const record = this.#record;
		if (record === undefined) {
			return undefined;
		}
		const { root, hasKinds } = this.#folder;
		const options = { hasKinds, hashesOthers: false };
		const stamps = await rightIn(root, record, record.stamps, options);
		const hasFile = record.folder !== undefined || stamps.has(0);
		return hasFile ? await openVersion(root, record, stamps) : undefined;
	}

	async close(): Promise<void> {
		await this.#folder.close();
	}

	/**
	 * Completes the switch that was begun, if there is one.
	 *
	 * @throws ShoalError the errors of the file system; the switch can be completed later
	 */
	async endSwitch(): Promise<void> {
		const next = await readRecord(this.#folder.file(SWITCH));
		if (next === undefined) {
			return;
		}
		const record = this.#record;
		if (record !== undefined && !isSameVersion(next.version, record.version)) {
			// Files may have been touched since the switch began, but have the same bytes.
			const { root, hasKinds } = this.#folder;
			const stamps = await rightIn(root, record, record.stamps, { hasKinds });
			this.#record = { ...record, stamps };
		}
		await this.#switch(next);
	}

	async #switch(next: VersionRecord): Promise<void> {
		const folder = this.#folder;
		this.#isTorn = true;
		if (!isSameVersion(next.version, this.applied)) {
			const { stamps, kept } = await new Switcher(folder, this.#record, next).run();
			const { staged: _, stagedAt: __, ...version } = next;
			const record: VersionRecord = { ...version, stamps, kept };
			await writeRecord(folder.file(APPLIED), record);
			this.#record = record;
		}
		this.#staged = undefined;
		await new SetAsideLog(folder.file('set-aside')).remove();
		await onFile(folder.file(SWITCH), () => rm(folder.file(SWITCH), { force: true }));
		this.#isTorn = false;
		await folder.clearStaging();
	}

	#pathOf({ folder, entries }: VersionContent): string {
		const { dir } = this.#folder;
		return folder === undefined ? join(dir, entries[0]?.path ?? '') : dir;
	}

	async #need(content: VersionContent, options: HashOptions): Promise<Needed> {
		checkNotOwn(content);
		const { root, own, hasKinds } = this.#folder;
		// Also names that differ only in case from those of entries that need no download.
		checkNames(content.entries, await nameRulesIn(own, false));
		const about = { ...options, hasKinds };
		const { older, right } = await inspect(root, this.#record, content, about);
		const wanted = content.entries.filter(({ kind }, at) => kind !== 'd' && !right.has(at));
		const { digest } = content.seed;
		const same = older?.entries.filter((entry) => entry.digest === digest) ?? [];
		const files = same.map(({ path }) => join(root, path));
		const others = [older && olderBytes(root, older), rightBytes(root, content, right)];
		return {
			wanted: new Set(wanted.map(({ path }) => path)),
			older: [...files.map((path) => sameFile(path, content)), ...others],
			path: this.#pathOf(content),
			wholeFiles: files,
			open: async () => {
				const there = await openVersion(root, content, right);
				if (there === undefined) {
					throw changed(root, content.entries[0]?.path);
				}
				return there;
			},
		};
	}

	/**
	 * Writes the record of a switch to `version`. After that, the switch is not given up.
	 *
	 * @returns the record of the version, with what is staged
	 */
	async #begin(version: Version, signal: AbortSignal | undefined): Promise<VersionRecord> {
		const staged = stagedFor(version, this.#staged, this.#record);
		if (staged === undefined) {
			throw new ShoalError(
				'ERR_NOT_FOUND',
				`the seed ${version.seed} was not downloaded into ${quoted(this.#folder.dir, 300)}`,
			);
		}
		const { content } = staged;
		const { root, own, hasKinds } = this.#folder;
		const about = { signal, hasKinds };
		const { older, right } = await inspect(root, this.#record, content, about);
		const next: VersionRecord = {
			...content,
			version,
			stamps: right,
			staged: await stampsOfStaged(staged),
			stagedAt: staged.root && relative(own, staged.root),
			kept: [],
		};
		checkAllThere(root, next);
		await checkWritable(root, await new Switcher(this.#folder, older, next).folders(), own);
		if (signal?.aborted) {
			throw abortError(signal, 'the switch was stopped before it began');
		}
		if (older !== undefined) {
			// Files that were touched, but have the same bytes, have new stamps.
			await writeRecord(this.#folder.file(APPLIED), older);
			this.#record = older;
		}
		await writeRecord(this.#folder.file(SWITCH), next);
		return next;
	}
}

/**
 * Checks that each file of a version is staged, or in the followed folder.
 *
 * @throws ShoalError ERR_CHANGED
 */
function checkAllThere(root: string, { entries, stamps, staged }: VersionRecord): void {
	const missing = entries.find(({ kind }, number) => {
		return kind !== 'd' && !stamps.has(number) && staged?.has(number) !== true;
	});
	if (missing !== undefined) {
		throw changed(root, missing.path);
	}
}

function changed(root: string, path = ''): ShoalError {
	return new ShoalError(
		'ERR_CHANGED',
		`${quoted(join(root, path), 300)} was changed while a new version that has it unchanged was downloaded; it is downloaded again, and your file is set aside`,
	);
}

/**
 * Checks, before a switch begins, that its steps can be done.
 *
 * @param folders paths of folders below `root`
 * @throws ShoalError ERR_PERMISSION, ERR_IO
 */
async function checkWritable(root: string, folders: readonly string[], own: string): Promise<void> {
	const { dev } = statSync(own);
	for (const folder of folders) {
		const path = join(root, folder);
		let stats: Stats;
		try {
			accessSync(path, W_OK | X_OK);
			stats = statSync(path);
		} catch (error) {
			throw fsError(error, path);
		}
		if (stats.dev !== dev) {
			throw new ShoalError(
				'ERR_IO',
				`${quoted(path, 300)} is on another file system than ${quoted(own, 300)}, and files are not moved between the two; mount it elsewhere, or follow into a folder inside it`,
			);
		}
	}
}
