import { createHash } from 'node:crypto';
import { fstatSync } from 'node:fs';
import { type Folder, type FolderEntry, FolderPaths, parseIndex } from '../../../protocol/index.ts';
import { ContentFiles } from '../../storage/content-files.ts';
import { EntryStamps } from '../../storage/folder/entry-stamps.ts';
import { type FolderLocation, FolderPlace } from '../../storage/folder/folder-place.ts';
import { type Scan, type ScannedEntry, scanExisting } from './scan-folder.ts';

/** How a folder on the disk differs from an index: paths, in the order of the index. */
export interface FolderDifferences {
	/** Entries whose bytes or kind differ, or that cannot be read. */
	readonly bad: readonly string[];
	/** Entries that are not there. */
	readonly missing: readonly string[];
	/** Files, folders and links that are there and are no entries. */
	readonly extra: readonly string[];
	/**
	 * Entries that were added, changed or removed since the record was made; undefined without one.
	 */
	readonly changed: readonly string[] | undefined;
	/** The numbers of the {@link EntryStamps} of the entries that are right. */
	readonly stamps: BigUint64Array;
	/** Where the files are, with their names on the disk. */
	readonly location: FolderLocation;
}

/** The record of a folder that an earlier download has made. */
export interface RecordedFolder {
	/** Seed id. */
	readonly seed: string;
	readonly index: Uint8Array;
	/** The numbers of the {@link EntryStamps} of the entries that the download has made. */
	readonly stamps: BigUint64Array;
}

const BLOCK = 1024 * 1024;
/** Whether file systems of this platform store links, and which files are executable. */
const HAS_KINDS = process.platform !== 'win32';

/**
 * Compares the folder at `location` with its index. Runs in a worker, with synchronous calls.
 *
 * @param record the record of the folder, if there is one. If it is of the same seed, entries that
 *   have not changed since are not hashed
 * @param onBytes called with the number of bytes hashed since the last call
 * @throws errors of the file system if the folder cannot be read
 */
export function compareFolder(
	{ root, seed, index }: FolderLocation,
	folder: Folder,
	record: RecordedFolder | undefined,
	onBytes: (bytes: number) => void,
): FolderDifferences {
	const scan = scanExisting(root);
	const there = new Map(scan.entries.map(({ path }, at) => [path, at]));
	const location = { root, seed, index, ...namesOf(scan.entries) };
	const checker = new Checker(folder, location, scan, onBytes);
	const known = record?.seed === seed.id ? new EntryStamps(record.stamps) : undefined;
	const [bad, missing]: [string[], string[]] = [[], []];
	const stamps = new EntryStamps(folder.entries.length);
	const isEntry = new Uint8Array(scan.entries.length);
	const odd = new Set(scan.odd.map(({ path }) => path));
	try {
		for (const [number, entry] of folder.entries.entries()) {
			const at = there.get(entry.path);
			if (at === undefined) {
				// The entry is there, but cannot be shared, for example because it cannot be read.
				if (odd.delete(entry.path)) {
					bad.push(entry.path);
				} else if (!checker.isFolder(entry)) {
					missing.push(entry.path);
				}
				continue;
			}
			isEntry[at] = 1;
			if (checker.isRight(entry, number, at, known)) {
				stamps.copy(number, scan.stamps, at);
			} else {
				bad.push(entry.path);
			}
		}
	} finally {
		checker.close();
	}
	const extra = scan.entries.filter((_, at) => isEntry[at] === 0).map(({ path }) => path);
	return {
		bad,
		missing,
		extra: [...extra, ...odd],
		changed: record && changedSince(record, scan, there),
		stamps: stamps.numbers,
		location,
	};
}

/** The names and link targets of entries, as in a {@link FolderLocation}. */
export function namesOf(entries: readonly ScannedEntry[]): Pick<FolderLocation, 'names' | 'links'> {
	const names = entries.flatMap(({ path, name }) => (name ? [[path, name] as const] : []));
	const links = entries.flatMap(({ path, target }) => (target ? [[path, target] as const] : []));
	return { names: new Map(names), links: new Map(links) };
}

