import { ShoalError } from '../errors.ts';

/** Smallest chunk size of a seed, in bytes. Seeds made before shoal existed have this size. */
export const MIN_CHUNK_SIZE = 512;
/**
 * Largest chunk size, in bytes; it is limited because a node holds a chunk in memory until it is
 * verified.
 */
export const MAX_CHUNK_SIZE = 4 * 1024 * 1024;
/** Most chunk lines of a seed: 64 MiB of text. */
export const MAX_CHUNKS = 1_048_576;
/** Most bytes of a content: MAX_CHUNKS chunks of MAX_CHUNK_SIZE, 4 TiB, far below 2^53. */
export const MAX_LENGTH = MAX_CHUNKS * MAX_CHUNK_SIZE;
/** Bytes of the smallest index of a folder: that of an empty folder. */
export const MIN_INDEX_BYTES = 15;
/** Most bytes of the index of a folder: a node holds it in memory. */
export const MAX_INDEX_BYTES = 32 * 1024 * 1024;

const NEW_CHUNK_SIZE = 256 * 1024;
const NEW_CHUNKS = 65_536;

/**
 * The chunk size of a new seed: the smallest power of two from 256 KiB to 4 MiB that needs at most
 * 65,536 chunks, else 4 MiB. It is a fixed rule, so that two people who share the same file join
 * one swarm.
 */
export function chooseChunkSize(length: number): number {
	let size = NEW_CHUNK_SIZE;
	while (size < MAX_CHUNK_SIZE && length > size * NEW_CHUNKS) {
		size *= 2;
	}
	return size;
}

/**
 * The chunk size of a seed, which its text does not contain: the power of two s from 512 B to 4 MiB
 * with ceil(length / s) = chunks. For n chunks, n ≥ 2, there is at most one such s, as the interval
 * [length/n, length/(n-1)) holds at most one power of two. With one chunk, every size of at least
 * `length` fits, and the smallest is returned. With no chunks, the smallest chunk size is returned.
 *
 * @returns undefined if no such size exists
 */
export function inferChunkSize(length: number, chunks: number): number | undefined {
	if (chunks === 0) {
		return length === 0 ? MIN_CHUNK_SIZE : undefined;
	}
	for (let size = MIN_CHUNK_SIZE; size <= MAX_CHUNK_SIZE; size *= 2) {
		if (length > 0 && Math.ceil(length / size) === chunks) {
			return size;
		}
	}
	return undefined;
}

/**
 * How a content of `length` bytes is divided into chunks. An index from this class, or one that has
 * passed {@link Layout.isChunk}, need not be checked again.
 */
export class Layout {
	/** Bytes of the content. */
	readonly length: number;
	/** Bytes of every chunk except the last, which may be shorter. */
	readonly chunkSize: number;
	/** Number of chunks. */
	readonly chunks: number;

	/** Divides `length` bytes into chunks of `chunkSize`. */
	constructor(length: number, chunkSize: number) {
		this.length = length;
		this.chunkSize = chunkSize;
		this.chunks = Math.ceil(length / chunkSize);
	}

	/** Whether `index` is the index of a chunk. */
	isChunk(index: number): boolean {
		return Number.isInteger(index) && index >= 0 && index < this.chunks;
	}

	/** Whether `offset` and `length` name a range of at least one byte inside the content. */
	isRange(offset: number, length: number): boolean {
		return (
			Number.isSafeInteger(offset) &&
			Number.isSafeInteger(length) &&
			offset >= 0 &&
			length > 0 &&
			offset + length <= this.length
		);
	}

	/** Offset of the first byte of a chunk. @throws ShoalError ERR_RANGE if there is no such chunk */
	offsetOf(index: number): number {
		this.#check(index);
		return index * this.chunkSize;
	}

	/** Number of bytes of a chunk. @throws ShoalError ERR_RANGE if there is no such chunk */
	sizeOf(index: number): number {
		this.#check(index);
		return Math.min(this.chunkSize, this.length - index * this.chunkSize);
	}

	/** Index of the chunk with the byte at `offset`. @throws ShoalError ERR_RANGE outside the content */
	chunkAt(offset: number): number {
		if (!this.isRange(offset, 1)) {
			throw new ShoalError('ERR_RANGE', `byte ${offset} does not exist: there are ${this.length}`);
		}
		return Math.floor(offset / this.chunkSize);
	}

	#check(index: number): void {
		if (!this.isChunk(index)) {
			throw new ShoalError('ERR_RANGE', `chunk ${index} does not exist: there are ${this.chunks}`);
		}
	}
}
