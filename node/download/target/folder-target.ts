import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Bitfield, Folder, type Seed, ShoalError } from '../../../protocol/index.ts';
import { InlineWriter } from '../../chunk-writer/inline-writer.ts';
import { ThreadWriter } from '../../chunk-writer/thread-writer.ts';
import { rightInFolder } from '../../hashing/folder/folder-chunks.ts';
import { folderStamp } from '../../hashing/folder/folder-stamp.ts';
import { folderSeedOf } from '../../hashing/folder/make-folder.ts';
import { digestChunk, type HashOptions } from '../../hashing/hasher.ts';
import type { SeedCache } from '../../hashing/seed-cache.ts';
import type { SelectedChunks } from '../../storage/content-store.ts';
import { copyChunks } from '../../storage/copy-chunks.ts';
import { CLOCK_TICK } from '../../storage/file-stamp.ts';
import { EntryStamps } from '../../storage/folder/entry-stamps.ts';
import { FolderStorage } from '../../storage/folder/folder-storage.ts';
import { syncAll } from '../../storage/folder/sync-all.ts';
import { isDiskError, onFile, syncFolder } from '../../storage/fs-error.ts';
import { bootId } from './boot-id.ts';
import { checkRoom, makingFile } from './check-output.ts';
import { ExistingFolder } from './existing-folder.ts';
import { checkNames, foldsCase } from './folder-names.ts';
import { FolderRecords, type RecordedPlace } from './folder-records.ts';
import { Journal } from './journal.ts';
import { OutputLock } from './output-lock.ts';
import { resolveOutput } from './part-file.ts';
import { PartFolder, restoreReplaced } from './part-folder.ts';
import { type PartPaths, partPathsOf } from './part-paths.ts';
import {
	type Finished,
	type Opened,
	type OpenOptions,
	seedLies,
	type Target,
	type Verified,
} from './target.ts';

/** No seed has an empty index. */
const NO_INDEX = new Uint8Array();

/** Options of a {@link FolderTarget}. */
export interface FolderTargetOptions {
	/** As in {@link FileTarget}. */
	readonly output: string | undefined;
	readonly check: Verified;
	/** Which entries are wanted; undefined: all. */
	readonly isWanted?: ((path: string) => boolean) | undefined;
	/** Cache in which the finished folder is remembered, so that it can be shared without hashing. @default none */
	readonly cache?: SeedCache | undefined;
	/** @default those of this user */
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
	/** The target that chooses between a file and a folder knows the name. */
	readonly fallbackName = undefined;
	readonly #options: FolderTargetOptions;
	readonly #records: FolderRecords;
	/** Remembers the finished folder. */
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
		await this.#appear(part, storage, seed, options);
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
		await (this.#hasFailed ? this.#journal?.fail() : this.#journal?.close());
		await this.#storage?.close();
		await this.#lock?.release();
	}

