import { ShoalError } from '../errors.ts';
import { chooseChunkSize, MAX_CHUNK_SIZE } from '../seed/layout.ts';
import type { FolderEntry } from './entry.ts';

/** A file of at least this many chunks begins at the start of a chunk. */
const ALIGNED_CHUNKS = 64;
const MOST_CHUNKS = 65_536;

/** A stretch of the content of a folder. */
export interface FolderPiece {
	/** The entry that the bytes belong to; undefined for the zeros before a large file. */
	readonly entry: FolderEntry | undefined;
	/** The number of that entry, from 0 on; -1 if there is none. */
	readonly number: number;
	/** Offset of the first byte of the piece in the content. */
	readonly offset: number;
	/** Bytes, at least one. */
	readonly length: number;
}

/**
 * The content of a folder after its index: the bytes of its entries in their order. A file of 64
 * chunks or more begins at the start of a chunk, after zeros, so that its chunks keep their digests
 * when other entries change.
 *
 * @param indexBytes bytes of the index, with which the content begins
 */
export function piecesOf(
	entries: readonly FolderEntry[],
	indexBytes: number,
	chunkSize: number,
): FolderPiece[] {
	const pieces: FolderPiece[] = [];
	let offset = indexBytes;
	for (const [number, entry] of entries.entries()) {
		const { length } = entry;
		const padding = paddingBefore(length, offset, chunkSize);
		if (padding > 0) {
			pieces.push({ entry: undefined, number: -1, offset, length: padding });
			offset += padding;
		}
		if (length > 0) {
			pieces.push({ entry, number, offset, length });
			offset += length;
		}
	}
	return pieces;
}

/** Bytes of the content of a folder, its index included. */
export function folderLength(
	entries: readonly FolderEntry[],
	indexBytes: number,
	chunkSize: number,
): number {
	// Without the pieces, which take much memory.
	let offset = indexBytes;
	for (const { length } of entries) {
		offset += paddingBefore(length, offset, chunkSize) + length;
	}
	return offset;
}

/** Bytes of the zeros between `offset` and a file of `length` bytes. */
function paddingBefore(length: number, offset: number, chunkSize: number): number {
	const isAligned = length >= ALIGNED_CHUNKS * chunkSize;
	return isAligned ? (chunkSize - (offset % chunkSize)) % chunkSize : 0;
}

/**
 * The chunk size of a new folder: the smallest power of two from 256 KiB to 4 MiB with which the
 * content has at most 65,536 chunks, else 4 MiB. This rule is fixed, so that all nodes that share
 * the same folder are in one swarm.
 */
export function chooseFolderChunkSize(entries: readonly FolderEntry[], indexBytes: number): number {
	let size = chooseChunkSize(0);
	while (size < MAX_CHUNK_SIZE && folderLength(entries, indexBytes, size) > size * MOST_CHUNKS) {
		size *= 2;
	}
	return size;
}

/**
 * Checks that the length of the content that follows from an index is the length in the seed.
 *
 * @throws ShoalError ERR_SEED
 */
export function checkFolderLength(
	entries: readonly FolderEntry[],
	{ indexBytes, chunkSize, length }: { indexBytes: number; chunkSize: number; length: number },
): void {
	const described = folderLength(entries, indexBytes, chunkSize);
	if (described !== length) {
		throw new ShoalError(
			'ERR_SEED',
			`the index of the folder describes ${described} bytes, and the seed ${length}`,
		);
	}
}
