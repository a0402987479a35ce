import { type FolderEntry, firstFrom, isFile } from '../../protocol/index.ts';

/** A row of the listing of a folder. */
export interface LevelRow {
	/** Its name in the folder that is listed. */
	readonly name: string;
	/** The entry; undefined for a folder that has entries. */
	readonly entry: FolderEntry | undefined;
	/** Bytes of the file, or of all files in the folder; 0 for a link. */
	readonly length: number;
	/** Number of files in the folder; 1 for a file, 0 for a link. */
	readonly files: number;
}

/** One level of a folder: the files and folders directly in it. */
export interface FolderLevel {
	/** Path from the folder's root; empty: the root. */
	readonly path: string;
	/** First the folders, then all other rows, both in the order of the index. */
	readonly rows: readonly LevelRow[];
	/** Number of files, and their bytes, at this level and below. */
	readonly files: number;
	readonly length: number;
}

/** The entry at a path, or the level of a folder that the path names. */
export type Found = { readonly entry: FolderEntry } | { readonly level: FolderLevel };

/**
 * Looks up a path in the entries of a folder.
 *
 * @param entries in the order of the index
 * @param path parts separated by `/`; empty: the root
 * @returns undefined if there is nothing at `path`
 */
export function findInFolder(entries: readonly FolderEntry[], path: string): Found | undefined {
	if (path === '') {
		return { level: levelOf('', entries) };
	}
	const first = firstFrom(entries, path);
	const entry = entries[first];
	if (entry?.path === path) {
		return entry.kind === 'd' ? { level: levelOf(path, []) } : { entry };
	}
	// The order of the index compares `/` as the character 0. So the entries from `path` up to
	// `path` followed by the character 1 are those below `path`.
	const end = firstFrom(entries, `${path}\u0001`);
	const below = entries.slice(first, end);
	return below.length > 0 ? { level: levelOf(path, below) } : undefined;
}

/** @param below the entries below `path`, in order */
function levelOf(path: string, below: readonly FolderEntry[]): FolderLevel {
	const folders: LevelRow[] = [];
	const others: LevelRow[] = [];
	const start = path === '' ? 0 : path.length + 1;
	for (const { name, entry, entries } of childrenOf(below, start)) {
		const row = { name, entry, ...sumsOf(entries) };
		(entry === undefined || entry.kind === 'd' ? folders : others).push(row);
	}
	return { path, rows: [...folders, ...others], ...sumsOf(below) };
}

/** A name at a level: an entry, or a folder with entries. */
interface Child {
	readonly name: string;
	readonly entry: FolderEntry | undefined;
	/** The entries of the folder, or the entry itself. */
	readonly entries: readonly FolderEntry[];
}

/** @param start number of characters that each path has before the name */
function* childrenOf(entries: readonly FolderEntry[], start: number): Generator<Child> {
	for (let at = 0; at < entries.length; ) {
		const first = entries[at] as FolderEntry;
		const { path } = first;
		const slash = path.indexOf('/', start);
		const name = slash < 0 ? path.slice(start) : path.slice(start, slash);
		let end = at + 1;
		if (slash >= 0) {
			const prefix = path.slice(0, slash + 1);
			while (entries[end]?.path.startsWith(prefix)) {
				end += 1;
			}
		}
		yield { name, entry: slash < 0 ? first : undefined, entries: entries.slice(at, end) };
		at = end;
	}
}

function sumsOf(entries: readonly FolderEntry[]): { files: number; length: number } {
	const files = entries.filter(isFile);
	return { files: files.length, length: files.reduce((sum, { length }) => sum + length, 0) };
}
