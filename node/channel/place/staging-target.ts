import { lstatSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Seed, ShoalError } from '../../../protocol/index.ts';
import { InlineWriter } from '../../chunk-writer/inline-writer.ts';
import { FileTarget } from '../../download/target/file-target.ts';
import { FolderRecords } from '../../download/target/folder-records.ts';
import { FolderTarget } from '../../download/target/folder-target.ts';
import type { Finished, Opened, OpenOptions, Target } from '../../download/target/target.ts';
import { digestChunk, type HashOptions } from '../../hashing/hasher.ts';
import type { KnownBytes } from '../../reuse/known-bytes.ts';
import type { StoredContent } from '../../storage/content-store.ts';
import { EntryStamps } from '../../storage/folder/entry-stamps.ts';
import { SeveralSources } from './older-bytes.ts';
import { pause } from './pause.ts';
import type { Version } from './place.ts';
import { type VersionContent, versionContent } from './version-content.ts';
import { writeSynced } from './version-record.ts';

/** The part of a version that has to be downloaded, and the sources of its bytes. */
export interface Needed {
	/** The paths of the entries that have to be downloaded. */
	readonly wanted: ReadonlySet<string>;
	/** Finds bytes of these entries in the folder. */
	readonly older: readonly (KnownBytes | undefined)[];
	/** If the version is a file: paths of files that may have its bytes. Otherwise empty. */
	readonly wholeFiles: readonly string[];
	/** Absolute path of the version in the followed folder, if nothing is wanted. */
	readonly path: string;
	/** Opens the version in the followed folder. Used only if nothing is wanted. */
	open(): Promise<StoredContent>;
}

/** A version whose wanted entries are staged. */
export interface StagedVersion {
	readonly content: VersionContent;
	/** Absolute path of the folder with the staged entries; undefined if nothing was wanted. */
	readonly root: string | undefined;
}

/** The functions with which a {@link StagingTarget} finds and stages the needed entries. */
export interface Staging {
	/** Makes the folder in which the version is staged. @returns its absolute path */
	prepare(seed: Seed): Promise<string>;
	/** Finds the part of a version that has to be downloaded. @throws ShoalError */
	need(content: VersionContent, options: HashOptions): Promise<Needed>;
	/** Called when the download is finished and synced. */
	staged(version: StagedVersion): void;
}

/** The files in a staging folder beside what is staged. */
const INDEX = '.index-of-version';
const RECORDS = '.records';
/** The folder in a staging folder for a version that is a file. */
const FILE = 'file';

/**
 * The target of a download into the staging folder of a follower. Only entries that the followed
 * folder does not have are downloaded.
 */
export class StagingTarget implements Target {
	readonly fallbackName = undefined;
	readonly #staging: Staging;
	/** Seed id. */
	readonly #id: string;
	/** Undefined if nothing is wanted. */
	#inner: Target | undefined;
	#content: VersionContent | undefined;
	/** The version in the followed folder, if nothing is wanted. */
	#there: StoredContent | undefined;
	/** Path of the version: staged, or in the followed folder. */
	#path: string | undefined;
	#settling: Promise<void> | undefined;

	constructor(id: string, staging: Staging) {
		this.#id = id;
		this.#staging = staging;
	}

	async open(seed: Seed, options: OpenOptions): Promise<Opened> {
		if (seed.id !== this.#id) {
			throw new ShoalError('ERR_SEED', `this is the seed ${seed.id}, not ${this.#id}`);
		}
		const folder = await this.#staging.prepare(seed);
		const index = await storedIndex(folder, seed, options);
		const content = versionContent(seed, index);
		this.#content = content;
		const needed = await this.#staging.need(content, options);
		if (needed.wanted.size === 0) {
			return await this.#openThere(needed);
		}
		return await this.#openStaging(folder, content, needed, options);
	}

	stored(chunk: number): void {
		this.#inner?.stored(chunk);
	}

	async finish(seed: Seed, options: HashOptions): Promise<Finished> {
		if (this.#inner === undefined) {
			return { path: this.#path as string, verified: 'whole' };
		}
		const finished = await this.#inner.finish(seed, options);
		if ('path' in finished) {
			this.#path = finished.path;
		}
		return finished;
	}

	settle(): Promise<void> {
		this.#settling ??= this.#settle();
		return this.#settling;
	}

	async abandon(): Promise<void> {
		await this.#inner?.abandon();
		await this.#there?.storage.close();
	}

	async #settle(): Promise<void> {
		await this.#inner?.settle();
		const content = this.#content as VersionContent;
		const path = this.#inner && this.#path;
		// A version that is a file is staged as the entry of a folder.
		const root = path && content.folder === undefined ? dirname(path) : path;
		this.#staging.staged({ content, root });
	}

	async #openThere({ open, path }: Needed): Promise<Opened> {
		this.#path = path;
		const there = await open();
		this.#there = there;
		const { seed, storage, have, folder } = there;
		const writer = new InlineWriter(seed, storage, digestChunk);
		return { storage, writer, have, folder, wasThere: true };
	}

	async #openStaging(
		output: string,
		{ seed, folder, index, entries }: VersionContent,
		{ wanted, older, wholeFiles }: Needed,
		options: OpenOptions,
	): Promise<Opened> {
		const isWanted =
			wanted.size === entries.length ? undefined : (path: string) => wanted.has(path);
		const records = new FolderRecords(join(output, RECORDS));
		const inner =
			folder === undefined
				? new FileTarget(join(output, FILE, '/'))
				: new FolderTarget({ output, check: 'whole', isWanted, records });
		this.#inner = inner;
		const opened = await inner.open(seed, {
			...options,
			index: async () => index,
			wholeFiles: async () => [...wholeFiles, ...((await options.wholeFiles?.()) ?? [])],
		});
		return { ...opened, older: new SeveralSources([...older, opened.older]) };
	}
}

/**
 * The staged files of `version`: none, if its seed is the one that is applied. Undefined if it was
 * not downloaded.
 */
export function stagedFor(
	{ seed }: Version,
	staged: StagedVersion | undefined,
	applied: VersionContent | undefined,
): StagedVersion | undefined {
	if (staged?.content.seed.id === seed) {
		return staged;
	}
	return applied?.seed.id === seed ? { content: applied, root: undefined } : undefined;
}

/** The stamps of the entries that are staged. */
export async function stampsOfStaged({ content, root }: StagedVersion): Promise<EntryStamps> {
	const { entries } = content;
	const stamps = new EntryStamps(entries.length);
	if (root === undefined) {
		return stamps;
	}
	for (const [number, { path }] of entries.entries()) {
		const stats = lstatSync(join(root, path), { bigint: true, throwIfNoEntry: false });
		if (stats !== undefined) {
			stamps.set(number, stats);
		}
		await pause(number);
	}
	return stamps;
}

/**
 * The index of a folder, fetched or as an earlier download has stored it; undefined for a file.
 *
 * @throws ShoalError
 */
async function storedIndex(
	folder: string,
	seed: Seed,
	options: OpenOptions,
): Promise<Uint8Array | undefined> {
	if (seed.index === undefined) {
		return undefined;
	}
	const path = join(folder, INDEX);
	try {
		return versionContent(seed, Uint8Array.from(await readFile(path))).index;
	} catch {
		const index = (await options.index?.()) ?? new Uint8Array();
		await writeSynced(path, [versionContent(seed, index).index]);
		return index;
	}
}
