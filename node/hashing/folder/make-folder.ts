import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { Folder, isShoalError, quoted, Seed, ShoalError } from '../../../protocol/index.ts';
import { CLOCK_TICK, RACY } from '../../storage/file-stamp.ts';
import { EntryStamps } from '../../storage/folder/entry-stamps.ts';
import type { FolderLocation } from '../../storage/folder/folder-place.ts';
import { onFile } from '../../storage/fs-error.ts';
import type { HashOptions } from '../hasher.ts';
import { nameOf } from '../make-seed.ts';
import type { SeedCache } from '../seed-cache.ts';
import type { Draft } from './folder-jobs.ts';
import { folderStamp } from './folder-stamp.ts';
import { FolderThread } from './folder-thread.ts';
import type { FolderJob, HashedFiles } from './run-job.ts';
import type { OddEntry } from './scan-folder.ts';

/** Options of {@link checkFolder}. */
export interface ScanFolderOptions extends HashOptions {
	/** Globs of entries to leave out. @default none */
	readonly exclude?: readonly string[] | undefined;
	/**
	 * Whether to leave out what cannot be shared: pipes, sockets, devices, links that lead out of the
	 * folder, what cannot be read, and names that other systems cannot store. @default false: an error
	 */
	readonly skipOdd?: boolean | undefined;
}

/** Options of {@link makeFolder}. */
export interface MakeFolderOptions extends ScanFolderOptions {
	/** The name that others see. @default that of the folder */
	readonly name?: string | undefined;
	/** Called with what is left out, if there is any. @default none */
	readonly onOdd?: ((odd: readonly OddEntry[]) => void) | undefined;
	/**
	 * Cache of seeds. If a folder has not changed since it was last hashed or downloaded, its files
	 * are not read. @default none: all files are hashed
	 */
	readonly cache?: SeedCache | undefined;
	/** Called if the folder was in the cache, so that nothing is hashed. @default none */
	readonly onRemembered?: (() => void) | undefined;
	/** Called with the number of bytes to be hashed, each of them twice. @default none */
	readonly onLength?: ((bytes: number) => void) | undefined;
}

/** The seed of a folder, and where its files are. */
export interface FolderOnDisk {
	readonly seed: Seed;
	readonly folder: Folder;
	readonly location: FolderLocation;
	/** The stamp of each entry, which was the same before and after the entry was hashed. */
	readonly stamps: EntryStamps;
}

/** Most entries that an error names; the others are counted. */
const MOST_NAMED = 5;

/**
 * Makes the seed of the folder at `root`, an absolute path. Two threads read the files at the same
 * time, one for the digests of the files and one for those of the chunks.
 *
 * @param options.mayBeEmptied whether `exclude` may leave out everything. @default false
 * @throws ShoalError ERR_NAME, ERR_NO_FILE, ERR_PERMISSION, ERR_IO, ERR_ABORTED, ERR_LIMIT if there
 *   is too much in it, ERR_SEED if something in it cannot be shared or `exclude` leaves out
 *   everything, or ERR_CHANGED if it changed meanwhile
 */
export async function makeFolder(
	root: string,
	options: MakeFolderOptions & { readonly mayBeEmptied?: boolean } = {},
): Promise<FolderOnDisk> {
	const { cache } = options;
	const name = nameOf(root, options.name);
	const { draft, isRacy } = await scanAtRest(root, options);
	takeOdd(root, draft.odd, options);
	if (!options.mayBeEmptied) {
		await checkNotEmptied(root, draft, options);
	}
	const stamp = folderStamp(
		draft.location.index,
		new EntryStamps(draft.stamps),
		draft.location.names,
	);
	const remembered = await cache?.findFolder(root, name);
	if (remembered?.stamp === stamp) {
		options.onRemembered?.();
		return onDisk(draft, remembered.seed, remembered.index);
	}
	options.onLength?.(draft.location.seed.length);
	const made = await hashOrTell(name, draft, root, options);
	if (!isRacy) {
		await cache?.rememberFolder(root, { stamp, seed: made.seed, index: made.folder.index });
	}
	return made;
}

/**
 * Checks whether the folder at `root`, an absolute path, can be shared, as far as that is possible
 * without reading its files.
 *
 * @throws ShoalError as {@link makeFolder}
 */
export async function checkFolder(root: string, options: ScanFolderOptions): Promise<void> {
	const draft = await scan(root, options);
	takeOdd(root, draft.odd, options);
	await checkNotEmptied(root, draft, options);
}

/**
 * Scans a folder. If it has just been changed, waits and scans it again, so that a later change
 * gets another time than the last change before the scan.
 *
 * @returns the draft, and whether a later change might get the same time nevertheless, on a file
 *   system with coarse times
 */
