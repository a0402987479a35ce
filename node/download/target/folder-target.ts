import { realpath, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Bitfield, Folder, isShoalError, type Seed } from '../../../protocol/index.ts';
import type { ChunkWriter } from '../../chunk-writer/chunk-writer.ts';
import { threadsFor } from '../../chunk-writer/content-threads.ts';
import { InlineWriter } from '../../chunk-writer/inline-writer.ts';
import { ThreadWriter } from '../../chunk-writer/thread-writer.ts';
import { rightInFolder } from '../../hashing/folder/folder-chunks.ts';
import { folderStamp } from '../../hashing/folder/folder-stamp.ts';
import { folderSeedOf } from '../../hashing/folder/make-folder.ts';
import { digestChunk, type HashOptions } from '../../hashing/hasher.ts';
import type { SeedCache } from '../../hashing/seed-cache.ts';
import { restSince } from '../../storage/file-stamp.ts';
import { EntryStamps } from '../../storage/folder/entry-stamps.ts';
import { FolderStorage } from '../../storage/folder/folder-storage.ts';
import { syncAll } from '../../storage/folder/sync-all.ts';
import { onFile, syncFolder } from '../../storage/fs-error.ts';
import { isDiskError } from '../../storage/io-errors.ts';
import { bootId } from './boot-id.ts';
import { checkRoom, makingFile } from './check-output.ts';
import { ExistingFolder } from './existing-folder.ts';
import { checkNames, nameRulesIn } from './folder-names.ts';
import { FolderRecords, type RecordedPlace } from './folder-records.ts';
import { journalPart, resumableInFolder } from './folder-resume.ts';
import {
	both,
	missingBytes,
	selectedChunks,
	selectionId,
	wantedPaths,
} from './folder-selection.ts';
import { Journal } from './journal.ts';
import { OutputLock } from './output-lock.ts';
import { resolveOutput } from './part-file.ts';
import { PartFolder, settleEarlier } from './part-folder.ts';
import { type PartPaths, partPathsOf } from './part-paths.ts';
import {
	type Finished,
	type Opened,
	type OpenOptions,
	seedLies,
	type Target,
	type Verified,
} from './target.ts';

/** Used if the index cannot be fetched. It is refused, because no seed has an empty index. */
const NO_INDEX = new Uint8Array();
/** Codes of errors of a file that is missing, or is not what was written. */
const BAD_FILE: ReadonlySet<string> = new Set([
	'ERR_CHANGED',
	'ERR_FOLDER',
	'ERR_NO_FILE',
	'ERR_PERMISSION',
]);

/** Options of a {@link FolderTarget}. */
export interface FolderTargetOptions {
	/** As in {@link FileTarget}. */
	readonly output: string | undefined;
	readonly check: Verified;
	/** Which entries are wanted; undefined: all. */
	readonly isWanted?: ((path: string) => boolean) | undefined;
	/**
	 * Cache in which the finished folder is remembered, so that it can be shared without hashing.
	 * @default none
	 */
	readonly cache?: SeedCache | undefined;
	/** Finds out what can be stored in a folder. @default by a trial */
	readonly rules?: typeof nameRulesIn | undefined;
	/** Records of the folders that downloads have made. @default those of this user */
	readonly records?: FolderRecords | undefined;
	/** Returns an id that changes with every start of the system. @default that of the system */
	readonly boot?: (() => Promise<string | undefined>) | undefined;
}

/**
 * A folder that gets its final name when it is complete; until then its files are in a part folder,
 * beside a journal of its chunks. A folder that already has the final name is left as it is if it is
 * right. It is replaced at the end if a download has put it there and nobody has changed it.
 */
