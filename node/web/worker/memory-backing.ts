import { Bitfield, type Seed, ShoalError } from '../../../protocol/index.ts';
import { runsOf } from '../../util/runs.ts';
import { type BlobPiece, BlobStorage } from './blob-storage.ts';
import { bytesOf } from './selection.ts';
import type { Backing } from './web-target.ts';

/**
 * Maximum number of bytes of a content that are held in memory: above it, browsers begin to end
 * pages.
 */
const MOST_IN_MEMORY = 500 * 1024 * 1024;

/**
 * The contents of a page that may not store files, in memory. The chunks of a download that has
 * ended stay until they are forgotten.
 */
export class MemoryBackings {
	readonly #chunks = new Map<string, ChunkMap>();

	/** Opens the memory for a content. */
	async open(seed: Seed): Promise<Backing> {
		const chunks = this.#chunks.get(seed.id) ?? new Map();
		this.#chunks.set(seed.id, chunks);
		return new MemoryBacking(seed, chunks);
	}

	/** Frees the memory of a content. */
	forget(id: string): void {
		this.#chunks.get(id)?.clear();
		this.#chunks.delete(id);
	}
}

/** The chunks that are stored, by index: bytes, or blobs that an earlier download has made of them. */
type ChunkMap = Map<number, Uint8Array<ArrayBuffer> | Blob>;

class MemoryBacking implements Backing {
	readonly claimed: Bitfield;
	readonly #size: number;
	readonly #chunks: ChunkMap;
	readonly #seed: Seed;

	constructor(seed: Seed, chunks: ChunkMap) {
		this.#chunks = chunks;
		this.#seed = seed;
		this.#size = seed.layout.chunkSize;
		this.claimed = new Bitfield(seed.chunks);
		for (const chunk of chunks.keys()) {
			this.claimed.set(chunk);
		}
	}

	async read(offset: number, into: Uint8Array): Promise<void> {
		for (let at = 0; at < into.length; ) {
			const chunk = Math.floor((offset + at) / this.#size);
			const within = offset + at - chunk * this.#size;
			const stored = this.#chunks.get(chunk) ?? new Uint8Array();
			const bytes = stored instanceof Blob ? new Uint8Array(await stored.arrayBuffer()) : stored;
			const part = bytes.subarray(within, within + into.length - at);
			if (part.length === 0) {
				throw new ShoalError('ERR_IO', `chunk ${chunk} is not in memory`);
			}
			into.set(part, at);
			at += part.length;
		}
	}

	/** Writes whole chunks only, because chunks are verified before they are written. */
	async write(offset: number, bytes: Uint8Array): Promise<void> {
		for (let at = 0; at < bytes.length; at += this.#size) {
			const chunk = (offset + at) / this.#size;
			this.#chunks.set(chunk, bytes.slice(at, at + this.#size) as Uint8Array<ArrayBuffer>);
		}
	}

	check(): void {}

	record(): void {}

	async reserve(wanted: Bitfield): Promise<void> {
		const bytes = bytesOf(this.#seed, wanted);
		if (bytes > MOST_IN_MEMORY) {
			throw new ShoalError(
				'ERR_NO_SPACE',
				`${bytes} bytes are more than this page can hold in memory (${MOST_IN_MEMORY}); open it by https (shoal broker --tls), not in a private window, or use shoal get`,
			);
		}
	}

	/** Moves the chunks into blobs. A browser that is short of memory puts these on disk. */
	async toBlobs(have: Bitfield): Promise<BlobPiece[]> {
		const { name } = this.#seed;
		const pieces = runsOf([...have.indices()]).map(([first, last]) => {
			const parts: BlobPart[] = [];
			for (let chunk = first; chunk <= last; chunk += 1) {
				parts.push(this.#chunks.get(chunk) as BlobPart);
			}
			return { offset: first * this.#size, blob: new Blob(parts), name };
		});
		// A later download of further files of the folder needs these chunks.
		const blobs = new BlobStorage(pieces);
		this.#chunks.clear();
		for (const chunk of have.isFull ? [] : have.indices()) {
			const { layout } = this.#seed;
			this.#chunks.set(chunk, blobs.slice(layout.offsetOf(chunk), layout.sizeOf(chunk)));
		}
		return pieces;
	}

	async discard(): Promise<void> {
		this.#chunks.clear();
	}

	leave(): void {}

	async close(): Promise<void> {}
}
