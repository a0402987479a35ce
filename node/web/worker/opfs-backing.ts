import { Bitfield, checkedLayout, type Seed, ShoalError } from '../../../protocol/index.ts';
import { formatBytes } from '../../util/size.ts';
import type { BlobPiece } from './blob-storage.ts';
import { ELSEWHERE, occupy, unlessElsewhere } from './content-locks.ts';
import { bytesOf, endOf } from './selection.ts';
import type { Backing } from './web-target.ts';

/** A content, complete or not, that the browser keeps in a file. */
export interface Kept {
	/** Seed id. */
	readonly id: string;
	/** Name of the file or folder. */
	readonly name: string;
	/** Bytes of the whole content, or of the chunks of the wanted files. */
	readonly length: number;
	/** Whether it is a folder. */
	readonly isFolder: boolean;
	/** The paths of the wanted files, if only some files of a folder are wanted. */
	readonly paths?: readonly string[] | undefined;
	/** Approximate number of bytes that are stored, from the record of chunks. */
	readonly have: number;
	/** Whether its download was stopped, and so does not resume by itself. */
	readonly isStopped: boolean;
}

/** The description stored beside the bytes of a content and the record of its chunks. */
interface About {
	readonly id: string;
	readonly name: string;
	/** Bytes of the whole content. */
	readonly length: number;
	readonly chunks?: number;
	readonly isFolder?: boolean;
	/** As in {@link Kept}. */
	readonly paths?: readonly string[];
	/** Bytes of the chunks that have bytes of the files at `paths`. */
	readonly wanted?: number;
	readonly isStopped?: boolean;
}

/** A file that is open for synchronous reading and writing; in workers only. */
interface SyncAccessHandle {
	read(into: Uint8Array, at: { at: number }): number;
	write(bytes: Uint8Array, at: { at: number }): number;
	truncate(size: number): void;
	getSize(): number;
	flush(): void;
	close(): void;
}

const FOLDER = 'shoal';
/** ms between two records of the chunks that are stored. */
const RECORD_EVERY = 250;

/**
 * Whether this page may store files. It may if it was loaded over TLS or from this machine; but
 * some browsers do not allow it in a private window.
 */
export async function hasFiles(): Promise<boolean> {
	// Only workers can read and write files synchronously.
	const canOpen = isSecureContext && 'createSyncAccessHandle' in FileSystemFileHandle.prototype;
	mayKeep ??= canOpen ? openFolder().then(isThere, isNot) : Promise.resolve(false);
	return await mayKeep;
}

let mayKeep: Promise<boolean> | undefined;
const isThere = (): boolean => true;
const isNot = (): boolean => false;

/**
 * The downloads, complete or not, that the browser keeps in files, also those of earlier visits. In
 * workers only. Removes what a {@link forget} has left that ended with its page.
 */
export async function keptContents(): Promise<Kept[]> {
	const folder = await openFolder();
	const names = new Set<string>();
	for await (const name of (folder as unknown as { keys(): AsyncIterable<string> }).keys()) {
		names.add(name);
	}
	const kept: Kept[] = [];
	for (const id of new Set([...names].map((name) => name.replace(/\.(json|have)$/, '')))) {
		if (names.has(`${id}.json`)) {
			const each = await keptContent(id);
			kept.push(...(each === undefined ? [] : [each]));
		} else {
			forget(id).catch(() => {});
		}
	}
	return kept;
}

/** The stored part of one content; undefined if nothing is stored. @throws ShoalError ERR_IO */
export async function keptContent(id: string): Promise<Kept | undefined> {
	// A description that was half written when the browser ended cannot be read. The chunks stay, for a
	// download of the same content.
	const about = await readAbout(id);
	if (about === undefined) {
		return undefined;
	}
	const { name, length, chunks = 0, isFolder = false, paths, isStopped = false } = about;
	const bits = new Bitfield(chunks);
	const record = await readAll(`${id}.have`);
	if (record?.length === bits.toBytes().length) {
		bits.addBytes(0, record);
	}
	const stored = chunks === 0 ? 0 : bits.count * checkedLayout(length, chunks).chunkSize;
	const wanted = about.wanted ?? length;
	const have = Math.min(stored, wanted);
	return { id, name, length: wanted, isFolder, paths, have, isStopped };
}

/**
 * Records that a download was stopped, so that it does not resume by itself after a reload.
 *
 * @returns what is stored of the content; undefined if nothing is
 */
