import { readSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type { ContentPlace } from './content-place.ts';
import { NOWHERE, ZEROS } from './extents.ts';
import { stretch } from './segments.ts';
import { TimedWrites } from './timed-writes.ts';
import { isZero, zeroStretches } from './zeros.ts';

/** Bytes that are read at a time to find out whether they are zeros. */
const BLOCK = 1024 * 1024;
let block: Buffer | undefined;

/** Reads and writes a content with synchronous calls. Offsets are those of the content. */
export class ContentFiles {
	readonly #place: ContentPlace;
	readonly #writes = new TimedWrites();
	/** Whether zeros are written even where the files read as zeros. */
	fillsHoles = false;

	constructor(place: ContentPlace) {
		this.#place = place;
	}

	/**
	 * Fills `into` with the bytes from `offset` on.
	 *
	 * @throws errors of the file system, with the path; ESHORT if a file is too short
	 */
	read(offset: number, into: Uint8Array): void {
		for (const { file, at, from, length, memory } of this.#place.extents(offset, into.length)) {
			const part = into.subarray(from, from + length);
			if (memory !== undefined) {
				part.set(memory.subarray(at, at + length));
			} else if (file === ZEROS) {
				part.fill(0);
			} else if (file === NOWHERE) {
				throw notKept();
			} else {
				this.#onFile(file, () => readFully(this.#place.open(file), at, part));
			}
		}
	}

	/**
	 * Writes `bytes` from `offset` on.
	 *
	 * @throws errors of the file system, with the path; EPADDING if bytes that have no file are not
	 *   zeros
	 */
	write(offset: number, bytes: readonly Uint8Array[]): void {
		const bytesLength = bytes.reduce((sum, each) => sum + each.length, 0);
		for (const { file, at, from, length } of this.#place.extents(offset, bytesLength)) {
			const part = stretch(bytes, from, length);
			if (file === ZEROS) {
				checkZeros(part);
			} else if (file !== NOWHERE) {
				this.#onFile(file, () => this.#writeSparsely(file, at, part));
			}
		}
	}

	/** Closes the files that were opened for reading and writing. @throws errors of the file system */
	close(): void {
		this.#place.close();
	}

	#onFile(file: number, operation: () => void): void {
		try {
			operation();
		} catch (error) {
			// An error of another file, which was closed to open this one, has the path of that file.
			const { isLost = false, path } = error as { isLost?: boolean; path?: string };
			throw Object.assign(error as Error, { path: isLost ? path : this.#place.pathOf(file) });
		}
	}

	/** Writes all bytes except zeros where the file already reads as zeros. */
	#writeSparsely(file: number, start: number, bytes: readonly Uint8Array[]): void {
		const fd = this.#place.open(file);
		if (!this.#place.keepsHoles(file) || this.fillsHoles) {
			this.#writes.write(fd, start, bytes);
			return;
		}
		/** The buffers to write, one after the other from `from` on. */
		let run: Uint8Array[] = [];
		let from = start;
		let at = start;
		for (const part of bytes) {
			for (const { start: first, end, isZero: areZeros } of zeroStretches(part)) {
				const next = at + end - first;
				if (areZeros && readsZeros(fd, at, next)) {
					this.#writes.write(fd, from, run);
					run = [];
					from = next;
				} else {
					run.push(part.subarray(first, end));
				}
				at = next;
			}
		}
		this.#writes.write(fd, from, run);
	}
}

/** The error of bytes that are read, and belong to a file that is not kept. */
export function notKept(): Error {
	return Object.assign(new Error('these bytes are not kept'), { code: 'ENOENT' });
}

function readsZeros(fd: number, start: number, end: number): boolean {
	block ??= Buffer.allocUnsafeSlow(BLOCK);
	for (let at = start; at < end; at += BLOCK) {
		const there = block.subarray(0, Math.min(BLOCK, end - at));
		readFully(fd, at, there);
		if (!isZero(there)) {
			return false;
		}
	}
	return true;
}

/** Fills `into` from position `start` of a file on. @throws ESHORT if the file is too short */
export function readFully(fd: number, start: number, into: Uint8Array): void {
	for (let done = 0; done < into.length; ) {
		const count = readSync(fd, into, done, into.length - done, start + done);
		checkCount(count);
		done += count;
	}
}

/** As {@link readFully}, in the thread pool. @throws ESHORT */
export async function readFullyLater(
	file: FileHandle,
	start: number,
	into: Uint8Array,
): Promise<void> {
	for (let done = 0; done < into.length; ) {
		const { bytesRead } = await file.read(into, done, into.length - done, start + done);
		checkCount(bytesRead);
		done += bytesRead;
	}
}

function checkCount(bytesRead: number): void {
	if (bytesRead === 0) {
		throw Object.assign(new Error('it became shorter while it was read'), { code: 'ESHORT' });
	}
}

function checkZeros(bytes: readonly Uint8Array[]): void {
	if (!bytes.every(isZero)) {
		throw Object.assign(new Error('the bytes before a large file are not zeros'), {
			code: 'EPADDING',
		});
	}
}
