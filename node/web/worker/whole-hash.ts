import type { Bitfield, Seed } from '../../../protocol/index.ts';
import type { Storage } from '../../storage/storage.ts';
import { type GrowingHash, newHash } from './hashes.ts';

/**
 * The digest of a whole content, hashed as far as it is there without a gap: what comes in order is hashed as it is
 * written, what was there before its turn is read once more.
 */
export class WholeHash {
	readonly #seed: Seed;
	readonly #storage: Storage;
	readonly #hash: GrowingHash;
	/** Bytes hashed, from the first on. */
	#hashed = 0;
	/** Stored before their turn: lengths by offset. */
	readonly #ahead = new Map<number, number>();
	#following: Promise<void> | undefined;

	private constructor(seed: Seed, storage: Storage, hash: GrowingHash) {
		this.#seed = seed;
		this.#storage = storage;
		this.#hash = hash.init();
	}

	/** @param have the chunks that are there already */
	static async of(seed: Seed, storage: Storage, have: Bitfield): Promise<WholeHash> {
		const whole = new WholeHash(seed, storage, await newHash(seed.kind));
		for (const chunk of have.indices()) {
			whole.#ahead.set(seed.layout.offsetOf(chunk), seed.layout.sizeOf(chunk));
		}
		return whole;
	}

	/** Verified bytes are stored. */
	stored(offset: number, bytes: Uint8Array): void {
		if (offset === this.#hashed && this.#following === undefined) {
			this.#update(bytes);
		} else {
			this.#ahead.set(offset, bytes.length);
		}
		// What cannot be read now is read, and told of, in the end.
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
		const found = this.#hash.digest();
		this.#hash.init();
		this.#hashed = 0;
		this.#ahead.clear();
		return found === digest;
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
		await this.#storage.read(this.#hashed, bytes);
		this.#update(bytes);
	}

	#update(bytes: Uint8Array): void {
		this.#hash.update(bytes);
		this.#hashed += bytes.length;
	}
}
