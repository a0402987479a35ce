import { type BigIntStats, constants, fstatSync, readSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { quoted, ShoalError } from '../../protocol/index.ts';
import type { OpenPiece } from './content-place.ts';
import { extents } from './extents.ts';
import { stampOf } from './file-stamp.ts';
import { fsError, onFile } from './fs-error.ts';
import { IoQueue } from './io-queue.ts';
import { READ_ONLY } from './regular-file.ts';
import type { Storage } from './storage.ts';
import { WarmReads } from './warm-reads.ts';
import { isZero, zeroStretches } from './zeros.ts';

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
	/** True: where the file already reads as zeros, zeros are not written, so that holes remain. */
	keepsHoles: boolean;
	/** Time of the last check that the file still has a name, in ms. */
	lookedAt: number;
	readonly warm: WarmReads;
}

const READS = { atOnce: 4, mostBytes: 1024 * 1024 };
// The system does one write to a file at a time; a second write may already wait for its turn.
const WRITES = { atOnce: 2, mostBytes: 4 * 1024 * 1024 };
const { O_CREAT, O_NOFOLLOW, O_RDWR } = constants;
/** While a file is written: ms between two checks that it still has a name. */
const LOOK_EVERY = 250;

/**
 * A content in one or more files, read and written by position. After a call of
 * {@link FileStorage.guard}, a read fails if the file was changed since.
 */
export class FileStorage implements Storage {
	readonly #files: readonly OpenFile[];
	readonly #lengths: readonly number[];
	#closing: Promise<void> | undefined;

	private constructor(files: readonly OpenFile[]) {
		this.#files = files;
		this.#lengths = files.map(({ length }) => length);
	}

	/** Opens existing files for reading. @throws ShoalError ERR_NO_FILE, ERR_PERMISSION, ERR_IO */
	static async openToRead(pieces: readonly FilePiece[]): Promise<FileStorage> {
		return await FileStorage.#open(pieces, READ_ONLY);
	}

	/**
	 * Opens files for reading and writing, creates missing ones, and sets each to its length. A
	 * symbolic link is not followed. Where only zeros are written, the file keeps its holes.
	 *
	 * @param mode permissions of a file that is created, before the umask
	 * @throws ShoalError ERR_PERMISSION, ERR_NO_SPACE, ERR_IO
	 */
	static async openToWrite(pieces: readonly FilePiece[], mode = 0o666): Promise<FileStorage> {
		const storage = await FileStorage.#open(pieces, O_RDWR | O_CREAT | (O_NOFOLLOW ?? 0), mode);
		try {
			for (const file of storage.#files) {
				const { handle, path, length } = file;
				file.keepsHoles = true;
				// Some file systems do not count the names of a file.
				file.lookedAt = statNow(file).nlink === 0n ? Number.POSITIVE_INFINITY : 0;
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
		flags: number,
		mode?: number,
	): Promise<FileStorage> {
		const files: OpenFile[] = [];
		try {
			for (const { path, length } of pieces) {
				const handle = await onFile(path, () => open(path, flags, mode));
				const queues = queuesOf(handle, path);
				files.push({
					...{ path, length, handle, stamp: undefined, keepsHoles: false, lookedAt: 0 },
					warm: new WarmReads(),
					...queues,
				});
			}
		} catch (error) {
			await closeAll(files);
			throw error;
		}
		return new FileStorage(files);
	}

	/**
	 * The open files of the content, for a thread that writes to them. Their descriptors are closed
	 * when this storage is closed.
	 */
	get location(): { readonly pieces: readonly OpenPiece[] } {
		const pieces = this.#files.map(({ path, length, handle: { fd }, keepsHoles }) => {
			return { path, length, fd, keepsHoles };
		});
		return { pieces };
	}

	/** The path of the first file, for messages. */
	get path(): string {
		return this.#files[0]?.path ?? '';
	}

	/**
	 * Sets the permissions of the open files, whatever is at their paths now.
	 *
	 * @throws ShoalError ERR_PERMISSION, ERR_IO
	 */
	async chmod(mode: number): Promise<void> {
		for (const { handle, path } of this.#files) {
			await onFile(path, () => handle.chmod(mode));
		}
	}

	/**
	 * Sets the owner of the open files to `uid` and `gid`, if this process may; if not, the owner
	 * stays.
	 */
	async chownIfAllowed(uid: number, gid: number): Promise<void> {
		for (const { handle } of this.#files) {
			await handle.chown(uid, gid).catch(() => {});
		}
	}

	/**
	 * Makes reads fail, from now on, if a file is not as it is at this moment.
	 *
	 * @param stamp for a content in a single file: the stamp that the file had when its bytes were
	 *   right, used in place of its current stamp
	 */
	guard(stamp?: string): void {
		for (const file of this.#files) {
			file.stamp = stamp ?? stampNow(file);
		}
	}

