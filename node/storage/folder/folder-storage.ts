import { type BigIntStats, fstatSync, lstatSync } from 'node:fs';
import { lstat, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { type Folder, quoted, ShoalError } from '../../../protocol/index.ts';
import { ContentFiles, notKept, readFully, readFullyLater } from '../content-files.ts';
import { type Extent, NOWHERE, ZEROS } from '../extents.ts';
import { fsError } from '../fs-error.ts';
import type { Storage } from '../storage.ts';
import { WarmReads } from '../warm-reads.ts';
import type { EntryStamps } from './entry-stamps.ts';
import { type FolderLocation, FolderPlace, READ_FILE } from './folder-place.ts';

/** Number of entries whose stamps one call of {@link FolderStorage.check} checks. */
const LOOK_AT = 200;
/**
 * Most files that one step of a read opens. So a read stays below the limit of open files, and a
 * synchronous step does not hold up the event loop.
 */
const AT_ONCE = 64;

/**
 * A content in the files of a folder. The files are opened when they are read. If stamps are given,
 * a read fails if a file has changed since its stamp was taken.
 */
export class FolderStorage implements Storage {
	readonly folder: Folder;
	#location: FolderLocation;
	#place: FolderPlace;
	#writing: ContentFiles | undefined;
	#stamps: EntryStamps | undefined;
	readonly #warm = new WarmReads();
	/** The number of the entry that `check` checks next. */
	#looked = 0;
	#isClosed = false;

	/**
	 * @param stamps the stamp that each entry had when its bytes were right; undefined if the files
	 *   are being written, and so may change
	 * @throws ShoalError ERR_SEED if the index is not that of the seed
	 */
	constructor(location: FolderLocation, folder?: Folder, stamps?: EntryStamps) {
		this.#location = location;
		this.#place = new FolderPlace(location, { folder, isWritable: false });
		this.folder = this.#place.folder;
		this.#stamps = stamps;
	}

	/** Where the files are. */
	get location(): FolderLocation {
		return this.#location;
	}

	/** The path of the folder, for messages. */
	get path(): string {
		return this.#location.root;
	}

	/** The number of entries that are kept. */
	get kept(): number {
		return this.#location.wanted?.size ?? this.folder.entries.length;
	}

	/** The paths of the files that are kept, without links, and of the folders they are in. */
	get paths(): { readonly files: readonly string[]; readonly folders: readonly string[] } {
		const { root, wanted } = this.#location;
		const files: string[] = [];
		const folders = new Set([root]);
		for (const { path, kind } of this.folder.entries) {
			if (wanted?.has(path) ?? true) {
				const full = this.#place.pathOfEntry(path);
				if (kind === 'f' || kind === 'x') {
					files.push(full);
				}
				let folder = kind === 'd' ? full : dirname(full);
				for (; !folders.has(folder); folder = dirname(folder)) {
					folders.add(folder);
				}
			}
		}
		return { files, folders: [...folders] };
	}

	/**
	 * The complete folder was renamed: from now on, its files are at `location`, and keep `stamps`.
	 */
	moved(location: FolderLocation, stamps: EntryStamps): void {
		this.#place.close();
		this.#location = location;
		this.#stamps = stamps;
		this.#place = new FolderPlace(location, { folder: this.folder, isWritable: false });
	}

	async read(offset: number, into: Uint8Array): Promise<void> {
		let place = this.#place;
		let extents = place.extents(offset, into.length);
		for (let at = 0; at < extents.length; ) {
			if (place !== this.#place) {
				// The folder has got its final name meanwhile. `at` stays valid, because the new
				// place has the same number of extents.
				place = this.#place;
				extents = place.extents(offset, into.length);
			}
			const isRead = await this.#readStep(place, extents.slice(at, at + AT_ONCE), into);
			at += isRead ? AT_ONCE : 0;
			if (at < extents.length) {
				await setImmediate();
			}
		}
	}

	async write(offset: number, bytes: Uint8Array): Promise<void> {
		const place = { folder: this.folder, isWritable: true };
		if (this.#writing === undefined) {
			this.#writing = new ContentFiles(new FolderPlace(this.#location, place));
			// These bytes are written again because the disk has failed, so zeros are written, too.
			this.#writing.fillsHoles = true;
		}
		try {
			this.#writing.write(offset, [bytes]);
		} catch (error) {
			throw fsError(error, (error as { path?: string }).path ?? this.path);
		}
	}

	/**
	 * Checks the stamps of the next entries; after the last entry, begins again.
	 *
	 * @throws ShoalError ERR_CHANGED
	 */
	check(): void {
		const { length } = this.folder.entries;
		for (let left = Math.min(LOOK_AT, length); left > 0 && this.#stamps; left -= 1) {
			const number = this.#looked % length;
			this.#looked = number + 1;
			this.#checkStamp(number, this.#statsOf(number));
		}
	}

	/**
	 * Checks that the folder still exists while it is written.
	 *
	 * @throws ShoalError ERR_NO_FILE, ERR_PERMISSION, ERR_IO
	 */
	checkNamed(): void {
		if (!isThere(this.path)) {
			throw new ShoalError(
				'ERR_NO_FILE',
				`${quoted(this.path, 300)} was removed while it was written; start again`,
			);
		}
	}

	async close(): Promise<void> {
		this.#isClosed = true;
		this.#place.close();
		this.#writing?.close();
	}

	/**
	 * @returns false if the read failed because the folder got its final name: it has to be
	 *   repeated
	 */
	async #readStep(
		place: FolderPlace,
		extents: readonly Extent[],
		into: Uint8Array,
	): Promise<boolean> {
		if (this.#isClosed) {
			throw new ShoalError('ERR_CLOSED', 'the folder is closed');
		}
		const begun = performance.now();
		if (this.#warm.isWarm(begun)) {
			this.#readAtOnce(extents, into);
			const now = performance.now();
			const bytes = extents.reduce((sum, { length }) => sum + length, 0);
			this.#warm.onRead(now - begun, now, bytes, extents.length);
			return true;
		}
		try {
			await Promise.all(extents.map((extent) => this.#readLater(place, extent, into)));
			return true;
		} catch (error) {
			if (place === this.#place) {
				throw error;
			}
			return false;
		}
	}

	#readAtOnce(extents: readonly Extent[], into: Uint8Array): void {
		for (const extent of extents) {
			const { file, at, from, length } = extent;
			const part = into.subarray(from, from + length);
			if (!this.#isFilled(extent, part)) {
				try {
					const fd = this.#place.open(file);
					readFully(fd, at, part);
					if (this.#stamps !== undefined) {
						this.#checkStamp(this.#entryOf(file), fstatSync(fd, { bigint: true }));
					}
				} catch (error) {
					throw this.#errorOf(error, file);
				}
			}
		}
	}

	/** Reads an extent in the thread pool, because the disk may be slow. */
	async #readLater(place: FolderPlace, extent: Extent, into: Uint8Array): Promise<void> {
		const { file, at, from, length } = extent;
		const part = into.subarray(from, from + length);
		if (!this.#isFilled(extent, part)) {
			await this.#readFile(place, file, at, part);
		}
	}

	/**
	 * Fills `into` if its bytes are in memory or are zeros.
	 *
	 * @returns false if the bytes are in a file
	 * @throws ShoalError ERR_NO_FILE if the bytes are not kept
	 */
	#isFilled({ file, at, length, memory }: Extent, into: Uint8Array): boolean {
		if (memory !== undefined) {
			into.set(memory.subarray(at, at + length));
		} else if (file === ZEROS) {
			into.fill(0);
		} else if (file === NOWHERE) {
			throw fsError(notKept(), this.path);
		} else {
			return false;
		}
		return true;
	}

	async #readFile(place: FolderPlace, file: number, at: number, into: Uint8Array): Promise<void> {
		const path = place.pathOf(file);
		try {
			const handle = await open(path, READ_FILE);
			try {
				await readFullyLater(handle, at, into);
				if (this.#stamps !== undefined) {
					this.#checkStamp(this.#entryOf(file), await lstat(path, { bigint: true }));
				}
			} finally {
				await handle.close();
			}
		} catch (error) {
			throw place === this.#place ? this.#errorOf(error, file) : error;
		}
	}

	/**
	 * The number of the entry whose bytes are in `file`; -1 for the index and for the link targets.
	 */
	#entryOf(file: number): number {
		return this.folder.pieces[file]?.number ?? -1;
	}

	/** The error to report for a failed read: ERR_CHANGED if the file has changed, else `error`. */
	#errorOf(error: unknown, file: number): unknown {
		try {
			const entry = this.#entryOf(file);
			this.#checkStamp(entry, this.#statsOf(entry));
		} catch (changed) {
			return changed;
		}
		return fsError(error, this.#place.pathOf(file));
	}

	/** The stats of what is at the path of an entry now; undefined if they cannot be read. */
	#statsOf(entry: number): BigIntStats | undefined {
		const path = this.folder.entries[entry]?.path;
		try {
			return path === undefined
				? undefined
				: lstatSync(this.#place.pathOfEntry(path), { bigint: true });
		} catch {
			return undefined;
		}
	}

	/**
	 * @throws ShoalError ERR_CHANGED, which names the file, if the stamp of the entry has changed
	 */
	#checkStamp(number: number, found: BigIntStats | undefined): void {
		const entry = this.folder.entries[number];
		if (entry && this.#stamps?.has(number) && !this.#stamps.isSame(number, found)) {
			const file = quoted(this.#place.pathOfEntry(entry.path), 300);
			throw new ShoalError(
				'ERR_CHANGED',
				`${file} has changed since the seed of its folder was made`,
			);
		}
	}
}

/** @throws ShoalError ERR_PERMISSION, ERR_IO */
function isThere(path: string): boolean {
	try {
		return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
	} catch (error) {
		throw fsError(error, path);
	}
}