export class FolderTarget implements Target {
	/** Not used here: the target that chooses between a file and a folder has a fallback name. */
	readonly fallbackName = undefined;
	readonly #options: FolderTargetOptions;
	readonly #records: FolderRecords;
	/** Puts the finished folder into the cache; undefined if it must not be cached. */
	#remember: (() => Promise<void>) | undefined;
	#lock: OutputLock | undefined;
	#existing: ExistingFolder | undefined;
	/** The place of the folder that was replaced. */
	#replaced: RecordedPlace | undefined;
	#part: PartFolder | undefined;
	#journal: Journal | undefined;
	#writer: ThreadWriter | undefined;
	#storage: FolderStorage | undefined;
	/** The paths of the wanted entries; undefined: all. */
	#wanted: ReadonlySet<string> | undefined;
	#settling: Promise<void> | undefined;
	/** Whether the folder has its final name, but may not be on the disk yet. */
	#isUnsynced = false;
	#hasFailed = false;
	/** Whether the seed is wrong: then nothing of this download is kept. */
	#isUseless = false;
	/** The files that an earlier download has left, if this download has nothing to write. */
	#left: { readonly part: PartFolder; readonly journal: string } | undefined;

	constructor(options: FolderTargetOptions) {
		this.#options = options;
		this.#records = options.records ?? new FolderRecords();
	}

