import { readSync, writevSync } from 'node:fs';
import { extents } from '../storage/extents.ts';
import { isZero, zeroStretches } from '../storage/zeros.ts';
import { stretch } from './segments.ts';

/** An open file that holds a stretch of a content. */
export interface OpenPiece {
	/** A descriptor of this process, open to be read and written. */
	readonly fd: number;
	/** Bytes. */
	readonly length: number;
	/** Whether zeros are not written where the file already reads as zeros, so that holes stay. */
	readonly keepsHoles: boolean;
}

/** Bytes that are read at a time to find out whether they are zeros. */
const BLOCK = 1024 * 1024;
const block = Buffer.allocUnsafeSlow(BLOCK);

/** Reads and writes the open files of a content with synchronous calls. Offsets are those of the content. */
export class ContentFiles {
	readonly #pieces: readonly OpenPiece[];
	readonly #lengths: readonly number[];
	/** Whether zeros are written even where the files read as zeros. */
	fillsHoles = false;

	/** @param pieces the files, one after the other */
	constructor(pieces: readonly OpenPiece[]) {
		this.#pieces = pieces;
		this.#lengths = pieces.map(({ length }) => length);
	}

	/** Fills `into` with the bytes from `offset` on. @throws errors of the file system, ESHORT */
	read(offset: number, into: Uint8Array): void {
		for (const { file, at, from, length } of extents(this.#lengths, offset, into.length)) {
			this.#read(file, at, into.subarray(from, from + length));
		}
	}

	/** Writes `bytes` from `offset` on. @throws errors of the file system */
	write(offset: number, bytes: readonly Uint8Array[]): void {
		const length = bytes.reduce((sum, each) => sum + each.length, 0);
		for (const extent of extents(this.#lengths, offset, length)) {
			this.#writeSparsely(extent.file, extent.at, stretch(bytes, extent.from, extent.length));
		}
	}

	/** Writes all bytes except zeros where the file already reads as zeros. */
	#writeSparsely(file: number, start: number, bytes: readonly Uint8Array[]): void {
		const { keepsHoles } = this.#pieces[file] as OpenPiece;
		if (!keepsHoles || this.fillsHoles) {
			this.#write(file, start, bytes);
			return;
		}
		/** The buffers to write, one after the other from `from` on. */
		let run: Uint8Array[] = [];
		let from = start;
		let at = start;
		for (const part of bytes) {
			for (const { start: first, end, isZero: areZeros } of zeroStretches(part)) {
				const next = at + end - first;
				if (areZeros && this.#readsZeros(file, at, next)) {
					this.#write(file, from, run);
					run = [];
					from = next;
				} else {
					run.push(part.subarray(first, end));
				}
				at = next;
			}
		}
		this.#write(file, from, run);
	}

	#readsZeros(file: number, start: number, end: number): boolean {
		for (let at = start; at < end; at += BLOCK) {
			const there = block.subarray(0, Math.min(BLOCK, end - at));
			this.#read(file, at, there);
			if (!isZero(there)) {
				return false;
			}
		}
		return true;
	}

	#write(file: number, start: number, bytes: readonly Uint8Array[]): void {
		let left = bytes;
		for (let at = start; left.length > 0; ) {
			const written = writevSync(this.#fd(file), left, at);
			at += written;
			left = stretch(left, written, Number.POSITIVE_INFINITY);
		}
	}

	#read(file: number, start: number, into: Uint8Array): void {
		for (let done = 0; done < into.length; ) {
			const read = readSync(this.#fd(file), into, done, into.length - done, start + done);
			if (read === 0) {
				throw Object.assign(new Error('it became shorter while it was read'), { code: 'ESHORT' });
			}
			done += read;
		}
	}

	#fd(file: number): number {
		return (this.#pieces[file] as OpenPiece).fd;
	}
}
