import { Bitfield, type Seed, sameDigest } from '../../../protocol/index.ts';
import { InlineWriter } from '../../chunk-writer/inline-writer.ts';
import { type Finished, type Opened, seedLies, type Target } from '../../download/target/target.ts';
import type { Storage } from '../../storage/storage.ts';
import { BlobStorage } from './blob-storage.ts';
import { digestChunk } from './hashes.ts';
import type { SerialQueue } from './serial-queue.ts';
import { WholeHash } from './whole-hash.ts';

/** Where the bytes of one download are kept in a browser. */
export interface Backing extends Storage {
	/** Chunks that may be there already, and are to be checked. */
	readonly claimed: Bitfield;
	/** `have` has grown. */
	record(have: Bitfield): void;
	/** Everything is there: all of it as a blob. Nothing is written any more. */
	toBlob(): Promise<Blob>;
	/** Everything is there, and is not what it should be. */
	discard(): Promise<void>;
	/** Releases the content and its blob, so that other tabs can use it. */
	leave(): void;
}

/** Opens the place for a content. @throws ShoalError ERR_NO_SPACE, ERR_EXISTS, ERR_IO */
export type OpenBacking = (seed: Seed) => Promise<Backing>;

/** A download in a browser: verified chunks go to a backing, and in the end there is a blob. */
export class WebTarget implements Target {
	readonly fallbackName = 'download';
	readonly #openBacking: OpenBacking;
	readonly #hashing: SerialQueue;
	#storage: CheckedStorage | undefined;
	#have = new Bitfield(0);
	#blob: Blob | undefined;

	/** @param hashing whose turn it is to hash what is there already */
	constructor(openBacking: OpenBacking, hashing: SerialQueue) {
		this.#openBacking = openBacking;
		this.#hashing = hashing;
	}

	/** The content, when it is complete. */
	get blob(): Blob | undefined {
		return this.#blob;
	}

	async open(seed: Seed, { signal }: { signal?: AbortSignal | undefined }): Promise<Opened> {
		const backing = await this.#openBacking(seed);
		const have = await this.#hashing
			.run(() => rightChunks(seed, backing, backing.claimed, signal))
			.catch(async (error: unknown) => {
				await backing.close();
				backing.leave();
				throw error;
			});
		this.#have = have;
		this.#storage = new CheckedStorage(seed, backing, have);
		const writer = new InlineWriter(seed, this.#storage, digestChunk);
		return { storage: this.#storage, writer, have, wasThere: false };
	}

	stored(): void {
		this.#storage?.backing.record(this.#have);
	}

	async finish(seed: Seed): Promise<Finished> {
		const storage = this.#storage as CheckedStorage;
		const { backing } = storage;
		if (await storage.isWhole()) {
			this.#blob = await storage.settle(seed.name);
			return { path: seed.name, verified: 'whole' };
		}
		const right = await rightChunks(seed, backing, Bitfield.full(seed.chunks));
		if (right.isFull) {
			await backing.discard();
			throw seedLies(seed);
		}
		return { bad: [...Bitfield.full(seed.chunks).indices()].filter((chunk) => !right.has(chunk)) };
	}

	async settle(): Promise<void> {}

	/** The downloaded content is not needed any more. */
	release(): void {
		this.#storage?.backing.leave();
		this.#blob = undefined;
		this.#storage = undefined;
	}

	async abandon(): Promise<void> {
		await this.#storage?.close();
		this.#storage?.backing.leave();
	}
}

/** A backing of which the whole is hashed as it fills, until a blob takes its place. */
class CheckedStorage implements Storage {
	readonly backing: Backing;
	readonly #whole: WholeHash;
	#storage: Storage;
	/** Under way when a blob takes the place of the backing: nothing is read meanwhile. */
	#settling: Promise<Blob> | undefined;

	constructor(seed: Seed, backing: Backing, have: Bitfield) {
		this.backing = backing;
		this.#whole = new WholeHash(seed, backing, have);
		this.#storage = backing;
	}

	async read(offset: number, into: Uint8Array): Promise<void> {
		await this.#settling;
		await this.#storage.read(offset, into);
	}

	async write(offset: number, bytes: Uint8Array): Promise<void> {
		await this.#storage.write(offset, bytes);
		this.#whole.stored(offset, bytes);
	}

	check(): void {}

	async isWhole(): Promise<boolean> {
		return await this.#whole.isRight();
	}

	/** From now on all is read from a blob. @returns it */
	async settle(name: string): Promise<Blob> {
		this.#whole.close();
		this.#settling = this.backing.toBlob();
		const blob = await this.#settling;
		this.#storage = new BlobStorage(blob, name);
		return blob;
	}

	async close(): Promise<void> {
		this.#whole.close();
		await this.#storage.close();
	}
}

/** Those of `claimed` that are right. @throws ShoalError ERR_IO, and what `signal` was aborted with */
async function rightChunks(
	seed: Seed,
	storage: Storage,
	claimed: Bitfield,
	signal?: AbortSignal,
): Promise<Bitfield> {
	const { kind, layout } = seed;
	const right = new Bitfield(seed.chunks);
	for (const chunk of claimed.indices()) {
		signal?.throwIfAborted();
		const bytes = new Uint8Array(layout.sizeOf(chunk));
		await storage.read(layout.offsetOf(chunk), bytes);
		if (sameDigest(await digestChunk(kind, bytes), seed.chunkDigest(chunk))) {
			right.set(chunk);
		}
	}
	return right;
}
