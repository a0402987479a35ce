import { Bitfield, type Seed, ShoalError } from '../../../protocol/index.ts';
import type { BlobPiece } from './blob-storage.ts';
import { occupy } from './content-locks.ts';
import { type About, removeFiles, writeAbout } from './kept-contents.ts';
import { checkRoom, ioError, openFolder, openSync, type SyncAccessHandle } from './opfs-files.ts';
import { bytesOf, endOf } from './selection.ts';
import type { Backing } from './web-target.ts';

/** ms between two records of the chunks that are stored. */
const RECORD_EVERY = 250;

/**
 * Opens the file of a content. The file survives a reload and a crash of the page.
 *
 * @param paths as in `Kept`
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
