import { constants, fstatSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { quoted, ShoalError } from '../../protocol/index.ts';
import { extents } from './extents.ts';
import { fileStamp } from './file-stamp.ts';
import { fsError, onFile } from './fs-error.ts';
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
	/** The last write. The system takes one at a time to a file; others would only spin for their turn. */
	writing: Promise<void>;
}

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
	 * @throws ShoalError ERR_PERMISSION, ERR_NO_SPACE, ERR_IO
	 */
	static async openToWrite(pieces: readonly FilePiece[]): Promise<FileStorage> {
		const storage = await FileStorage.#open(pieces, O_RDWR | O_CREAT | (O_NOFOLLOW ?? 0));
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

	static async #open(pieces: readonly FilePiece[], flags: string | number): Promise<FileStorage> {
		const files: OpenFile[] = [];
		try {
			for (const { path, length } of pieces) {
				const handle = await onFile(path, () => open(path, flags, 0o666));
				files.push({ path, length, handle, stamp: undefined, writing: Promise.resolve() });
			}
		} catch (error) {
			await Promise.all(files.map(({ handle }) => handle.close()));
			throw error;
		}
		return new FileStorage(files);
	}

	/**
	 * From now on, a read fails if a file is not as it is at this moment.
	 *
	 * @param stamp what the only file had when its bytes were right, in place of what it has now
	 */
	guard(stamp?: string): void {
		for (const file of this.#files) {
			file.stamp = stamp ?? stampOf(file);
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
			await readAll(piece, at, into.subarray(from, from + length));
			checkStamp(piece);
		}
	}

	async write(offset: number, bytes: Uint8Array): Promise<void> {
		for (const { file, at, from, length } of extents(this.#lengths, offset, bytes.length)) {
			const piece = this.#piece(file);
			const write = (): Promise<void> => writeAll(piece, at, bytes.subarray(from, from + length));
			const turn = piece.writing.then(write);
			piece.writing = turn.catch(() => {});
			await onFile(piece.path, () => turn);
		}
	}

	/** Has the system put everything on the disk. @throws ShoalError ERR_IO, ERR_NO_SPACE */
	async sync(): Promise<void> {
		for (const { handle, path } of this.#files) {
			await onFile(path, () => handle.sync());
		}
	}

	async close(): Promise<void> {
		if (!this.#isClosed) {
			this.#isClosed = true;
			await Promise.all(this.#files.map(({ handle }) => handle.close()));
		}
	}

	#piece(file: number): OpenFile {
		if (this.#isClosed) {
			throw new ShoalError('ERR_CLOSED', 'the file is not open any more');
		}
		return this.#files[file] as OpenFile;
	}
}

async function readAll(piece: OpenFile, at: number, into: Uint8Array): Promise<void> {
	let done = 0;
	while (done < into.length) {
		const { bytesRead } = await onFile(piece.path, () =>
			piece.handle.read(into, done, into.length - done, at + done),
		);
		if (bytesRead === 0) {
			throw changed(piece);
		}
		done += bytesRead;
	}
}

async function writeAll(piece: OpenFile, at: number, bytes: Uint8Array): Promise<void> {
	let done = 0;
	while (done < bytes.length) {
		const left = bytes.length - done;
		const { bytesWritten } = await piece.handle.write(bytes, done, left, at + done);
		done += bytesWritten;
	}
}

function stampOf({ handle, path }: OpenFile): string {
	try {
		return fileStamp(fstatSync(handle.fd, { bigint: true }));
	} catch (error) {
		throw fsError(error, path);
	}
}

function checkStamp(piece: OpenFile): void {
	if (piece.stamp !== undefined && stampOf(piece) !== piece.stamp) {
		throw changed(piece);
	}
}

function changed({ path }: FilePiece): ShoalError {
	return new ShoalError('ERR_CHANGED', `${quoted(path, 300)} has changed since its seed was made`);
}
