import { createHash, type Hash } from 'node:crypto';
import type { Folder, FolderPiece } from '../../protocol/index.ts';
import { ContentFiles } from '../storage/content-files.ts';
import type { FolderPlace } from '../storage/folder/folder-place.ts';
import { stretch } from '../storage/segments.ts';
import { type ContentDigest, type HashedContent, NEAR } from './whole-digest.ts';

/** A file of which the first bytes are hashed. */
interface Begun {
	readonly hash: Hash;
	/** Bytes. */
	hashed: number;
}

/**
 * Bytes that are read back at a time. Each file that is opened counts as at least PER_FILE bytes.
 */
const BLOCK = 1024 * 1024;
const PER_FILE = 16 * 1024;
const block = Buffer.allocUnsafeSlow(BLOCK);
/** Maximum number of files that are begun at a time: a hash takes memory outside of the heap. */
const MOST_BEGUN = 64;

/**
 * Checks the digests of the files of a folder while its chunks are stored. A file whose bytes
 * arrive together or in order is hashed from memory, every other file from the stored bytes.
 */
export class FolderDigest implements ContentDigest {
	readonly #folder: Folder;
	readonly #wanted: ReadonlySet<string> | undefined;
	readonly #chunkSize: number;
	readonly #files: ContentFiles;
	readonly #stored: Uint8Array;
	/** For each piece, 1 if its digest is known. */
	readonly #done: Uint8Array;
	readonly #begun = new Map<number, Begun>();
	/** The first piece whose digest is not known. */
	#first = 0;
	#wrong = 0;

	/** @param wanted the paths of the entries to check; undefined: all */
	constructor(
		{ chunkSize, stored }: HashedContent,
		place: FolderPlace,
		wanted: ReadonlySet<string> | undefined,
	) {
		this.#folder = place.folder;
		this.#wanted = wanted;
		this.#chunkSize = chunkSize;
		this.#files = new ContentFiles(place);
		this.#stored = stored;
		this.#done = new Uint8Array(place.folder.pieces.length);
		this.#skip();
	}

	get isBehind(): boolean {
		return !this.isWhole && this.#stored[Math.floor(this.#next / this.#chunkSize)] === 1;
	}

	get isWhole(): boolean {
		return this.#first === this.#folder.pieces.length;
	}

	get isRight(): boolean {
		return this.#wrong === 0;
	}

	add(first: number, count: number, segments: readonly Uint8Array[]): void {
		const start = first * this.#chunkSize;
		this.#comeNear(start);
		this.#stored.fill(1, first, first + count);
		const length = segments.reduce((sum, each) => sum + each.length, 0);
		this.#folder.visit(start, length, (piece, number) => {
			const offset = piece.offset + (this.#begun.get(number)?.hashed ?? 0);
			const end = Math.min(piece.offset + piece.length, start + length);
			if (offset >= start && offset < end && this.#isOpen(number)) {
				this.#update(number, stretch(segments, offset - start, end - offset));
			}
		});
		this.#skip();
	}

	/** @param before only bytes before this offset are hashed */
	catchUp(before = Number.POSITIVE_INFINITY): void {
		for (let left = BLOCK; left > 0 && this.isBehind && this.#next < before; ) {
			const start = this.#next;
			const piece = this.#firstPiece;
			let chunk = Math.floor(start / this.#chunkSize);
			while (this.#stored[chunk] === 1 && chunk * this.#chunkSize < start + left) {
				chunk += 1;
			}
			const ends = [chunk * this.#chunkSize, before, start + left, piece.offset + piece.length];
			const bytes = block.subarray(0, Math.min(...ends) - start);
			this.#files.read(start, bytes);
			this.#update(this.#first, [bytes]);
			left -= Math.max(bytes.length, PER_FILE);
			this.#skip();
		}
	}

	restart(stored: Uint8Array): void {
		this.#stored.set(stored);
		this.#done.fill(0);
		this.#begun.clear();
		this.#wrong = 0;
		this.#first = 0;
		this.#skip();
	}

	close(): void {
		this.#files.close();
	}

	get #firstPiece(): FolderPiece {
		return this.#folder.pieces[this.#first] as FolderPiece;
	}

	/** The offset of the first byte that is not hashed. */
	get #next(): number {
		return this.#firstPiece.offset + (this.#begun.get(this.#first)?.hashed ?? 0);
	}

	/** Adds the next bytes of a piece to its digest. After the last bytes, checks the digest. */
	#update(number: number, bytes: readonly Uint8Array[]): void {
		const { entry, length } = this.#folder.pieces[number] as FolderPiece;
		const begun = this.#begun.get(number) ?? { hash: createHash('sha256'), hashed: 0 };
		const added = bytes.reduce((sum, each) => sum + each.length, 0);
		const isLast = begun.hashed + added === length;
		if (!isLast && number !== this.#first && this.#begun.size >= MOST_BEGUN) {
			return;
		}
		for (const each of bytes) {
			begun.hash.update(each);
		}
		begun.hashed += added;
		if (!isLast) {
			this.#begun.set(number, begun);
			return;
		}
		this.#begun.delete(number);
		this.#done[number] = 1;
		if (begun.hash.digest('hex') !== entry?.digest) {
			this.#wrong += 1;
		}
	}

	/** Whether the digest of a piece must still be computed. Zeros between files have no digest. */
	#isOpen(number: number): boolean {
		const path = this.#folder.pieces[number]?.entry?.path;
		const isWanted = path !== undefined && (this.#wanted?.has(path) ?? true);
		return isWanted && this.#done[number] === 0;
	}

	/** Moves to the first piece whose digest must still be computed. */
	#skip(): void {
		const { pieces } = this.#folder;
		while (this.#first < pieces.length) {
			if (this.#isOpen(this.#first)) {
				return;
			}
			this.#first += 1;
		}
	}

	/** Hashes the stored bytes before `offset` if there are at most `NEAR` of them. */
	#comeNear(offset: number): void {
		try {
			while (this.isBehind && this.#next < offset && offset - this.#next <= NEAR) {
				this.catchUp(offset);
			}
		} catch {
			// If bytes cannot be read back, the error shows again when all digests are checked.
		}
	}
}
