import { Bitfield, type Seed, ShoalError } from '../../../protocol/index.ts';
import type { Backing } from './web-target.ts';

/**
 * Maximum size in bytes of a content that is held in memory: above it, browsers begin to end pages.
 */
export const MOST_IN_MEMORY = 500 * 1024 * 1024;

/**
 * The contents of a page that may not store files, in memory. The chunks of a download that has
 * ended stay until they are forgotten.
 */
export class MemoryBackings {
	readonly #backings = new Map<string, MemoryBacking>();

	/** Opens the memory for a content. @throws ShoalError ERR_NO_SPACE */
	async open(seed: Seed): Promise<Backing> {
		if (seed.length > MOST_IN_MEMORY) {
			throw new ShoalError(
				'ERR_NO_SPACE',
				`${seed.length} bytes are more than this page can hold in memory (${MOST_IN_MEMORY}); open it by https (shoal broker --tls), not in a private window, or use shoal get`,
			);
		}
		const backing = new MemoryBacking(seed, this.#backings.get(seed.id)?.chunks);
		this.#backings.set(seed.id, backing);
		return backing;
	}

	/** Frees the memory of a content. */
	forget(id: string): void {
		this.#backings.get(id)?.chunks.clear();
		this.#backings.delete(id);
	}
}

class MemoryBacking implements Backing {
	readonly claimed: Bitfield;
	readonly #size: number;
	/** The chunks that are stored, by index. */
	readonly chunks: Map<number, Uint8Array<ArrayBuffer>>;
	readonly #seed: Seed;

	/** @param chunks the chunks that an earlier download has stored */
	constructor(seed: Seed, chunks = new Map<number, Uint8Array<ArrayBuffer>>()) {
		this.chunks = chunks;
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
			const bytes = (this.chunks.get(chunk) ?? new Uint8Array()).subarray(within);
			if (bytes.length === 0) {
				throw new ShoalError('ERR_IO', `chunk ${chunk} is not in memory`);
			}
			const part = bytes.subarray(0, into.length - at);
			into.set(part, at);
			at += part.length;
		}
	}

	/** Writes whole chunks only, because chunks are verified before they are written. */
	async write(offset: number, bytes: Uint8Array): Promise<void> {
		for (let at = 0; at < bytes.length; at += this.#size) {
			const chunk = (offset + at) / this.#size;
			this.chunks.set(chunk, bytes.slice(at, at + this.#size) as Uint8Array<ArrayBuffer>);
		}
	}

	check(): void {}

	record(): void {}

	/** Moves the chunks into a blob. A browser that is short of memory puts the blob on disk. */
	async toBlob(): Promise<Blob> {
		const all = Array.from({ length: this.#seed.chunks }, (_, chunk) => this.chunks.get(chunk));
		const blob = new Blob(all as Uint8Array<ArrayBuffer>[]);
		this.chunks.clear();
		return blob;
	}

	async discard(): Promise<void> {
		this.chunks.clear();
	}

	leave(): void {}

	async close(): Promise<void> {}
}
