import type { Bitfield, Seed } from '../../../protocol/index.ts';
import type { Storage } from '../../storage/storage.ts';

/** The digests of a content beside those of its chunks: of the whole, or of the files of a folder. */
export interface ContentHash {
	/** Whether few bytes are waiting to be hashed. `add` takes bytes in any case. */
	readonly hasRoom: boolean;
	/** Resolves when there is room. @throws ShoalError ERR_IO, ERR_CLOSED */
	room(): Promise<void>;
	/** Adds the bytes of the content from `offset` on, which are copied. Offsets ascend. */
	add(offset: number, bytes: Uint8Array): void;
	/**
	 * Whether the digests of all bytes that were added are right. The next bytes start again.
	 *
	 * @throws ShoalError ERR_IO, and ERR_SEED if the content cannot be that of any folder
	 */
	isRight(): Promise<boolean>;
	/** Ends the hash. */
	close(): void;
}

/**
 * Adds a content to a hash, from its start up to the first gap. Bytes that arrive in order are added
 * when they are written; bytes that were stored before their turn are read again.
 */
export class StoredHash {
	readonly #seed: Seed;
	readonly #storage: Storage;
	readonly #hash: ContentHash;
	/** The chunks that are hashed. */
	readonly #wanted: Bitfield;
	/** The bytes before this offset were added. */
	#hashed = 0;
	/** Bytes that were stored before their turn: lengths by offset. */
	readonly #ahead = new Map<number, number>();
	#following: Promise<void> | undefined;

	/**
	 * @param have the chunks that are stored already
	 * @param wanted the chunks that will be stored; the others are left out
	 */
	constructor(
		hash: ContentHash,
		seed: Seed,
		storage: Storage,
		{ have, wanted }: { readonly have: Bitfield; readonly wanted: Bitfield },
	) {
		this.#hash = hash;
		this.#seed = seed;
		this.#storage = storage;
		this.#wanted = wanted;
		for (const chunk of have.indices()) {
			this.#ahead.set(seed.layout.offsetOf(chunk), seed.layout.sizeOf(chunk));
		}
		this.#skip();
	}

	/** Notes that verified bytes were stored, and hashes them if it is their turn. */
	stored(offset: number, bytes: Uint8Array): void {
		const isNext = offset === this.#hashed && this.#following === undefined;
		if (isNext && this.#hash.hasRoom) {
			this.#add(bytes);
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
	 * Whether the digests of the content are right. Call it when everything that is wanted is stored;
	 * it may be called again.
	 *
	 * @throws ShoalError ERR_IO, and ERR_SEED as in {@link ContentHash}
	 */
	async isRight(): Promise<boolean> {
		const { layout, length } = this.#seed;
		await this.#following;
		while (this.#hashed < length) {
			await this.#read(layout.sizeOf(layout.chunkAt(this.#hashed)));
		}
		this.#hashed = 0;
		this.#ahead.clear();
		this.#skip();
		return await this.#hash.isRight();
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
		this.#add(bytes);
	}

	#add(bytes: Uint8Array): void {
		this.#hash.add(this.#hashed, bytes);
		this.#hashed += bytes.length;
		this.#skip();
	}

	/** Moves over the chunks that are left out. */
	#skip(): void {
		const { chunkSize, chunks, length } = this.#seed.layout;
		let chunk = Math.floor(this.#hashed / chunkSize);
		if (this.#hashed % chunkSize !== 0) {
			return;
		}
		while (chunk < chunks && !this.#wanted.has(chunk)) {
			chunk += 1;
		}
		this.#hashed = Math.min(chunk * chunkSize, length);
	}
}
