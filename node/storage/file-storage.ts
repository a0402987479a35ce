import { constants, fstatSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { quoted, ShoalError } from '../../protocol/index.ts';
import { extents } from './extents.ts';
import { stampOf } from './file-stamp.ts';
import { fsError, onFile } from './fs-error.ts';
import { IoQueue } from './io-queue.ts';
import type { Storage } from './storage.ts';

/** A file that holds a stretch of a content. */
export interface FilePiece {
	readonly path: string;
	readonly length: number;
}

interface OpenFile extends FilePiece {
	readonly handle: FileHandle;
	/** Its stamp when its bytes were last known to be right. */
	stamp: string | undefined;
	readonly reads: IoQueue;
	readonly writes: IoQueue;
}

const READS = { atOnce: 4, mostBytes: 1024 * 1024 };
// The system takes one write at a time to a file; another waits at its door.
const WRITES = { atOnce: 2, mostBytes: 4 * 1024 * 1024 };
const { O_CREAT, O_NOFOLLOW, O_RDWR } = constants;

/**
 * A content in one or more files, read and written by position. Once {@link FileStorage.guard} was
 * called, a read also proves that nobody has changed the file since.
 */
export class FileStorage implements Storage {
	readonly #files: readonly OpenFile[];
	readonly #lengths: readonly number[];
	#isClosed = false;

	private constructor(files: readonly OpenFile[]) {
		this.#files = files;
		this.#lengths = files.map(({ length }) => length);
	}

	/** Opens files that exist, to be read. @throws ShoalError ERR_NO_FILE, ERR_PERMISSION, ERR_IO */
	static async openToRead(pieces: readonly FilePiece[]): Promise<FileStorage> {
		return await FileStorage.#open(pieces, 'r');
	}

	/**
	 * Opens files to be read and written, made if they are missing and set to their length. A
	 * symbolic link is not followed.
	 *
	 * @param mode permissions of a file that is made, before the umask
	 * @throws ShoalError ERR_PERMISSION, ERR_NO_SPACE, ERR_IO
	 */
	static async openToWrite(pieces: readonly FilePiece[], mode = 0o666): Promise<FileStorage> {
		const storage = await FileStorage.#open(pieces, O_RDWR | O_CREAT | (O_NOFOLLOW ?? 0), mode);
		try {
			for (const { handle, path, length } of storage.#files) {
				await onFile(path, () => handle.truncate(length));
			}
		} catch (error) {
			await storage.close();
			throw error;
		}
		return storage;
	}

	static async #open(
		pieces: readonly FilePiece[],
		flags: string | number,
		mode?: number,
	): Promise<FileStorage> {
		const files: OpenFile[] = [];
		try {
			for (const { path, length } of pieces) {
				const handle = await onFile(path, () => open(path, flags, mode));
				const queues = queuesOf(handle, path);
				files.push({ path, length, handle, stamp: undefined, ...queues });
			}
		} catch (error) {
			await closeAll(files);
			throw error;
		}
		return new FileStorage(files);
	}

	/** The open files of the content, for who writes to them in a thread; their descriptors are closed with this. */
	get files(): ReadonlyArray<FilePiece & { readonly fd: number }> {
		return this.#files.map(({ path, length, handle }) => ({ path, length, fd: handle.fd }));
	}

	/** Sets the permissions of the open files, whatever stands at their paths now. @throws ShoalError ERR_PERMISSION, ERR_IO */
	async chmod(mode: number): Promise<void> {
		for (const { handle, path } of this.#files) {
			await onFile(path, () => handle.chmod(mode));
		}
	}

	/** Gives the open files to `uid` and `gid`, where this process may; where it may not, they stay as they are. */
	async chownIfAllowed(uid: number, gid: number): Promise<void> {
		for (const { handle } of this.#files) {
			await handle.chown(uid, gid).catch(() => {});
		}
	}

	/**
	 * From now on, a read fails if a file is not as it is at this moment.
	 *
	 * @param stamp what the only file had when its bytes were right, in place of what it has now
	 */
	guard(stamp?: string): void {
		for (const file of this.#files) {
			file.stamp = stamp ?? stampNow(file);
		}
	}

	/** @throws ShoalError ERR_CHANGED if a file is not as it was when it was guarded */
	check(): void {
		for (const file of this.#files) {
			checkStamp(file);
		}
	}

	async read(offset: number, into: Uint8Array): Promise<void> {
		for (const { file, at, from, length } of extents(this.#lengths, offset, into.length)) {
			const piece = this.#piece(file);
			checkStamp(piece);
			await onFile(piece.path, () => piece.reads.move(at, into.subarray(from, from + length)));
			checkStamp(piece);
		}
	}

	async write(offset: number, bytes: Uint8Array): Promise<void> {
		for (const { file, at, from, length } of extents(this.#lengths, offset, bytes.length)) {
			const piece = this.#piece(file);
			await onFile(piece.path, () => piece.writes.move(at, bytes.subarray(from, from + length)));
		}
	}

	/** Has the system put everything on the disk. @throws ShoalError ERR_IO, ERR_NO_SPACE */
	async sync(): Promise<void> {
		for (const { handle, path } of this.#files) {
			await onFile(path, () => handle.sync());
		}
	}

	/** Never fails, idempotent: what has to be on the disk was synced before. */
	async close(): Promise<void> {
		if (!this.#isClosed) {
			this.#isClosed = true;
			await closeAll(this.#files);
		}
	}

	#piece(file: number): OpenFile {
		if (this.#isClosed) {
			throw new ShoalError('ERR_CLOSED', 'the file is not open any more');
		}
		return this.#files[file] as OpenFile;
	}
}

async function closeAll(files: readonly OpenFile[]): Promise<void> {
	await Promise.allSettled(files.map(({ handle }) => handle.close()));
}

function queuesOf(handle: FileHandle, path: string): Pick<OpenFile, 'reads' | 'writes'> {
	return {
		reads: new IoQueue(async (buffers, at) => {
			const { bytesRead } = await handle.readv(buffers, at);
			if (bytesRead === 0) {
				throw changed(path);
			}
			return bytesRead;
		}, READS),
		writes: new IoQueue(
			async (buffers, at) => (await handle.writev(buffers, at)).bytesWritten,
			WRITES,
		),
	};
}

function stampNow({ handle, path }: OpenFile): string {
	try {
		return stampOf(fstatSync(handle.fd, { bigint: true }));
	} catch (error) {
		throw fsError(error, path);
	}
}

function checkStamp(piece: OpenFile): void {
	if (piece.stamp !== undefined && stampNow(piece) !== piece.stamp) {
		throw changed(piece.path);
	}
}

function changed(path: string): ShoalError {
	return new ShoalError('ERR_CHANGED', `${quoted(path, 300)} has changed since its seed was made`);
}
