import { createHash, type Hash } from 'node:crypto';
import type { DigestKind } from '../../protocol/index.ts';
import { ContentFiles } from '../storage/content-files.ts';
import type { ContentPlace } from '../storage/content-place.ts';

/** The content that a {@link ContentDigest} checks. It can be sent to a thread. */
export interface HashedContent {
	readonly kind: DigestKind;
	/** Bytes of the content, and of each chunk but the last. */
	readonly length: number;
	readonly chunkSize: number;
	/** The digest of the whole, lower-case hex; for a folder, the digest of the index. */
	readonly digest: string;
	/** One byte for each chunk, 1 if it is stored. */
	readonly stored: Uint8Array;
}

/** Checks digests that cover more than one chunk, while the chunks are stored. */
export interface ContentDigest {
	/** Whether {@link ContentDigest.catchUp} has something to do. */
	readonly isBehind: boolean;
	/** Whether everything is hashed. */
	readonly isWhole: boolean;
	/** Whether every digest that is complete is right. */
	readonly isRight: boolean;

	/**
	 * `count` chunks, from chunk `first` on, are stored. `segments` are their bytes; if it is empty,
	 * the bytes have to be read back.
	 */
	add(first: number, count: number, segments: readonly Uint8Array[]): void;

	/**
	 * Reads back and hashes the next stored bytes that are not hashed yet, at most one block (1 MiB).
	 *
	 * @throws errors of the file system
	 */
	catchUp(): void;

	/** Starts anew: the chunks with a 1 in `stored`, and no others, are right. */
	restart(stored: Uint8Array): void;

	/** Closes the files that were opened for reading. */
	close(): void;
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
export class WholeDigest implements ContentDigest {
	readonly #content: HashedContent;
	readonly #files: ContentFiles;
	readonly #stored: Uint8Array;
	#hash: Hash;
	/** Bytes that the digest covers, from the first on. */
	#hashed = 0;

	constructor(content: HashedContent, place: ContentPlace) {
		this.#content = content;
		this.#files = new ContentFiles(place);
		this.#stored = content.stored;
		this.#hash = createHash(content.kind);
	}

	get isBehind(): boolean {
		return this.#stored[this.#nextChunk] === 1;
	}

	get isWhole(): boolean {
		return this.#hashed === this.#content.length;
	}

	get isRight(): boolean {
		return !this.isWhole || this.#hash.copy().digest('hex') === this.#content.digest;
	}

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

	/** @param before bytes from this position on are left out */
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

	restart(stored: Uint8Array): void {
		this.#stored.set(stored);
		this.#hash = createHash(this.#content.kind);
		this.#hashed = 0;
	}

	close(): void {
		this.#files.close();
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