/**
 * The paths of what was added, changed or removed in the folder at `root` since it was recorded.
 *
 * @throws errors of the file system if the folder cannot be read
 */
export function changesIn(root: string, record: RecordedFolder): string[] {
	const scan = scanExisting(root);
	return changedSince(record, scan, new Map(scan.entries.map(({ path }, at) => [path, at])));
}

function changedSince(
	{ index, stamps }: RecordedFolder,
	scan: Scan,
	there: ReadonlyMap<string, number>,
): string[] {
	const recorded = new EntryStamps(stamps);
	const changed: string[] = [];
	const isKnown = new Uint8Array(scan.entries.length);
	for (const [number, { path }] of parseIndex(index).entries()) {
		const at = there.get(path);
		if (at !== undefined && recorded.matches(number, scan.stamps, at)) {
			isKnown[at] = 1;
		} else if (at === undefined && recorded.has(number)) {
			changed.push(path);
		}
	}
	const others = scan.entries.filter((_, at) => isKnown[at] === 0).map(({ path }) => path);
	return [...new Set([...changed, ...others, ...scan.odd.map(({ path }) => path)])];
}

/** Compares files with the entries of an index. */
class Checker {
	readonly #folder: Folder;
	readonly #scan: Scan;
	readonly #place: FolderPlace;
	readonly #files: ContentFiles;
	readonly #onBytes: (bytes: number) => void;
	readonly #block = Buffer.allocUnsafeSlow(BLOCK);
	/** The piece of each entry that has bytes, by number of the entry. */
	readonly #pieces: ReadonlyMap<number, number>;
	#paths: FolderPaths | undefined;

	constructor(
		folder: Folder,
		location: FolderLocation,
		scan: Scan,
		onBytes: (bytes: number) => void,
	) {
		this.#folder = folder;
		this.#scan = scan;
		this.#place = new FolderPlace(location, { folder, isWritable: false });
		this.#files = new ContentFiles(this.#place);
		this.#onBytes = onBytes;
		this.#pieces = new Map(folder.pieces.map(({ number }, piece) => [number, piece]));
	}

	/** Whether entry `number`, which is the scanned entry at `at`, is right. */
	isRight(entry: FolderEntry, number: number, at: number, known: EntryStamps | undefined): boolean {
		// A file that was not touched since may look executable on a file system that cannot store this.
		if (known?.matches(number, this.#scan.stamps, at)) {
			return true;
		}
		const found = this.#scan.entries[at] as ScannedEntry;
		if (found.length !== entry.length || (HAS_KINDS && found.kind !== entry.kind)) {
			return false;
		}
		const piece = this.#pieces.get(number);
		if (piece === undefined) {
			return true;
		}
		return this.#hash(piece) === entry.digest && this.#isStill(found, piece, at);
	}

	/** Whether an entry is an empty folder, and a folder with entries is in its place. */
	isFolder({ kind, path }: FolderEntry): boolean {
		if (kind !== 'd') {
			return false;
		}
		this.#paths ??= new FolderPaths(this.#scan.entries);
		return this.#paths.has(path);
	}

	close(): void {
		this.#files.close();
	}

	/** The digest of the file of a piece; undefined if it cannot be read. */
	#hash(piece: number): string | undefined {
		const { offset, length } = this.#folder.pieces[piece] as Folder['pieces'][number];
		const hash = createHash('sha256');
		try {
			for (let done = 0; done < length; ) {
				const bytes = this.#block.subarray(0, Math.min(BLOCK, length - done));
				this.#files.read(offset + done, bytes);
				hash.update(bytes);
				this.#onBytes(bytes.length);
				done += bytes.length;
			}
			return hash.digest('hex');
		} catch {
			return undefined;
		}
	}

	/** Whether a file is as it was when the folder was scanned. */
	#isStill({ kind }: ScannedEntry, piece: number, at: number): boolean {
		const { stamps } = this.#scan;
		return kind === 'l' || stamps.isSame(at, fstatSync(this.#place.open(piece), { bigint: true }));
	}
}
