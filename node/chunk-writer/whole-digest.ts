import { createHash, type Hash } from 'node:crypto';
import type { DigestKind } from '../../protocol/index.ts';
import { ContentFiles, type OpenPiece } from './content-files.ts';

/** The content whose digest a {@link WholeDigest} computes. It can be sent to a thread. */
export interface HashedContent {
	readonly kind: DigestKind;
	/** Bytes of the content, and of each chunk but the last. */
	readonly length: number;
	readonly chunkSize: number;
	/** The files of the content, one after the other. */
	readonly pieces: readonly OpenPiece[];
	/** One byte for each chunk, 1 if it is stored. */
	readonly stored: Uint8Array;
}

/** Bytes that are read back from a file at a time. */
const BLOCK = 1024 * 1024;
const block = Buffer.allocUnsafeSlow(BLOCK);
/**
 * Bytes. If at most this many stored bytes before a new chunk are not hashed yet, they are read
 * back and hashed first, so that the new chunk can be hashed from memory.
 */
export const NEAR = 4 * 1024 * 1024;

/**
 * Computes the digest of a whole content while its chunks are stored: from memory if the chunks
 * arrive in order, otherwise from the stored bytes.
 */
export class WholeDigest {
	readonly #content: HashedContent;
	readonly #files: ContentFiles;
	readonly #stored: Uint8Array;
	#hash: Hash;
	/** Bytes that the digest covers, from the first on. */
	#hashed = 0;

	constructor(content: HashedContent) {
		this.#content = content;
		this.#files = new ContentFiles(content.pieces);
		this.#stored = content.stored;
		this.#hash = createHash(content.kind);
	}

	/** Whether {@link WholeDigest.catchUp} has something to do. */
	get isBehind(): boolean {
		return this.#stored[this.#nextChunk] === 1;
	}

	/** Whether the digest covers all of the content. */
	get isWhole(): boolean {
		return this.#hashed === this.#content.length;
	}

	/** `count` chunks, from chunk `first` on, are stored, and their bytes are `segments`. */
	add(first: number, count: number, segments: readonly Uint8Array[]): void {
		this.#comeNear(first * this.#content.chunkSize);
		this.#stored.fill(1, first, first + count);
		if (this.#hashed === first * this.#content.chunkSize) {
			for (const each of segments) {
				this.#hash.update(each);
				this.#hashed += each.length;
			}
		}
	}

	/**
	 * Reads back and hashes the next stored bytes that are not hashed yet, at most one block (1 MiB).
	 *
	 * @param before bytes from this position on are left out
	 * @throws errors of the file system
	 */
	catchUp(before: number = this.#content.length): void {
		const { chunkSize } = this.#content;
		let end = this.#nextChunk;
		while (this.#stored[end] === 1 && end * chunkSize < this.#hashed + BLOCK) {
			end += 1;
		}
		const length = Math.min(end * chunkSize, before, this.#hashed + BLOCK) - this.#hashed;
		const bytes = block.subarray(0, length);
		this.#files.read(this.#hashed, bytes);
		this.#hash.update(bytes);
		this.#hashed += length;
	}

	/** The digest, once it covers all of the content. */
	digest(): Uint8Array {
		return this.#hash.copy().digest();
	}

	/** Starts anew: the chunks with a 1 in `stored`, and no others, are right. */
	restart(stored: Uint8Array): void {
		this.#stored.set(stored);
		this.#hash = createHash(this.#content.kind);
		this.#hashed = 0;
	}

	/** The chunk with the first byte that is not hashed yet. */
	get #nextChunk(): number {
		return Math.floor(this.#hashed / this.#content.chunkSize);
	}

	/** Hashes the stored bytes before `offset` if there are at most `NEAR` of them. */
	#comeNear(offset: number): void {
		try {
			while (this.isBehind && this.#hashed < offset && offset - this.#hashed <= NEAR) {
				this.catchUp(offset);
			}
		} catch {
			// If bytes cannot be read back, the error is reported when the digest is asked for.
		}
	}
}
