import { Bitfield, quoted, type Seed, ShoalError, sameDigest } from '../../../protocol/index.ts';
import { InlineWriter } from '../../chunk-writer/inline-writer.ts';
import { type Finished, type Opened, seedLies, type Target } from '../../download/target/target.ts';
import type { Storage } from '../../storage/storage.ts';
import { BlobStorage } from './blob-storage.ts';
import { digestChunk } from './hashes.ts';
import type { SerialQueue } from './serial-queue.ts';
import { WholeHash } from './whole-hash.ts';

/** The storage of one download in a browser. */
export interface Backing extends Storage {
	/** Chunks that may be stored already, and are to be checked. */
	readonly claimed: Bitfield;
	/** Records that `have` has grown. */
	record(have: Bitfield): void;
	/** Turns the complete content into a blob. Nothing may be written afterwards. */
	toBlob(): Promise<Blob>;
	/** Removes a complete content whose digest is wrong. */
	discard(): Promise<void>;
	/** Releases the content and its blob, so that other tabs can use it. */
	leave(): void;
}

/** Opens the backing for a content. @throws ShoalError ERR_NO_SPACE, ERR_EXISTS, ERR_IO */
export type OpenBacking = (seed: Seed) => Promise<Backing>;

/**
 * A download in a browser: verified chunks are written to a backing, which becomes a blob at the
 * end.
 */
export class WebTarget implements Target {
	readonly fallbackName = 'download';
	readonly #openBacking: OpenBacking;
	readonly #hashing: SerialQueue;
	#storage: CheckedStorage | undefined;
	#have = new Bitfield(0);
	#blob: Blob | undefined;

	/** @param hashing the queue for hashing chunks that are stored already */
	constructor(openBacking: OpenBacking, hashing: SerialQueue) {
		this.#openBacking = openBacking;
		this.#hashing = hashing;
	}

	/** The content; undefined until it is complete. */
	get blob(): Blob | undefined {
		return this.#blob;
	}

	async open(seed: Seed, { signal }: { signal?: AbortSignal | undefined }): Promise<Opened> {
		if (seed.index !== undefined) {
			throw new ShoalError(
				'ERR_FOLDER',
				`${quoted(seed.name)} is a folder, which a browser cannot download yet; use shoal get`,
			);
		}
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

	/** Releases the downloaded content. */
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

/** A backing whose content is hashed as a whole while it is written, until a blob replaces it. */
class CheckedStorage implements Storage {
	readonly backing: Backing;
	readonly #whole: WholeHash;
	#storage: Storage;
	/** Set while a blob replaces the backing, and afterwards: reads wait for it. */
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

	/** Replaces the backing by a blob, from which all later reads come. @returns the blob */
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

/** The chunks of `claimed` that are right. @throws ShoalError ERR_IO, and the reason of `signal` */
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
