import { parseIndex } from '../../protocol/index.ts';
import { seedOf } from '../hashing/folder/folder-jobs.ts';
import type { StoredContent } from '../storage/content-store.ts';
import type { Finder, KnownBytes } from './known-bytes.ts';
import type { KnownSource } from './known-source.ts';
import { KnownTable } from './known-table.ts';
import { openFile, openFolder } from './open-known.ts';
import { searchTable } from './search-table.ts';
import { zerosDigest } from './zeros-digest.ts';

/** The older version of a file, which a download will replace. */
export class OlderFile implements KnownBytes {
	readonly #source: KnownSource;

	constructor(source: KnownSource) {
		this.#source = source;
	}

	async *search(content: StoredContent): AsyncGenerator<Finder> {
		const { path } = this.#source;
		const table = KnownTable.of([this.#source], zerosDigest);
		yield* searchTable(content, table, async () => openFile(path));
	}
}

/** The digests of the chunks of an older version. */
export interface OlderChunks {
	/** Bytes of each chunk but the last. */
	readonly chunkSize: number;
	/** Bytes of the content. */
	readonly length: number;
	/** SHA-256 of each chunk, one after the other. */
	readonly chunkDigests: Uint8Array;
}

/** The older version of a folder, which a download will replace. */
export class OlderFolder implements KnownBytes {
	readonly #root: string;
	readonly #index: Uint8Array;
	readonly #chunks: OlderChunks | undefined;

	/**
	 * @param index the index of the older version
	 * @param chunks its chunks, if they are known: then parts of changed files are found as well
	 */
	constructor(root: string, index: Uint8Array, chunks?: OlderChunks) {
		this.#root = root;
		this.#index = index;
		this.#chunks = chunks;
	}

	async *search(content: StoredContent): AsyncGenerator<Finder> {
		const index = this.#index;
		const made = seedOf(parseIndex(index), index);
		const { digest } = made;
		const { chunkSize, length, chunkDigests } = this.#chunks ?? {
			chunkSize: made.layout.chunkSize,
			length: made.length,
			chunkDigests: new Uint8Array(),
		};
		const seed = { ...made, length, layout: { chunkSize } };
		const source = { path: this.#root, length, digest, index, chunkSize, chunkDigests };
		const table = KnownTable.of([source], zerosDigest);
		yield* searchTable(content, table, async () => openFolder({ root: this.#root, seed, index }));
	}
}