	async #open(paths: PartPaths, seed: Seed, options: OpenOptions): Promise<Opened> {
		await restoreReplaced(paths.path);
		const part = await PartFolder.open(paths);
		this.#part = part;
		const index = (await this.#storedIndex(part, seed)) ?? (await options.index?.()) ?? NO_INDEX;
		const folder = new Folder(seed, index);
		const { isWanted = () => true } = this.#options;
		this.#wanted = this.#options.isWanted && wantedPaths(folder, isWanted);
		const selected = this.#wanted && selectedChunks(seed, folder, this.#wanted);
		const about = { seed: folderSeedOf(seed), index: folder.index, wanted: this.#wanted };
		const at = { ...about, root: paths.path };
		const existing = await ExistingFolder.compare(at, this.#records, options);
		if (existing?.isComplete(isWanted)) {
			this.#part = undefined;
			// The process may have ended before the folder was synced.
			this.#isUnsynced = part.wasThere;
			await part.remove();
			const { storage, have } = existing.open(seed, folder, selected?.whole);
			this.#storage = storage;
			store(selected, selected?.wanted);
			const writer = new InlineWriter(seed, storage, digestChunk);
			return { storage, writer, have, wasThere: true, folder, selected };
		}
		await existing?.checkReplaceable();
		this.#existing = existing;
		const isWindows = process.platform === 'win32';
		checkNames(folder.entries, { isFolding: await foldsCase(part.side), isWindows });
		const location = { ...about, root: part.root, side: part.side };
		const storage = new FolderStorage(location, folder);
		this.#storage = storage;
		const have = await this.#resume(paths, part, storage, seed, options);
		store(selected, have);
		await checkRoomFor(
			dirname(paths.path),
			seed,
			have,
			selected,
			part.wasThere ? 0 : folder.entries.length,
		);
		await this.#journal?.begin(have);
		const files = {
			location: { folder: location },
			path: part.root,
			checkNamed: () => storage.checkNamed(),
		};
		this.#writer = new ThreadWriter(
			seed,
			files,
			this.#options.check === 'whole' ? have : undefined,
		);
		return { storage, writer: this.#writer, have, wasThere: false, folder, selected };
	}

	async #storedIndex(part: PartFolder, seed: Seed): Promise<Uint8Array | undefined> {
		const index = await part.storedIndex(seed.index as number);
		try {
			return index && new Folder(seed, index).index;
		} catch {
			return undefined;
		}
	}

	/** The chunks that an earlier download has stored. */
	async #resume(
		paths: PartPaths,
		part: PartFolder,
		storage: FolderStorage,
		seed: Seed,
		options: HashOptions,
	): Promise<Bitfield> {
		const { boot = bootId } = this.#options;
		// Whether other programs have written to the files is not asked: their digests are checked at
		// the end.
		const stats = Object.assign(Object.create(part.stats), {
			size: BigInt(seed.length),
			mtimeMs: 0n,
		});
		const journal = new Journal({ path: paths.journal, seed, part: stats, bootId: await boot() });
		this.#journal = journal;
		const recorded = part.wasThere ? await journal.read() : undefined;
		if (recorded === undefined) {
			return part.wasThere
				? await rightInFolder(storage.location, seed, options)
				: new Bitfield(seed.chunks);
		}
		if (recorded === 'failed') {
			const right = await rightInFolder(storage.location, seed, options);
			await copyChunks(seed, right.indices(), {
				from: storage,
				to: storage,
				signal: options.signal,
			});
			return right;
		}
		return recorded.isTrusted && this.#options.check === 'whole'
			? recorded.chunks
			: await rightInFolder(storage.location, seed, options, recorded.chunks);
	}

	/** The error if a file is not what the index says, or cannot be read; else undefined. */
	async #flaw(seed: Seed, options: HashOptions): Promise<unknown> {
		try {
			return (await this.#writer?.isRight(options.signal)) ? undefined : seedLies(seed);
		} catch (error) {
			if (isDiskError(error) || (error instanceof ShoalError && error.code !== 'ERR_ABORTED')) {
				return error;
			}
			throw error;
		}
	}

