import { createHash, type Hash } from 'node:crypto';
import { readSync, writevSync } from 'node:fs';
import type { DigestKind } from '../../protocol/index.ts';
import { extents } from '../storage/extents.ts';
import { isZero, zeroStretches } from '../storage/zeros.ts';
import { runsOf } from './verified-runs.ts';

/** An open file that holds a stretch of a content. */
export interface OpenPiece {
	/** A descriptor of this process, open to be read and written. */
	readonly fd: number;
	/** Bytes. */
	readonly length: number;
	/** Whether zeros are not written where the file already reads as zeros, so that holes stay. */
	readonly keepsHoles: boolean;
}

/** The content that a {@link ContentWriter} writes. It can be sent to a thread. */
export interface WritableContent {
	readonly kind: DigestKind;
	/** Bytes of the content, and of each chunk but the last. */
	readonly length: number;
	readonly chunkSize: number;
	/** The digests of the chunks, one after the other. */
	readonly digests: Uint8Array;
	/** The files of the content, one after the other. */
	readonly pieces: readonly OpenPiece[];
	/** One byte for each chunk, 1 if it is stored; undefined if the digest of the whole is not wanted. */
	readonly stored: Uint8Array | undefined;
}

/** Bytes that are read back from a file at a time. */
const BLOCK = 1024 * 1024;
const block = Buffer.allocUnsafeSlow(BLOCK);
/**
 * Bytes. If at most this many stored bytes before a new chunk are not hashed yet, they are read
 * back and hashed first, so that the new chunk can be hashed from memory.
 */
const NEAR = 4 * 1024 * 1024;
/** Bytes that are hashed for both digests in turn, few enough to stay in the processor's cache. */
const CACHED = 128 * 1024;

/**
 * Verifies and stores the chunks of one content with synchronous calls, and computes the digest of
 * the whole on the way: from memory if chunks arrive in order, else from the stored bytes.
 */
export class ContentWriter {
	readonly #content: WritableContent;
	readonly #lengths: readonly number[];
	readonly #chunks: number;
	readonly #stored: Uint8Array | undefined;
	#whole: Hash;
	#isRestarted = false;
	/** Bytes that the digest of the whole covers, from the first on. */
	#hashed = 0;

	constructor(content: WritableContent) {
		this.#content = content;
		this.#lengths = content.pieces.map(({ length }) => length);
		this.#chunks = Math.ceil(content.length / content.chunkSize);
		this.#stored = content.stored;
		this.#whole = createHash(content.kind);
	}

	/** Whether {@link ContentWriter.catchUp} has something to do. */
	get isBehind(): boolean {
		return this.#stored !== undefined && this.#stored[this.#nextChunk] === 1;
	}

	/** Whether the digest of the whole covers all of it. */
	get isHashed(): boolean {
		return this.#hashed === this.#content.length;
	}

