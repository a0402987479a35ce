import type { Bitfield, Seed } from '../../../protocol/index.ts';
import type { Storage } from '../../storage/storage.ts';
import { ThreadedHash } from './threaded-hash.ts';

/**
 * The digest of a whole content, hashed from its start up to the first gap. Bytes that arrive in
 * order are hashed when they are written; bytes that were stored before their turn are read again.
 */
export class WholeHash {
	readonly #seed: Seed;
	readonly #storage: Storage;
	readonly #hash: ThreadedHash;
	/** Bytes from the start that were passed to the hash. */
	#hashed = 0;
	/** Bytes that were stored before their turn: lengths by offset. */
	readonly #ahead = new Map<number, number>();
	#following: Promise<void> | undefined;

	/** @param have the chunks that are stored already */
	constructor(seed: Seed, storage: Storage, have: Bitfield) {
		this.#seed = seed;
		this.#storage = storage;
		this.#hash = new ThreadedHash(seed.kind);
		for (const chunk of have.indices()) {
			this.#ahead.set(seed.layout.offsetOf(chunk), seed.layout.sizeOf(chunk));
		}
	}

	/** Notes that verified bytes were stored, and hashes them if it is their turn. */
	stored(offset: number, bytes: Uint8Array): void {
		const isNext = offset === this.#hashed && this.#following === undefined;
		if (isNext && this.#hash.hasRoom) {
			this.#update(bytes);
		} else {
			this.#ahead.set(offset, bytes.length);
		}
		// Chunks that cannot be read now are read again at the end, and the error is reported there.
		this.#following ??= this.#follow()
			.catch(() => {})
			.finally(() => {
				this.#following = undefined;
			});
	}

	/**
	 * Whether the content has the digest that its seed says. Call it when everything is stored; it
	 * may be called again.
	 *
	 * @throws ShoalError ERR_IO
	 */
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

	/** Ends the hash. */
	close(): void {
		this.#hash.close();
	}

	async #follow(): Promise<void> {
		for (let next = this.#take(); next !== undefined; next = this.#take()) {
			await this.#read(next);
		}
	}

	/**
	 * Takes the stored bytes that are next to be hashed.
	 *
	 * @returns their number; undefined if they are not stored yet
	 */
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