	/**
	 * The stamp of the first file when it was guarded. Undefined if it was not, or if the file system
	 * stores no fractions of a second, so that a change could have the same time.
	 */
	get stamp(): string | undefined {
		const stamp = this.#piece(0).stamp;
		return stamp === undefined || stamp.endsWith('000000000') ? undefined : stamp;
	}

	/** The stamp of the first file as it is now. @throws ShoalError ERR_IO */
	get stampNow(): string {
		return stampNow(this.#piece(0));
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
			const part = into.subarray(from, from + length);
			if (piece.warm.isWarm(performance.now())) {
				readAtOnce(piece, at, part);
			} else {
				await onFile(piece.path, () => piece.reads.move(at, part));
			}
			checkStamp(piece);
		}
	}

	async write(offset: number, bytes: Uint8Array): Promise<void> {
		for (const { file, at, from, length } of extents(this.#lengths, offset, bytes.length)) {
			const piece = this.#piece(file);
			checkNamed(piece);
			const part = bytes.subarray(from, from + length);
			await onFile(piece.path, () => writeSparsely(piece, at, part));
		}
	}

	/**
	 * Checks, at most every 250 ms, that the files still have names.
	 *
	 * @throws ShoalError ERR_NO_FILE if a file was removed
	 */
	checkNamed(): void {
		this.#files.forEach(checkNamed);
	}

	/**
	 * From now on, zeros are written too: where a file reads as zeros, the disk may have stored other
	 * bytes.
	 */
	fillHoles(): void {
		for (const file of this.#files) {
			file.keepsHoles = false;
		}
	}

	/** Makes the system write everything to the disk. @throws ShoalError ERR_IO, ERR_NO_SPACE */
	async sync(): Promise<void> {
		for (const { handle, path } of this.#files) {
			await onFile(path, () => handle.sync());
		}
	}

	/**
	 * Closes the files. Never fails, idempotent: data that has to be on the disk was synced before.
	 */
	close(): Promise<void> {
		this.#closing ??= closeAll(this.#files);
		return this.#closing;
	}

	#piece(file: number): OpenFile {
		if (this.#closing !== undefined) {
			throw new ShoalError('ERR_CLOSED', 'the file is closed');
		}
		return this.#files[file] as OpenFile;
	}
}

/** @throws ShoalError of the file system, ERR_CHANGED if the file became shorter */
function readAtOnce(file: OpenFile, start: number, into: Uint8Array): void {
	const begun = performance.now();
	try {
		for (let done = 0; done < into.length; ) {
			const read = readSync(file.handle.fd, into, done, into.length - done, start + done);
			if (read === 0) {
				throw changed(file.path);
			}
			done += read;
		}
	} catch (error) {
		throw fsError(error, file.path);
	}
	const now = performance.now();
	file.warm.onRead(now - begun, now, into.length);
}

async function closeAll(files: readonly OpenFile[]): Promise<void> {
	await Promise.allSettled(files.map(({ handle }) => handle.close()));
}

/**
 * Writes `bytes` from position `at` on. If the file keeps its holes, zeros are not written where
 * the file already reads as zeros.
 */
async function writeSparsely(file: OpenFile, at: number, bytes: Uint8Array): Promise<void> {
	const { keepsHoles, reads, writes } = file;
	const stretches = keepsHoles ? zeroStretches(bytes) : [];
	if (!stretches.some((stretch) => stretch.isZero)) {
		await writes.move(at, bytes);
		return;
	}
	for (const { start, end, isZero: areZeros } of stretches) {
		const part = bytes.subarray(start, end);
		if (!areZeros || !(await readsZeros(reads, at + start, part.length))) {
			await writes.move(at + start, part);
		}
	}
}

async function readsZeros(reads: IoQueue, at: number, length: number): Promise<boolean> {
	const there = new Uint8Array(length);
	await reads.move(at, there);
	return isZero(there);
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

function stampNow(file: OpenFile): string {
	return stampOf(statNow(file));
}

function statNow({ handle, path }: OpenFile): BigIntStats {
	try {
		return fstatSync(handle.fd, { bigint: true });
	} catch (error) {
		throw fsError(error, path);
	}
}

/**
 * Checks that the file still has a name: bytes written to a removed file are lost, so this is
 * reported now, not at the end.
 *
 * @throws ShoalError ERR_NO_FILE
 */
function checkNamed(file: OpenFile): void {
	const now = performance.now();
	if (now - file.lookedAt < LOOK_EVERY) {
		return;
	}
	file.lookedAt = now;
	if (statNow(file).nlink === 0n) {
		throw new ShoalError(
			'ERR_NO_FILE',
			`${quoted(file.path, 300)} was removed while it was written, or its folder was; start again`,
		);
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
