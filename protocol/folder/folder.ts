import { bytesToHex } from '@noble/hashes/utils.js';
import { ShoalError } from '../errors.ts';
import { digestOf } from '../seed/digest.ts';
import type { FolderEntry } from './entry.ts';
import { firstFrom, firstPosition } from './find-entry.ts';
import { parseIndex } from './folder-index.ts';
import { checkFolderLength, type FolderPiece, piecesOf } from './folder-layout.ts';

/** The fields of a seed that a {@link Folder} needs, as an object that can be sent to a thread. */
export interface FolderSeed {
	/** Seed id. */
	readonly id: string;
	/** Bytes of the content. */
	readonly length: number;
	/** As in {@link Seed}. */
	readonly index?: number | undefined;
	/** Digest of the index, lower-case hex. */
	readonly digest: string;
	/** Bytes of each chunk but the last. */
	readonly layout: { readonly chunkSize: number };
}

/** The entries of a folder, and where in the content the bytes of each entry are. */
export class Folder {
	/**
	 * The bytes of the index, with which the content begins, in memory that threads share if
	 * possible.
	 */
	readonly index: Uint8Array;
	/** In the order of the index. */
	readonly entries: readonly FolderEntry[];
	/** The stretches of the content after the index, in ascending order and without a gap. */
	readonly pieces: readonly FolderPiece[];
	/** Number of files, without links and empty folders. */
	readonly files: number;

	/**
	 * Reads the index of a folder, and checks that it is the one that `seed` describes.
	 *
	 * @throws ShoalError ERR_SEED
	 */
	constructor(seed: FolderSeed, index: Uint8Array) {
		if (index.length !== seed.index || bytesToHex(digestOf('sha256', index)) !== seed.digest) {
			throw new ShoalError('ERR_SEED', `this is not the index of the folder ${seed.id}`);
		}
		const { length, layout } = seed;
		const { chunkSize } = layout;
		this.index = shared(index);
		this.entries = parseIndex(this.index);
		checkFolderLength(this.entries, { indexBytes: index.length, chunkSize, length });
		this.pieces = piecesOf(this.entries, index.length, chunkSize);
		this.files = this.entries.filter(isFile).length;
	}

	/** Calls `visit` with each piece that has a byte of the range, in ascending order. */
	visit(offset: number, length: number, visit: (piece: FolderPiece, at: number) => void): void {
		const end = offset + length;
		for (let at = this.#firstAfter(offset); at < this.pieces.length; at += 1) {
			const piece = this.pieces[at] as FolderPiece;
			if (piece.offset >= end) {
				break;
			}
			visit(piece, at);
		}
	}

	/** The entry at `path`, and the offset of its bytes in the content; undefined if there is none. */
	find(path: string): Place | undefined {
		const number = firstFrom(this.entries, path);
		const entry = this.entries[number];
		if (entry?.path !== path) {
			return undefined;
		}
		// The numbers of the pieces ascend, except that a piece of zeros has the number -1.
		const { pieces } = this;
		const at = firstPosition(pieces.length, (piece) => {
			const found = pieces[piece] as FolderPiece;
			return (found.number < 0 ? (pieces[piece + 1]?.number ?? number) : found.number) >= number;
		});
		const piece = pieces[at]?.number === -1 ? pieces[at + 1] : pieces[at];
		return { entry, offset: piece?.entry === entry ? piece.offset : 0 };
	}

	/** The position of the first piece that ends after `offset`. */
	#firstAfter(offset: number): number {
		return firstPosition(this.pieces.length, (at) => {
			const piece = this.pieces[at] as FolderPiece;
			return piece.offset + piece.length > offset;
		});
	}
}

interface Place {
	readonly entry: FolderEntry;
	/** Offset of the first byte in the content; 0 if the entry has no bytes. */
	readonly offset: number;
}

/**
 * A copy of `bytes` in memory that threads share. Returns `bytes` itself where no such memory
 * exists, or where a TextDecoder cannot read it.
 */
export function shared(bytes: Uint8Array): Uint8Array {
	canShare ??= canDecodeShared();
	if (!canShare || bytes.buffer instanceof SharedArrayBuffer) {
		return bytes;
	}
	const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
	copy.set(bytes);
	return copy;
}

let canShare: boolean | undefined;

/** Browsers give shared memory only to some pages, and cannot decode text from it. */
function canDecodeShared(): boolean {
	try {
		new TextDecoder().decode(new Uint8Array(new SharedArrayBuffer(1)));
		return true;
	} catch {
		return false;
	}
}

/** Whether `entry` is a file, executable or not. */
export function isFile({ kind }: FolderEntry): boolean {
	return kind === 'f' || kind === 'x';
}