	/**
	 * Verifies and stores `count` chunks, from chunk `first` on, as {@link ChunkWriter.write} does.
	 *
	 * @throws errors of the file system
	 */
	write(first: number, count: number, segments: readonly Uint8Array[]): boolean[] {
		const { chunkSize } = this.#content;
		this.#comeNear(first * chunkSize);
		let whole = this.#whole;
		let hashed = this.#hashed;
		const good: boolean[] = [];
		for (let chunk = first; chunk < first + count; chunk += 1) {
			const size = this.#sizeOf(chunk);
			const bytes = stretch(segments, (chunk - first) * chunkSize, size);
			const isNext = this.#stored !== undefined && hashed === chunk * chunkSize;
			// A wrong chunk must not get into the digest of the whole.
			const after = isNext ? whole.copy() : undefined;
			const isRight = this.#isRight(chunk, bytes, after);
			if (isRight && after !== undefined) {
				whole = after;
				hashed += size;
			}
			good.push(isRight);
		}
		for (const run of runsOf(first, good)) {
			if (run.isGood) {
				const from = (run.first - first) * chunkSize;
				const last = run.first + run.count - 1;
				const length = (run.count - 1) * chunkSize + this.#sizeOf(last);
				this.#store(run.first, run.count, stretch(segments, from, length));
			}
		}
		this.#whole = whole;
		this.#hashed = hashed;
		return good;
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
		while (this.#stored?.[end] === 1 && end * chunkSize < this.#hashed + BLOCK) {
			end += 1;
		}
		const bytes = Math.min(end * chunkSize, before, this.#hashed + BLOCK) - this.#hashed;
		for (const { file, at, from, length: size } of this.#extents(this.#hashed, bytes)) {
			this.#read(file, at, block.subarray(from, from + size));
		}
		this.#whole.update(block.subarray(0, bytes));
		this.#hashed += bytes;
	}

	/** The digest of the whole; valid only if `isHashed`. */
	digest(): Uint8Array {
		return this.#whole.copy().digest();
	}

	/**
	 * Starts the digest of the whole anew: only the chunks with a 1 in `stored` are right. From now
	 * on zeros are written too, because the disk has not returned what was stored.
	 */
	restart(stored: Uint8Array): void {
		this.#stored?.set(stored);
		this.#whole = createHash(this.#content.kind);
		this.#hashed = 0;
		this.#isRestarted = true;
	}

	/** The chunk with the first byte that is not hashed yet. */
	get #nextChunk(): number {
		return Math.floor(this.#hashed / this.#content.chunkSize);
	}

	/**
	 * Hashes the stored bytes before `offset` if at most `NEAR` of them are not hashed yet. Then the
	 * bytes from `offset` on can be hashed from memory.
	 */
	#comeNear(offset: number): void {
		try {
			while (this.isBehind && this.#hashed < offset && offset - this.#hashed <= NEAR) {
				this.catchUp(offset);
			}
		} catch {
			// The failed read is reported with the digest. The new chunk can be stored nevertheless.
		}
	}

	/**
	 * Whether `bytes` have the digest of `chunk`. Adds them to `whole` as well, in small steps, so
	 * that they are still in the processor's cache.
	 */
	#isRight(chunk: number, bytes: readonly Uint8Array[], whole: Hash | undefined): boolean {
		const { kind, digests } = this.#content;
		const hash = createHash(kind);
		for (const each of bytes) {
			for (let at = 0; at < each.length; at += CACHED) {
				const some = each.subarray(at, at + CACHED);
				hash.update(some);
				whole?.update(some);
			}
		}
		const digest = hash.digest();
		const at = chunk * digest.length;
		return digest.equals(digests.subarray(at, at + digest.length));
	}

	#store(first: number, count: number, bytes: readonly Uint8Array[]): void {
		const { chunkSize } = this.#content;
		const length = bytes.reduce((sum, each) => sum + each.length, 0);
		for (const extent of this.#extents(first * chunkSize, length)) {
			this.#writeSparsely(extent.file, extent.at, stretch(bytes, extent.from, extent.length));
		}
		this.#stored?.fill(1, first, first + count);
	}

	/** Writes all bytes except zeros where the file already reads as zeros. */
	#writeSparsely(file: number, start: number, bytes: readonly Uint8Array[]): void {
		const { keepsHoles } = this.#content.pieces[file] as OpenPiece;
		if (!keepsHoles || this.#isRestarted) {
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
		const fd = this.#fd(file);
		let left = bytes;
		for (let at = start; left.length > 0; ) {
			const written = writevSync(fd, left, at);
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
		return (this.#content.pieces[file] as OpenPiece).fd;
	}

	#sizeOf(chunk: number): number {
		const { chunkSize, length } = this.#content;
		return chunk === this.#chunks - 1 ? length - chunk * chunkSize : chunkSize;
	}

	#extents(offset: number, length: number): ReturnType<typeof extents> {
		return extents(this.#lengths, offset, length);
	}
}

/** At most `length` bytes, from position `from` on, of the bytes that `segments` form in order. */
function stretch(segments: readonly Uint8Array[], from: number, length: number): Uint8Array[] {
	const found: Uint8Array[] = [];
	let start = 0;
	for (const segment of segments) {
		const first = Math.max(from - start, 0);
		const end = Math.min(from + length - start, segment.length);
		if (first < end) {
			found.push(segment.subarray(first, end));
		}
		start += segment.length;
	}
	return found;
}
