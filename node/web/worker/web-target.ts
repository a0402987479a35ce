import {
	Bitfield,
	Folder,
	isShoalError,
	quoted,
	type Seed,
	ShoalError,
	sameDigest,
} from '../../../protocol/index.ts';
import { InlineWriter } from '../../chunk-writer/inline-writer.ts';
import {
	type Finished,
	type Opened,
	type OpenOptions,
	seedLies,
	type Target,
} from '../../download/target/target.ts';
import type { Storage } from '../../storage/storage.ts';
import { type BlobPiece, BlobStorage } from './blob-storage.ts';
import { type ContentHash, StoredHash } from './content-hash.ts';
import { FolderHash } from './folder-hash.ts';
import { digestChunk } from './hashes.ts';
import { selectChunks } from './selection.ts';
import type { SerialQueue } from './serial-queue.ts';
import { WholeHash } from './whole-hash.ts';

/** The storage of one download in a browser. Offsets are those of the content. */
export interface Backing extends Storage {
	/** Chunks that may be stored already, and are to be checked. */
	readonly claimed: Bitfield;
	/** Makes room for the chunks that are going to be written. @throws ShoalError ERR_NO_SPACE */
	reserve(wanted: Bitfield): Promise<void>;
	/** Records that `have` has grown. */
	record(have: Bitfield): void;
	/**
	 * Turns the stored chunks into blobs, because the download is complete. Nothing may be written
	 * afterwards.
	 */
	toBlobs(have: Bitfield): Promise<BlobPiece[]>;
	/** Removes a complete content whose digest is wrong. */
	discard(): Promise<void>;
	/** Releases the content and its blobs, so that other tabs can use it. */
	leave(): void;
}

/**
 * Opens the backing for a content.
 *
 * @param paths the paths of the wanted files of a folder; undefined: all
 * @throws ShoalError ERR_EXISTS, ERR_IO
 */
export type OpenBacking = (seed: Seed, paths: ReadonlySet<string> | undefined) => Promise<Backing>;

/** A content that was downloaded. */
export interface WebContent {
	readonly seed: Seed;
	/** The entries of the folder; undefined if it is a file. */
	readonly folder: Folder | undefined;
	readonly storage: BlobStorage;
}

/**
 * A download in a browser: verified chunks are written to a backing, which becomes blobs at the
 * end.
 */
export class WebTarget implements Target {
	readonly fallbackName = 'download';
	readonly #openBacking: OpenBacking;
	readonly #hashing: SerialQueue;
	readonly #paths: ReadonlySet<string> | undefined;
	#storage: CheckedStorage | undefined;
	#folder: Folder | undefined;
	#have = new Bitfield(0);
	/** The chunks that are to be stored in the end. */
	#wanted = new Bitfield(0);
	#content: WebContent | undefined;

	/**
	 * @param hashing the queue for hashing chunks that are stored already
	 * @param paths the paths of the wanted files of a folder. @default all
	 */
	constructor(openBacking: OpenBacking, hashing: SerialQueue, paths?: ReadonlySet<string>) {
		this.#openBacking = openBacking;
		this.#hashing = hashing;
		this.#paths = paths;
	}

	/** The content; undefined until it is complete. */
	get content(): WebContent | undefined {
		return this.#content;
	}

	async open(seed: Seed, options: OpenOptions): Promise<Opened> {
		if (seed.index === undefined && this.#paths !== undefined) {
			throw new ShoalError('ERR_USAGE', `${quoted(seed.name)} is a file, which has no files in it`);
		}
		const backing = await this.#openBacking(seed, this.#paths);
		try {
			return await this.#open(seed, backing, options);
		} catch (error) {
			await backing.close();
			backing.leave();
			throw error;
		}
	}

	stored(): void {
		this.#storage?.backing.record(this.#have);
	}

