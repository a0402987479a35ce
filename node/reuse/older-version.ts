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

/** The older version of a folder, which a download will replace. */
export class OlderFolder implements KnownBytes {
	readonly #root: string;
	readonly #index: Uint8Array;

	/** @param index the index of the older version */
	constructor(root: string, index: Uint8Array) {
		this.#root = root;
		this.#index = index;
	}

	async *search(content: StoredContent): AsyncGenerator<Finder> {
		const index = this.#index;
		const seed = seedOf(parseIndex(index), index);
		const { length, digest } = seed;
		const about = { path: this.#root, length, digest, index };
		const { chunkSize } = seed.layout;
		const source = { ...about, chunkSize, chunkDigests: new Uint8Array() };
		const table = KnownTable.of([source], zerosDigest);
		yield* searchTable(content, table, async () => openFolder({ root: this.#root, seed, index }));
	}
}
