import { closeSync, constants, fstatSync, ftruncateSync, openSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Folder, type FolderSeed } from '../../../protocol/index.ts';
import type { ContentPlace } from '../content-place.ts';
import { type Extent, NOWHERE, ZEROS } from '../extents.ts';
import { READ_ONLY } from '../regular-file.ts';
import { foreign, OwnFolders, undo } from './own-folders.ts';

/** Where the files of a folder are. It can be sent to a thread. */
export interface FolderLocation {
	/** Absolute path of the folder. */
	readonly root: string;
	readonly seed: FolderSeed;
	/** The text of the index. */
	readonly index: Uint8Array;
	/**
	 * The paths on the disk, below the root, of the entries whose path there differs from the path
	 * in the index. The key is the path in the index.
	 */
	readonly names?: ReadonlyMap<string, string> | undefined;
	/** The targets of the links, by path; undefined: they are in the file {@link LINKS} of `side`. */
	readonly links?: ReadonlyMap<string, Uint8Array> | undefined;
	/** The paths of the entries that are kept; undefined: all. */
	readonly wanted?: ReadonlySet<string> | undefined;
	/**
	 * Path of the folder that has the files {@link INDEX} and {@link LINKS} while `root` is
	 * written.
	 */
	readonly side?: string | undefined;
}

/** Options of a {@link FolderPlace}. */
export interface FolderPlaceOptions {
	/** The entries, if they are known. @default they are read from the index */
	readonly folder?: Folder | undefined;
	/** Whether files are made and written. */
	readonly isWritable: boolean;
}

/**
 * The names of two files beside a folder that is being written: its index, and its link targets.
 */
export const INDEX = '.index';
export const LINKS = '.links';

/** Maximum number of files that are open at a time. */
const MOST_OPEN = 32;
/** Bytes of the smallest file that keeps holes. */
const LEAST_SPARSE = 1024 * 1024;
const { O_CREAT, O_EXCL, O_RDWR } = constants;
const O_NOFOLLOW = constants.O_NOFOLLOW ?? 0;
/** Flags that open a file of a folder for reading, but never follow a link in its place. */
export const READ_FILE: number = READ_ONLY | O_NOFOLLOW;

/**
 * The files of a folder, opened when they are needed. Files and folders are made when they are
 * first written to. A symbolic link in the place of a file or folder is not followed, and a file
 * that has further names (hard links) is not written to.
 */
export class FolderPlace implements ContentPlace {
	readonly folder: Folder;
	readonly #location: FolderLocation;
	readonly #isWritable: boolean;
	/** The open files, the least recently used first. */
	readonly #open = new Map<number, number>();
	/** For each file, 1 if this place has opened it before. */
	readonly #known: Uint8Array;
	/** The folders that this place makes; undefined until it writes. */
	#folders: OwnFolders | undefined;
	/**
	 * For each link, by the number of its piece: the offset of its target in the file
	 * {@link LINKS}.
	 */
	readonly #linksAt = new Map<number, number>();
	/** Bytes of the targets of all links. */
	#linksLength = 0;

	/** @throws ShoalError ERR_SEED if the index is not that of the seed */
	constructor(location: FolderLocation, { folder, isWritable }: FolderPlaceOptions) {
		this.folder = folder ?? new Folder(location.seed, location.index);
		this.#location = location;
		this.#isWritable = isWritable;
		this.#known = new Uint8Array(this.folder.pieces.length + 2);
		for (const [number, { entry, length }] of this.folder.pieces.entries()) {
			if (entry?.kind === 'l') {
				this.#linksAt.set(number, this.#linksLength);
				this.#linksLength += length;
			}
		}
	}