	async finish(seed: Seed): Promise<Finished> {
		const storage = this.#storage as CheckedStorage;
		const { backing } = storage;
		if (await this.#isRight(storage)) {
			const blobs = await storage.settle(this.#have);
			this.#content = { seed, folder: this.#folder, storage: blobs };
			return { path: seed.name, verified: 'whole' };
		}
		const right = await rightChunks(seed, backing, this.#wanted);
		if (right.count === this.#wanted.count) {
			await backing.discard();
			throw seedLies(seed);
		}
		return { bad: [...this.#wanted.indices()].filter((chunk) => !right.has(chunk)) };
	}

	async settle(): Promise<void> {}

	/** Releases the downloaded content. */
	release(): void {
		this.#storage?.backing.leave();
		this.#content = undefined;
		this.#storage = undefined;
	}

	async abandon(): Promise<void> {
		await this.#storage?.close();
		this.#storage?.backing.leave();
	}

	async #open(seed: Seed, backing: Backing, { signal, index }: OpenOptions): Promise<Opened> {
		const folder = seed.index === undefined ? undefined : await folderOf(seed, backing, index);
		const chosen = folder && this.#paths && selectChunks(seed, folder, this.#paths);
		const wanted = chosen?.wanted ?? Bitfield.full(seed.chunks);
		await backing.reserve(wanted);
		const have = await this.#hashing.run(() => rightChunks(seed, backing, backing.claimed, signal));
		const selected = chosen && { ...chosen, whole: wanted, stored: common(have, wanted) };
		const hash = folder === undefined ? new WholeHash(seed) : new FolderHash(folder, this.#paths);
		this.#storage = new CheckedStorage(hash, seed, backing, { have, wanted });
		this.#folder = folder;
		this.#have = have;
		this.#wanted = wanted;
		const writer = new InlineWriter(seed, this.#storage, digestChunk);
		return { storage: this.#storage, writer, have, wasThere: false, folder, selected };
	}

	/** @throws ShoalError ERR_IO, and ERR_SEED if the seed is wrong: then the content is removed */
	async #isRight(storage: CheckedStorage): Promise<boolean> {
		try {
			return await storage.isRight();
		} catch (error) {
			if (isShoalError(error, 'ERR_SEED')) {
				await storage.backing.discard();
			}
			throw error;
		}
	}
}

/** A backing whose content is hashed while it is written, until blobs replace it. */
class CheckedStorage implements Storage {
	readonly backing: Backing;
	readonly #hash: StoredHash;
	#storage: Storage;
	/** Set while blobs replace the backing, and afterwards: reads wait for it. */
	#settling: Promise<BlobPiece[]> | undefined;

	constructor(
		hash: ContentHash,
		seed: Seed,
		backing: Backing,
		chunks: { readonly have: Bitfield; readonly wanted: Bitfield },
	) {
		this.backing = backing;
		this.#hash = new StoredHash(hash, seed, backing, chunks);
		this.#storage = backing;
	}

	async read(offset: number, into: Uint8Array): Promise<void> {
		await this.#settling;
		await this.#storage.read(offset, into);
	}

	async write(offset: number, bytes: Uint8Array): Promise<void> {
		await this.#storage.write(offset, bytes);
		this.#hash.stored(offset, bytes);
	}

	check(): void {}

	async isRight(): Promise<boolean> {
		return await this.#hash.isRight();
	}

	/** Replaces the backing by blobs, from which all later reads come. */
	async settle(have: Bitfield): Promise<BlobStorage> {
		this.#hash.close();
		this.#settling = this.backing.toBlobs(have);
		const storage = new BlobStorage(await this.#settling);
		this.#storage = storage;
		return storage;
	}

	async close(): Promise<void> {
		this.#hash.close();
		await this.#storage.close();
	}
}

/** The folder of a seed. Its index is fetched unless it is stored. @throws ShoalError ERR_SEED */
async function folderOf(
	seed: Seed,
	backing: Backing,
	fetchIndex: OpenOptions['index'],
): Promise<Folder> {
	const { index = 0 } = seed;
	const bytes = new Uint8Array(index);
	try {
		if (backing.claimed.has(0)) {
			await backing.read(0, bytes);
			return new Folder(seed, bytes);
		}
	} catch {
		// The stored bytes are not the index, so the index is fetched again.
	}
	return new Folder(seed, (await fetchIndex?.()) ?? bytes);
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

/** The chunks that are in both. */
function common(a: Bitfield, b: Bitfield): Bitfield {
	const both = new Bitfield(a.size);
	for (const chunk of a.indices()) {
		if (b.has(chunk)) {
			both.set(chunk);
		}
	}
	return both;
}