async function scanAtRest(
	root: string,
	options: MakeFolderOptions,
): Promise<{ readonly draft: Draft; readonly isRacy: boolean }> {
	let begunAt = Date.now();
	let draft = await scan(root, options);
	if (new EntryStamps(draft.stamps).changedAt > begunAt - CLOCK_TICK) {
		await new Promise((resolve) => setTimeout(resolve, CLOCK_TICK));
		begunAt = Date.now();
		draft = await scan(root, options);
	}
	return { draft, isRacy: new EntryStamps(draft.stamps).changedAt > begunAt - RACY };
}

/** Hashes a folder. @throws as {@link makeFolder} */
async function hashOrTell(
	name: string,
	draft: Draft,
	root: string,
	options: MakeFolderOptions,
): Promise<FolderOnDisk> {
	try {
		return await hash(name, draft, options);
	} catch (error) {
		if (!isShoalError(error, 'ERR_ABORTED')) {
			// If a file was removed or replaced meanwhile, the error can be of many kinds. This
			// check throws ERR_CHANGED instead, which names the file.
			await runAlone({ do: 'check', draft }, root, options);
		}
		throw error;
	}
}

async function scan(root: string, options: ScanFolderOptions): Promise<Draft> {
	return await runAlone<Draft>({ do: 'scan', root, exclude: options.exclude ?? [] }, root, options);
}

/** Runs a job in a thread of its own: when it ends, the memory that it needed is free. */
async function runAlone<T>(job: FolderJob, root: string, options: HashOptions): Promise<T> {
	const thread = new FolderThread(root, options);
	try {
		return await thread.run<T>(job);
	} finally {
		await thread.close();
	}
}

/** The folder of a draft, whose seed and index are known. */
function onDisk({ location, stamps }: Draft, seed: Seed, index: Uint8Array): FolderOnDisk {
	const folder = new Folder(seed, index);
	const own = { ...location, seed: folderSeedOf(seed), index: folder.index };
	return { seed, folder, location: own, stamps: new EntryStamps(stamps) };
}

async function hash(name: string, draft: Draft, options: MakeFolderOptions): Promise<FolderOnDisk> {
	const { location } = draft;
	const { index: text, seed: about, root } = location;
	const { length, layout } = about;
	const first = Math.ceil(text.length / layout.chunkSize);
	const end = Math.ceil(length / layout.chunkSize);
	const [files, chunks] = [new FolderThread(root, options), new FolderThread(root, options)];
	try {
		const [{ index, firstDigests }, restDigests] = await Promise.all([
			files.run<HashedFiles>({ do: 'files', draft }),
			first < end
				? chunks.run<Uint8Array>({
						do: 'chunks',
						location,
						runs: [[first, end - 1]],
						passesUnreadable: false,
					})
				: new Uint8Array(),
		]);
		await chunks.close();
		await files.run({ do: 'check', draft });
		// The thread ends before the index is parsed here, because both take much memory.
		await files.close();
		const chunkDigests = Buffer.concat([firstDigests, restDigests]);
		const digest = createHash('sha256').update(index).digest();
		const seed = new Seed({
			name,
			length,
			index: index.length,
			kind: 'sha256',
			digest,
			chunkDigests,
		});
		return onDisk(draft, seed, index);
	} finally {
		await Promise.all([files.close(), chunks.close()]);
	}
}

/** The fields of a seed that a {@link Folder} needs. They can be sent to a thread. */
export function folderSeedOf({ id, length, index, digest, layout }: Seed): FolderLocation['seed'] {
	return { id, length, index, digest, layout: { chunkSize: layout.chunkSize } };
}

/** @throws ShoalError ERR_SEED, which names what cannot be shared, unless it is to be left out */
function takeOdd(
	root: string,
	odd: readonly OddEntry[],
	{ skipOdd = false, onOdd }: MakeFolderOptions,
): void {
	if (odd.length === 0) {
		return;
	}
	if (skipOdd) {
		onOdd?.(odd);
		return;
	}
	const more = odd.length > MOST_NAMED ? `, and ${odd.length - MOST_NAMED} more` : '';
	const named = odd.slice(0, MOST_NAMED).map(({ path, why }) => `${quoted(path, 100)} (${why})`);
	throw new ShoalError(
		'ERR_SEED',
		`${quoted(root, 300)} has entries that cannot be shared: ${named.join(', ')}${more}; remove them, or leave them out with --skip-odd or --exclude`,
	);
}

/** @throws ShoalError ERR_SEED if there is something in the folder, and all of it is to be left out */
async function checkNotEmptied(
	root: string,
	{ stamps, odd }: Draft,
	{ exclude = [] }: ScanFolderOptions,
): Promise<void> {
	const isEmpty = stamps.length === 0 && odd.length === 0;
	if (isEmpty && exclude.length > 0 && (await onFile(root, () => readdir(root))).length > 0) {
		throw new ShoalError(
			'ERR_SEED',
			`--exclude leaves out everything in ${quoted(root, 300)}, so there is nothing to share`,
		);
	}
}