export async function keepStopped(id: string): Promise<Kept | undefined> {
	const about = await readAbout(id);
	if (about !== undefined) {
		const file = await openSync(await (await openFolder()).getFileHandle(`${id}.json`));
		writeAbout(file, { ...about, isStopped: true });
		file.close();
	}
	return await keptContent(id);
}

/**
 * Removes the files of a content, if there are any. If they are in use, also by another tab, they
 * stay, and {@link keptContents} still lists the content.
 */
export async function forget(id: string): Promise<void> {
	await unlessElsewhere(id, () => removeFiles(id));
}

/** The description is removed first: without it, {@link keptContents} removes the other files. */
async function removeFiles(id: string): Promise<void> {
	const folder = await openFolder();
	for (const name of [`${id}.json`, id, `${id}.have`]) {
		try {
			await folder.removeEntry(name);
		} catch (error) {
			if ((error as DOMException).name !== 'NotFoundError') {
				return;
			}
		}
	}
}

/**
 * Opens the file of a content. The file survives a reload and a crash of the page.
 *
 * @param paths as in {@link Kept}
 * @throws ShoalError ERR_EXISTS if another tab has it, ERR_IO
 */
export async function openFile(
	seed: Seed,
	paths: ReadonlySet<string> | undefined,
): Promise<Backing> {
	const { id } = seed;
	const leave = await occupy(id);
	const open: SyncAccessHandle[] = [];
	const openNext = async (each: FileSystemFileHandle): Promise<SyncAccessHandle> => {
		const sync = await openSync(each);
		open.push(sync);
		return sync;
	};
	try {
		const folder = await openFolder();
		const handle = await folder.getFileHandle(id, { create: true });
		const file = await openNext(handle);
		// The description is written first, so that a content that is stored only in part is listed as
		// well.
		const description = await openNext(await folder.getFileHandle(`${id}.json`, { create: true }));
		const about = aboutOf(seed, paths);
		writeAbout(description, about);
		const record = await openNext(await folder.getFileHandle(`${id}.have`, { create: true }));
		return new FileBacking(seed, handle, { file, record, description, about, leave });
	} catch (error) {
		for (const sync of open) {
			sync.close();
		}
		leave();
		throw ioError(error);
	}
}

/** The lock and the files that this tab holds of one content. */
interface Occupied {
	readonly file: SyncAccessHandle;
	readonly record: SyncAccessHandle;
	readonly description: SyncAccessHandle;
	/** The decoded text of the description. */
	readonly about: About;
	/** Releases the lock, so that other tabs can have the content. */
	readonly leave: () => void;
}

/**
 * A file and a record of the chunks in it. The chunks that the record lists are hashed before they
 * are trusted: a browser cannot tell whether the system was restarted in between.
 */
class FileBacking implements Backing {
	readonly claimed: Bitfield;
	readonly leave: () => void;
	readonly #seed: Seed;
	readonly #handle: FileSystemFileHandle;
	readonly #held: Occupied;
	#timer: ReturnType<typeof setTimeout> | undefined;
	/** The stored chunks, if they are not recorded yet. */
	#unrecorded: Bitfield | undefined;
	#isClosed = false;

	constructor(seed: Seed, handle: FileSystemFileHandle, held: Occupied) {
		const { record, leave } = held;
		this.leave = leave;
		this.#seed = seed;
		this.#handle = handle;
		this.#held = held;
		this.claimed = new Bitfield(seed.chunks);
		const bits = new Uint8Array(this.claimed.toBytes().length);
		if (record.getSize() === bits.length) {
			record.read(bits, { at: 0 });
			this.claimed.addBytes(0, bits);
		}
	}