	async open(seed: Seed, options: OpenOptions): Promise<Opened> {
		const paths = partPathsOf(await resolveOutput(this.#options.output, seed.name), seed);
		const taking = (): Promise<OutputLock> => OutputLock.take(paths, seed, options);
		this.#lock = await makingFile(dirname(paths.path), taking);
		try {
			return await this.#open(paths, seed, options);
		} catch (error) {
			// Nothing stays of a download that could not begin.
			if (this.#part?.wasThere === false) {
				await this.#part.remove();
				this.#part = undefined;
			}
			if (this.#part === undefined) {
				await this.#lock.release();
			}
			throw error;
		}
	}

	stored(chunk: number): void {
		this.#journal?.record(chunk);
	}

	async finish(seed: Seed, options: HashOptions): Promise<Finished> {
		const [part, storage] = [this.#part, this.#storage as FolderStorage];
		const { check } = this.#options;
		if (part === undefined) {
			return { path: storage.path, verified: 'whole' };
		}
		const flaw = check === 'chunks' ? undefined : await this.#flaw(seed, options);
		if (flaw !== undefined) {
			return await this.#afterFlaw(flaw, seed, options);
		}
		try {
			await this.#appear(part, storage, seed, options);
		} catch (error) {
			throw this.#noted(error);
		}
		return { path: part.path, verified: check };
	}

	settle(): Promise<void> {
		this.#settling ??= this.#settle();
		return this.#settling;
	}

	async abandon(): Promise<void> {
		// The caller of `settle` gets the error.
		await this.#settling?.catch(() => {});
		await this.#writer?.close();
		const hasFailed = this.#hasFailed || this.#writer?.hasLost;
		await (hasFailed ? this.#journal?.fail() : this.#journal?.close());
		await this.#storage?.close();
		if (this.#isUseless) {
			await this.#part?.remove();
			await this.#journal?.remove();
		}
		await this.#lock?.release();
	}

	async #open(paths: PartPaths, seed: Seed, options: OpenOptions): Promise<Opened> {
		await settleEarlier(paths);
		const part = await PartFolder.open(paths);
		this.#part = part;
		const index = (await this.#storedIndex(part, seed)) ?? (await options.index?.()) ?? NO_INDEX;
		const folder = new Folder(seed, index);
		const about = { seed: folderSeedOf(seed), index: folder.index };
		const existing = await ExistingFolder.compare({ ...about, root: paths.path }, this.#records, {
			...options,
			// A folder that an earlier download has not settled may not have reached the disk.
			isTrusted: !part.wasThere,
		});
		const { isWanted = () => true } = this.#options;
		if (existing?.isComplete(isWanted)) {
			return await this.#openExisting(existing, { part, paths, seed, folder });
		}
		await existing?.checkReplaceable();
		this.#existing = existing;
		// If an earlier download of the same seed has fetched other entries, they are kept.
		const others = existing?.recordedOf(seed, folder) ?? [];
		this.#wanted = this.#options.isWanted && wantedPaths(folder, isWanted, others);
		await this.#checkNames(part, folder);
		const location = { ...about, wanted: this.#wanted, root: part.root, side: part.side };
		const storage = new FolderStorage(location, folder);
		this.#storage = storage;
		return await this.#openPart(part, paths, storage, seed, options);
	}

	/** Opens an existing folder that has everything that is wanted. */
	async #openExisting(
		existing: ExistingFolder,
		{
			part,
			paths,
			seed,
			folder,
		}: { part: PartFolder; paths: PartPaths; seed: Seed; folder: Folder },
	): Promise<Opened> {
		const { isWanted } = this.#options;
		const wanted = isWanted && wantedPaths(folder, isWanted, []);
		const selected = wanted && selectedChunks(seed, folder, wanted);
		this.#part = undefined;
		// An earlier process may have ended before it had synced the folder.
		this.#isUnsynced = part.wasThere;
		await part.dropContent();
		this.#left = { part, journal: paths.journal };
		const { storage, have } = existing.open(seed, folder, selected?.whole, wanted);
		this.#storage = storage;
		const stored = selected && { ...selected, stored: both(selected.wanted, selected.wanted) };
		const writer = new InlineWriter(seed, storage, digestChunk);
		return { storage, writer, have, wasThere: true, folder, selected: stored };
	}

	/** Opens the part folder, and finds what is stored in it. */
	async #openPart(
		part: PartFolder,
		paths: PartPaths,
		storage: FolderStorage,
		seed: Seed,
		options: HashOptions,
	): Promise<Opened> {
		const { check, boot = bootId } = this.#options;
		const { folder, location } = storage;
		const { wanted } = location;
		const selected = wanted && selectedChunks(seed, folder, wanted);
		const journal = new Journal({
			path: paths.journal,
			seed,
			part: journalPart(part, seed),
			bootId: await boot(),
			selection: selectionId(wanted),
		});
		this.#journal = journal;
		const about = { storage, seed, check };
		const found = await resumableInFolder(part, journal, about, options);
		const stored = selected === undefined ? found : both(found, selected.wanted);
		const files = part.wasThere ? 0 : (wanted?.size ?? folder.entries.length);
		await checkRoom(dirname(paths.path), missingBytes(seed, stored, selected), files);
		await journal.begin(stored);
		const toHash = check === 'whole' ? stored : undefined;
		this.#writer = new ThreadWriter(
			seed,
			{ location: { folder: location }, path: part.root, checkNamed: () => storage.checkNamed() },
			toHash,
			threadsFor(seed, toHash, missingBytes(seed, new Bitfield(seed.chunks), selected)),
		);
		return {
			storage,
			writer: this.#noting(this.#writer, part),
			have: selected === undefined ? stored : both(stored, selected.whole),
			wasThere: false,
			folder,
			older: this.#existing?.older,
			selected: selected && { ...selected, stored },
		};
	}

	/**
	 * Passes everything to `writer`. If `writer` finds that the seed is wrong, nothing of the
	 * download is kept.
	 */
	#noting(writer: ThreadWriter, { side }: PartFolder): ChunkWriter {
		return {
			write: async (run, segments) => {
				try {
					return await makingFile(side, () => writer.write(run, segments));
				} catch (error) {
					throw this.#noted(error);
				}
			},
			close: () => writer.close(),
		};
	}

