import { createHash } from 'node:crypto';
import { fstatSync } from 'node:fs';
import type { Folder, FolderEntry } from '../../../protocol/index.ts';
import { ContentFiles } from '../../storage/content-files.ts';
import { stampOf } from '../../storage/file-stamp.ts';
import { type FolderLocation, FolderPlace } from '../../storage/folder/folder-place.ts';
import { type ScannedEntry, scanFolder } from './scan-folder.ts';

/** How a folder on the disk differs from an index: paths, in the order of the index. */
export interface FolderDifferences {
	/** Entries whose bytes or kind are others. */
	readonly bad: readonly string[];
	/** Entries that are not there. */
	readonly missing: readonly string[];
	/** What is there and is no entry. */
	readonly extra: readonly string[];
	/** The stamp of each entry that is right, by path. */
	readonly stamps: ReadonlyMap<string, string>;
	/** The stamp of everything that is there, by path; empty if it cannot be shared. */
	readonly found: ReadonlyMap<string, string>;
	/** Where the files are, with their names on the disk. */
	readonly location: FolderLocation;
}

const BLOCK = 1024 * 1024;
/** Whether the file system of this platform knows which files may be executed, and links. */
const HAS_KINDS = process.platform !== 'win32';

/**
 * Compares the folder at `location` with its index. Runs in a worker, with synchronous calls.
 *
 * @param known the stamps of entries that are known to be right, by path: they are not hashed
 * @param onBytes called with the number of bytes hashed since the last call
 * @throws errors of the file system if the folder cannot be read
 */
export function compareFolder(
	{ root, seed, index }: FolderLocation,
	folder: Folder,
	known: ReadonlyMap<string, string>,
	onBytes: (bytes: number) => void,
): FolderDifferences {
	const scan = scanFolder(root);
	const there = new Map(scan.entries.map((entry) => [entry.path, entry]));
	const location = { root, seed, index, ...namesOf(scan.entries) };
	const place = new FolderPlace(location, { folder, isWritable: false });
	const files = new ContentFiles(place);
	const numbers = numbersOf(folder);
	const [bad, missing]: [string[], string[]] = [[], []];
	const stamps = new Map<string, string>();
	const isRight = (entry: FolderEntry, found: ScannedEntry): boolean => {
		if (found.length !== entry.length || (HAS_KINDS && found.kind !== entry.kind)) {
			return false;
		}
		const number = numbers.get(entry.path);
		if (number === undefined || known.get(entry.path) === found.stamp) {
			return true;
		}
		return hashOf(folder, files, number, onBytes) === entry.digest && isStill(place, number, found);
	};
	try {
		for (const entry of folder.entries) {
			const found = there.get(entry.path);
			if (found === undefined) {
				missing.push(entry.path);
			} else if (isRight(entry, found)) {
				stamps.set(entry.path, found.stamp);
			} else {
				bad.push(entry.path);
			}
			there.delete(entry.path);
		}
	} finally {
		files.close();
	}
	const extra = [...there.keys(), ...scan.odd.map(({ path }) => path)];
	const found = new Map(scan.entries.map(({ path, stamp }) => [path, stamp]));
	for (const { path } of scan.odd) {
		found.set(path, '');
	}
	return { bad, missing, extra, stamps, found, location };
}

/** The names and link targets of entries, as in a {@link FolderLocation}. */
export function namesOf(entries: readonly ScannedEntry[]): Pick<FolderLocation, 'names' | 'links'> {
	const names = entries.flatMap(({ path, name }) => (name ? [[path, name] as const] : []));
	const links = entries.flatMap(({ path, target }) => (target ? [[path, target] as const] : []));
	return { names: new Map(names), links: new Map(links) };
}

function numbersOf({ pieces }: Folder): Map<string, number> {
	return new Map(
		pieces.flatMap(({ entry }, number) => (entry ? [[entry.path, number] as const] : [])),
	);
}

/** The digest of the file of a piece; undefined if it cannot be read. */
function hashOf(
	folder: Folder,
	files: ContentFiles,
	number: number,
	onBytes: (bytes: number) => void,
): string | undefined {
	const { offset, length } = folder.pieces[number] as Folder['pieces'][number];
	const hash = createHash('sha256');
	try {
		for (let done = 0; done < length; ) {
			const bytes = Buffer.allocUnsafe(Math.min(BLOCK, length - done));
			files.read(offset + done, bytes);
			hash.update(bytes);
			onBytes(bytes.length);
			done += bytes.length;
		}
		return hash.digest('hex');
	} catch {
		return undefined;
	}
}

/** Whether a file is as it was when the folder was scanned. */
function isStill(place: FolderPlace, number: number, { kind, stamp }: ScannedEntry): boolean {
	return kind === 'l' || stampOf(fstatSync(place.open(number), { bigint: true })) === stamp;
}