	/**
	 * Makes the file end with the last wanted chunk, because browsers count its whole length as
	 * used. The record gets its full length, so that it has room.
	 */
	async reserve(wanted: Bitfield): Promise<void> {
		const end = endOf(this.#seed, wanted);
		const size = this.#held.file.getSize();
		try {
			if (!wanted.isFull) {
				const bytes = bytesOf(this.#seed, wanted);
				writeAbout(this.#held.description, { ...this.#held.about, wanted: bytes });
			}
			this.#held.description.close();
			this.#held.record.write(this.claimed.toBytes(), { at: 0 });
			if (size < end) {
				await checkRoom(end - size);
			}
			if (size < end || (wanted.isFull && size > end)) {
				this.#held.file.truncate(end);
			}
		} catch (error) {
			throw ioError(error);
		}
	}

	async read(offset: number, into: Uint8Array): Promise<void> {
		if (this.#held.file.read(into, { at: offset }) !== into.length) {
			throw new ShoalError('ERR_IO', 'the browser does not give back what was written');
		}
	}

	async write(offset: number, bytes: Uint8Array): Promise<void> {
		try {
			if (this.#held.file.write(bytes, { at: offset }) !== bytes.length) {
				throw new ShoalError('ERR_IO', 'the browser did not write all of a chunk');
			}
		} catch (error) {
			throw ioError(error);
		}
	}

	check(): void {}

	record(have: Bitfield): void {
		this.#unrecorded = have;
		this.#timer ??= setTimeout(() => {
			this.#timer = undefined;
			this.#write(have);
		}, RECORD_EVERY);
	}

	async toBlobs(have: Bitfield): Promise<BlobPiece[]> {
		clearTimeout(this.#timer);
		this.#write(have);
		await this.close();
		return [{ offset: 0, blob: await this.#handle.getFile(), name: this.#seed.name }];
	}

	async discard(): Promise<void> {
		await this.close();
		await removeFiles(this.#handle.name);
	}

	async close(): Promise<void> {
		clearTimeout(this.#timer);
		if (!this.#isClosed) {
			if (this.#unrecorded !== undefined) {
				this.#write(this.#unrecorded);
			}
			this.#isClosed = true;
			this.#held.file.flush();
			this.#held.file.close();
			this.#held.record.flush();
			this.#held.record.close();
			this.#held.description.close();
		}
	}

	#write(have: Bitfield): void {
		if (!this.#isClosed) {
			try {
				this.#held.record.write(have.toBytes(), { at: 0 });
				this.#unrecorded = undefined;
			} catch {
				// The disk fails: after a reload, the chunks that are not recorded are fetched again.
			}
		}
	}
}

function aboutOf(
	{ id, name, length, chunks, index }: Seed,
	paths: ReadonlySet<string> | undefined,
): About {
	return {
		...{ id, name, length, chunks },
		...(index !== undefined && { isFolder: true }),
		...(paths !== undefined && { paths: [...paths] }),
	};
}

function writeAbout(file: SyncAccessHandle, about: About): void {
	file.truncate(0);
	file.write(new TextEncoder().encode(JSON.stringify(about)), { at: 0 });
}

/**
 * The bytes of a file in the folder; undefined if there is no such file.
 *
 * @throws ShoalError ERR_IO
 */
async function readAll(name: string): Promise<Uint8Array | undefined> {
	try {
		const handle = await (await openFolder()).getFileHandle(name);
		return new Uint8Array(await (await handle.getFile()).arrayBuffer());
	} catch (error) {
		if ((error as DOMException).name === 'NotFoundError') {
			return undefined;
		}
		throw ioError(error);
	}
}

async function readAbout(id: string): Promise<About | undefined> {
	const text = await readAll(`${id}.json`);
	try {
		return JSON.parse(new TextDecoder().decode(text)) as About;
	} catch {
		return undefined;
	}
}

async function openFolder(): Promise<FileSystemDirectoryHandle> {
	const root = await navigator.storage.getDirectory();
	return await root.getDirectoryHandle(FOLDER, { create: true });
}

async function openSync(handle: FileSystemFileHandle): Promise<SyncAccessHandle> {
	try {
		const open = handle as unknown as { createSyncAccessHandle(): Promise<SyncAccessHandle> };
		return await open.createSyncAccessHandle();
	} catch (error) {
		throw ioError(error);
	}
}

async function checkRoom(length: number): Promise<void> {
	const { quota = Number.POSITIVE_INFINITY, usage = 0 } = await navigator.storage.estimate();
	if (length > quota - usage) {
		throw new ShoalError(
			'ERR_NO_SPACE',
			`the browser has room for ${formatBytes(Math.max(0, quota - usage))}, ${formatBytes(length)} are needed; remove finished downloads, or use shoal get`,
		);
	}
}

function ioError(error: unknown): ShoalError {
	if (error instanceof ShoalError) {
		return error;
	}
	const { name, message } = error as DOMException;
	switch (name) {
		case 'NoModificationAllowedError':
			return new ShoalError('ERR_EXISTS', ELSEWHERE);
		case 'QuotaExceededError':
			return new ShoalError(
				'ERR_NO_SPACE',
				'the browser has no room left: remove finished downloads',
			);
		default:
			return new ShoalError('ERR_IO', `the browser cannot keep the file: ${message}`, {
				cause: error,
			});
	}
}
