import type { Seed } from '../../../protocol/index.ts';
import type { Storage } from '../../storage/storage.ts';
import { type GrowingHash, newHash } from './hashes.ts';

/** Bytes that are read at a time. */
const PIECE = 1024 * 1024;

/**
 * The digest of a whole content, hashed as far as it is there without a gap: what comes in order is hashed as it is
 * written, the rest is read once more in the end.
 */
export class WholeHash {
	readonly #seed: Seed;
	readonly #storage: Storage;
	readonly #hash: GrowingHash;
	/** Bytes hashed, from the first on. */
	#hashed = 0;

	private constructor(seed: Seed, storage: Storage, hash: GrowingHash) {
		this.#seed = seed;
		this.#storage = storage;
		this.#hash = hash.init();
	}

	static async of(seed: Seed, storage: Storage): Promise<WholeHash> {
		return new WholeHash(seed, storage, await newHash(seed.kind));
	}

	/** Verified bytes are stored. */
	stored(offset: number, bytes: Uint8Array): void {
		if (offset === this.#hashed) {
			this.#hash.update(bytes);
			this.#hashed += bytes.length;
		}
	}

	/** Everything is stored: whether it is what the seed says. Can be asked again. @throws ShoalError ERR_IO */
	async isRight(): Promise<boolean> {
		const { length, digest } = this.#seed;
		while (this.#hashed < length) {
			const piece = new Uint8Array(Math.min(PIECE, length - this.#hashed));
			await this.#storage.read(this.#hashed, piece);
			this.#hash.update(piece);
			this.#hashed += piece.length;
		}
		const found = this.#hash.digest();
		this.#hash.init();
		this.#hashed = 0;
		return found === digest;
	}
}
