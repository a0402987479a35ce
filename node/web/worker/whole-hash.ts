import type { Bitfield, Seed } from '../../../protocol/index.ts';
import type { Storage } from '../../storage/storage.ts';
import { ThreadedHash } from './threaded-hash.ts';

/**
 * The digest of a whole content, hashed as far as it is there without a gap: what comes in order is hashed as it is
 * written, what was there before its turn is read once more.
 */
export class WholeHash {
	readonly #seed: Seed;
	readonly #storage: Storage;
	readonly #hash: ThreadedHash;
	/** Bytes hashed, or given to be, from the first on. */
	#hashed = 0;
	/** Stored before their turn: lengths by offset. */
	readonly #ahead = new Map<number, number>();
	#following: Promise<void> | undefined;

	/** @param have the chunks that are there already */
	constructor(seed: Seed, storage: Storage, have: Bitfield) {
		this.#seed = seed;
		this.#storage = storage;
		this.#hash = new ThreadedHash(seed.kind);
		for (const chunk of have.indices()) {
			this.#ahead.set(seed.layout.offsetOf(chunk), seed.layout.sizeOf(chunk));
		}
	}

	/** Verified bytes are stored. */
	stored(offset: number, bytes: Uint8Array): void {
		const isNext = offset === this.#hashed && this.#following === undefined;
		if (isNext && this.#hash.hasRoom) {
			this.#update(bytes);
		} else {
			this.#ahead.set(offset, bytes.length);
		}
		// Chunks that cannot be read now are read, and reported, at the end.
		this.#following ??= this.#follow()
			.catch(() => {})
			.finally(() => {
				this.#following = undefined;
			});
	}

	/** Everything is stored: whether it is what the seed says. Can be asked again. @throws ShoalError ERR_IO */
	async isRight(): Promise<boolean> {
		const { layout, length, digest } = this.#seed;
		await this.#following;
		while (this.#hashed < length) {
			await this.#read(layout.sizeOf(layout.chunkAt(this.#hashed)));
		}
		this.#hashed = 0;
		this.#ahead.clear();
		return (await this.#hash.digest()) === digest;
	}

	/** It is not asked any more. */
	close(): void {
		this.#hash.close();
	}

	async #follow(): Promise<void> {
		for (let next = this.#take(); next !== undefined; next = this.#take()) {
			await this.#read(next);
		}
	}

	/** How many bytes are there whose turn it is. */
	#take(): number | undefined {
		const next = this.#ahead.get(this.#hashed);
		this.#ahead.delete(this.#hashed);
		return next;
	}

	async #read(length: number): Promise<void> {
		const bytes = new Uint8Array(length);
		await this.#hash.room();
		await this.#storage.read(this.#hashed, bytes);
		this.#update(bytes);
	}

	#update(bytes: Uint8Array): void {
		this.#hash.update(bytes);
		this.#hashed += bytes.length;
	}
}