	/** Finds the chunks that are wrong. @throws `flaw` if none is: the seed itself is wrong */
	async #afterFlaw(flaw: unknown, seed: Seed, options: HashOptions): Promise<Finished> {
		const [part, storage] = [this.#part as PartFolder, this.#storage as FolderStorage];
		const selected = this.#wanted && selectedChunks(seed, storage.folder, this.#wanted);
		const right = await rightInFolder(storage.location, seed, options, selected?.whole);
		// A chunk of which not all bytes are kept cannot be hashed: it is fetched again.
		const expected = selected?.wanted ?? Bitfield.full(seed.chunks);
		const bad = [...expected.indices()].filter((chunk) => !right.has(chunk));
		if (bad.length === 0) {
			if (!isDiskError(flaw)) {
				await this.#writer?.close();
				await part.remove();
				await this.#journal?.remove();
				await this.#lock?.release();
			}
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
		const { stamps, links } = await writer.finishFolder();
		await writer.close();
		const parent = await onFile(part.path, () => realpath(dirname(part.path)));
		const path = join(parent, basename(part.path));
		const place = { path, identity: await part.identity() };
		const { index, seed: about, wanted } = location;
		await this.#records.keep(place, { seed: seed.id, index, stamps });
		const made = new EntryStamps(stamps);
		// Later, other programs can change the files: each change must show.
		await restSince(made.changedAt);
		await this.#existing?.checkUnchanged(options);
		this.#replaced = this.#existing && { path, identity: this.#existing.identity };
		part.appear(this.#existing !== undefined);
		storage.moved({ root: part.path, seed: about, index, wanted, links }, made);
		const { cache, check } = this.#options;
		if (wanted === undefined && check === 'whole' && made.isFine) {
			const stamp = folderStamp(index, made);
			this.#remember = async () => await cache?.rememberFolder(path, { stamp, seed, index });
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
		await this.#lock?.release();
		await this.#remember?.();
	}
}

/** Resolves so long after a change, at `changedAt` in ms since 1970, that the next one gets another time. */
async function restSince(changedAt: number): Promise<void> {
	const wait = Math.min(CLOCK_TICK, changedAt + CLOCK_TICK - Date.now());
	if (wait > 0) {
		await new Promise((resolve) => setTimeout(resolve, wait));
	}
}

/** The paths of the entries that `isWanted` selects. @throws ShoalError ERR_NOT_FOUND if there are none */
function wantedPaths(folder: Folder, isWanted: (path: string) => boolean): Set<string> {
	const wanted = folder.entries.filter(({ path }) => isWanted(path)).map(({ path }) => path);
	if (wanted.length === 0) {
		throw new ShoalError(
			'ERR_NOT_FOUND',
			'nothing in the folder matches --only and --exclude; shoal ls ID shows what is in it',
		);
	}
	return new Set(wanted);
}

/** Marks `chunks` as stored, as far as they are wanted. */
function store(selected: SelectedChunks | undefined, chunks: Bitfield | undefined): void {
	for (const chunk of chunks?.indices() ?? []) {
		if (selected?.wanted.has(chunk)) {
			selected.stored.set(chunk);
		}
	}
}

/** The chunks of the wanted entries. */
function selectedChunks(seed: Seed, folder: Folder, wanted: ReadonlySet<string>): SelectedChunks {
	const [touched, whole] = [new Bitfield(seed.chunks), Bitfield.full(seed.chunks)];
	touched.setRange(0, Math.ceil(folder.index.length / seed.layout.chunkSize));
	for (const { entry, offset, length } of folder.pieces) {
		const first = seed.layout.chunkAt(offset);
		const last = seed.layout.chunkAt(offset + length - 1);
		if (entry !== undefined && wanted.has(entry.path)) {
			touched.setRange(first, last - first + 1);
		} else if (entry !== undefined) {
			for (let chunk = first; chunk <= last; chunk += 1) {
				whole.clear(chunk);
			}
		}
	}
	for (const chunk of [...whole.indices()].filter((each) => !touched.has(each))) {
		whole.clear(chunk);
	}
	return { paths: wanted, wanted: touched, whole, stored: new Bitfield(seed.chunks) };
}

async function checkRoomFor(
	folder: string,
	{ layout, chunks }: Seed,
	have: Bitfield,
	selected: SelectedChunks | undefined,
	files: number,
): Promise<void> {
	const wanted = selected?.wanted ?? Bitfield.full(chunks);
	let bytes = 0;
	for (const chunk of wanted.indices()) {
		bytes += have.has(chunk) ? 0 : layout.sizeOf(chunk);
	}
	await checkRoom(folder, bytes, files);
}