	extents(offset: number, length: number): Extent[] {
		const { pieces, index } = this.folder;
		const { links, wanted } = this.#location;
		const found: Extent[] = [];
		if (offset < index.length) {
			found.push({
				file: pieces.length,
				at: offset,
				from: 0,
				length: Math.min(length, index.length - offset),
				memory: this.#isWritable ? undefined : index,
			});
		}
		this.folder.visit(offset, length, (piece, number) => {
			const first = Math.max(offset, piece.offset);
			const end = Math.min(offset + length, piece.offset + piece.length);
			const place = { at: first - piece.offset, from: first - offset, length: end - first };
			const { entry } = piece;
			if (entry === undefined) {
				found.push({ ...place, file: ZEROS });
			} else if (wanted?.has(entry.path) === false) {
				found.push({ ...place, file: NOWHERE });
			} else if (entry.kind !== 'l') {
				found.push({ ...place, file: number });
			} else {
				const at = place.at + (links ? 0 : (this.#linksAt.get(number) as number));
				found.push({ ...place, file: pieces.length + 1, at, memory: links?.get(entry.path) });
			}
		});
		return found;
	}

	open(file: number): number {
		const open = this.#open.get(file);
		if (open !== undefined) {
			// The map keeps the order in which its keys were set.
			this.#open.delete(file);
			this.#open.set(file, open);
			return open;
		}
		if (this.#open.size >= MOST_OPEN) {
			const [[oldest, fd]] = this.#open as unknown as [[number, number]];
			this.#open.delete(oldest);
			this.#close(oldest, fd);
		}
		const fd = this.#isWritable ? this.#make(file) : openSync(this.pathOf(file), READ_FILE);
		this.#open.set(file, fd);
		this.#known[file] = 1;
		return fd;
	}

	pathOf(file: number): string {
		const { root, side = root } = this.#location;
		const path = this.folder.pieces[file]?.entry?.path;
		if (path === undefined) {
			return join(side, file === this.folder.pieces.length ? INDEX : LINKS);
		}
		return this.pathOfEntry(path);
	}

	/** The path on the disk of the entry at `path`. */
	pathOfEntry(path: string): string {
		const { root, names } = this.#location;
		return join(root, names?.get(path) ?? path);
	}

	keepsHoles(file: number): boolean {
		return this.#lengthOf(file) >= LEAST_SPARSE;
	}

	/** @throws the first error of {@link #close}; all files are closed nevertheless */
	close(): void {
		const errors: unknown[] = [];
		for (const [file, fd] of this.#open) {
			try {
				this.#close(file, fd);
			} catch (error) {
				errors.push(error);
			}
		}
		this.#open.clear();
		const [first] = errors;
		if (first !== undefined) {
			throw first;
		}
	}

	/**
	 * Some file systems report only now that the bytes of a file could not be stored.
	 *
	 * @throws errors of the file system, with the path; a written file `isLost`
	 */
	#close(file: number, fd: number): void {
		try {
			closeSync(fd);
		} catch (error) {
			const about = { path: this.pathOf(file), isLost: this.#isWritable };
			throw Object.assign(error as Error, about);
		}
	}

	/**
	 * Opens a file for writing. Makes the file and its folders if they do not exist yet. When this
	 * place opens a file for the first time, it sets the length, even if an earlier process made
	 * the file.
	 */
	#make(file: number): number {
		const { root, side = root } = this.#location;
		const path = this.pathOf(file);
		this.#folders ??= new OwnFolders(side);
		this.#folders.make(dirname(path));
		const isKnown = this.#known[file] === 1;
		const mode = this.folder.pieces[file]?.entry?.kind === 'x' ? 0o777 : 0o666;
		const made = isKnown ? undefined : makeNew(path, mode);
		const fd = made ?? openSync(path, O_RDWR | O_NOFOLLOW);
		try {
			this.#folders.checkOpen(fd, path);
			if (made === undefined) {
				checkOwnName(fd, path);
			}
			if (!isKnown && (made === undefined || this.keepsHoles(file))) {
				ftruncateSync(fd, this.#lengthOf(file));
			}
			return fd;
		} catch (error) {
			closeSync(fd);
			undo(made !== undefined, () => unlinkSync(path));
			throw error;
		}
	}

	#lengthOf(file: number): number {
		const { pieces, index } = this.folder;
		return file === pieces.length ? index.length : (pieces[file]?.length ?? this.#linksLength);
	}
}

/** Makes a file. @returns its descriptor; undefined if something is there */
function makeNew(path: string, mode: number): number | undefined {
	try {
		return openSync(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
			return undefined;
		}
		throw error;
	}
}

/** @throws EFOREIGN if the open file is no ordinary file, or has further names */
function checkOwnName(fd: number, path: string): void {
	const found = fstatSync(fd);
	if (!found.isFile() || found.nlink > 1) {
		throw foreign(path);
	}
}
