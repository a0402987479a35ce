import type { ByteRange, Layout } from '../../protocol/index.ts';
import type { ChunkRun } from '../engine/chunk-run.ts';
import { LEAST_PIECE } from '../reuse/known-bytes.ts';

/** Some known bytes of a chunk, in memory. */
export interface KnownPiece {
	/** Offset of the first byte in the content. */
	readonly offset: number;
	readonly bytes: Uint8Array;
}

/** Most bytes that are kept. */
const MOST = 32 * 1024 * 1024;
/**
 * After this many wrong chunks, no pieces are used any more. A wrong chunk is requested whole, so
 * its bytes that were not known are fetched twice.
 */
const MOST_WRONG = 4;

/**
 * The known bytes of chunks that are not known as a whole. Only the other bytes of these chunks are
 * requested. A chunk is verified when it is complete; only then do wrong bytes show.
 */
export class PartlyKnown {
	readonly #pieces = new Map<number, readonly KnownPiece[]>();
	readonly #layout: Layout;
	#bytes = 0;
	#wrong = 0;

	constructor(layout: Layout) {
		this.#layout = layout;
	}

	/** Whether pieces of `chunk` can be added: none is known yet, and there is room. */
	takes(chunk: number): boolean {
		const hasRoom = this.#bytes + this.#layout.sizeOf(chunk) <= MOST;
		return this.#wrong < MOST_WRONG && hasRoom && !this.#pieces.has(chunk);
	}

	/**
	 * Adds what is known of a chunk: pieces in ascending order that do not overlap. They are not the
	 * whole chunk, so that there is something to request from the node whose attempt they are put into.
	 */
	add(chunk: number, pieces: readonly KnownPiece[]): void {
		const long = pieces.filter(({ bytes }) => bytes.length >= LEAST_PIECE);
		if (long.length > 0) {
			this.#pieces.set(chunk, long);
			this.#bytes += this.bytesOf(chunk);
		}
	}

	/** The pieces of a run of chunks. */
	piecesIn({ first, count }: ChunkRun): KnownPiece[] {
		const pieces: KnownPiece[] = [];
		for (let chunk = first; this.#pieces.size > 0 && chunk < first + count; chunk += 1) {
			pieces.push(...(this.#pieces.get(chunk) ?? []));
		}
		return pieces;
	}

	/** The ranges of {@link piecesIn}. */
	rangesIn(run: ChunkRun): ByteRange[] {
		return this.piecesIn(run).map(({ offset, bytes }) => [offset, bytes.length]);
	}

	/** Number of bytes of a chunk that are known. */
	bytesOf(chunk: number): number {
		return (this.#pieces.get(chunk) ?? []).reduce((sum, { bytes }) => sum + bytes.length, 0);
	}

	/** Forgets the pieces of a chunk. */
	forget(chunk: number): void {
		this.#bytes -= this.bytesOf(chunk);
		this.#pieces.delete(chunk);
	}

	/**
	 * Notes that a chunk with known pieces was wrong. Its pieces are forgotten; after
	 * {@link MOST_WRONG} such chunks, the pieces of all chunks are.
	 */
	wrong(chunk: number): void {
		this.#wrong += 1;
		for (const each of this.#wrong < MOST_WRONG ? [chunk] : [...this.#pieces.keys()]) {
			this.forget(each);
		}
	}
}