	#noted(error: unknown): unknown {
		this.#isUseless ||= isShoalError(error, 'ERR_SEED');
		return error;
	}

	/** @throws ShoalError ERR_NAME if the file system cannot store the names of what is wanted */
	async #checkNames(part: PartFolder, folder: Folder): Promise<void> {
		const { rules = nameRulesIn } = this.#options;
		const wanted = this.#wanted;
		const entries = folder.entries.filter(({ path }) => wanted?.has(path) ?? true);
		const hasLinks = entries.some(({ kind }) => kind === 'l');
		checkNames(entries, await rules(part.side, hasLinks));
	}

	async #storedIndex(part: PartFolder, seed: Seed): Promise<Uint8Array | undefined> {
		try {
			const index = await part.storedIndex(seed.index as number);
			return index && new Folder(seed, index).index;
		} catch {
			// It is fetched again.
			return undefined;
		}
	}

	/** The error if a file is not what the index says, or cannot be read; else undefined. */
	async #flaw(seed: Seed, options: HashOptions): Promise<unknown> {
		try {
			return (await this.#writer?.isRight(options.signal)) ? undefined : seedLies(seed);
		} catch (error) {
			if (isDiskError(error) || (isShoalError(error) && BAD_FILE.has(error.code))) {
				return error;
			}
			throw error;
		}
	}

	/** Finds the chunks that are wrong. @throws `flaw` if no chunk is wrong */
	async #afterFlaw(flaw: unknown, seed: Seed, options: HashOptions): Promise<Finished> {
		const storage = this.#storage as FolderStorage;
		const selected = this.#wanted && selectedChunks(seed, storage.folder, this.#wanted);
		const right = await rightInFolder(storage.location, seed, options, selected?.whole);
		// A chunk of which not all bytes are kept cannot be hashed: it is fetched again.
		const expected = selected?.wanted ?? Bitfield.full(seed.chunks);
		const bad = [...expected.indices()].filter((chunk) => !right.has(chunk));
		if (bad.length === 0) {
			this.#isUseless = isShoalError(flaw, 'ERR_SEED_LIES');
			throw flaw;
		}
		await this.#journal?.begin(right);
		this.#writer?.restart(right);
		return { bad };
	}

	async #appear(
		part: PartFolder,
		storage: FolderStorage,
		seed: Seed,
		options: HashOptions,
	): Promise<void> {
		const writer = this.#writer as ThreadWriter;
		const { location } = storage;
		const { stamps, links } = await makingFile(part.side, () => writer.finishFolder());
		await writer.close();
		const parent = await onFile(part.path, () => realpath(dirname(part.path)));
		const path = join(parent, basename(part.path));
		const place = { path, identity: await part.identity() };
		const { index, seed: about, wanted } = location;
		await this.#records.keep(place, { seed: seed.id, index, stamps }, this.#existing?.identity);
		const made = new EntryStamps(stamps);
		// After this, other programs can change the files. Each such change must get another time.
		await restSince(made.changedAt);
		await this.#existing?.checkUnchanged(options);
		this.#replaced = this.#existing && { path, identity: this.#existing.identity };
		part.appear(this.#existing !== undefined);
		storage.moved({ root: part.path, seed: about, index, wanted, links }, made);
		// A large folder takes long to compare. What people changed meanwhile is in the old folder.
		await part.checkOld((old) => this.#existing?.checkUnchanged(options, old));
		const { cache, check } = this.#options;
		if (wanted === undefined && check === 'whole' && made.isFine) {
			const stamp = folderStamp(index, made);
			this.#remember = async () => await cache?.rememberFolder(path, { stamp, seed, index });
		}
	}

	async #removeLeft(): Promise<void> {
		const left = this.#left;
		if (left !== undefined) {
			await left.part.remove();
			await onFile(left.journal, () => rm(left.journal, { force: true }));
		}
	}

	/** Removes the journal last: as long as it exists, the files beside it are checked again. */
	async #settle(): Promise<void> {
		const storage = this.#storage as FolderStorage;
		if (this.#part !== undefined || this.#isUnsynced) {
			try {
				await syncAll(storage.path, storage);
				await syncFolder(dirname(storage.path));
			} catch (error) {
				this.#hasFailed = true;
				this.#part?.takeBack();
				throw error;
			}
			await this.#part?.remove();
		}
		if (this.#replaced !== undefined) {
			await this.#records.forget(this.#replaced);
		}
		await this.#journal?.remove();
		await this.#removeLeft();
		await this.#lock?.release();
		await this.#remember?.();
	}
}
