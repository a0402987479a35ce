import type { Folder, Seed } from '../../protocol/index.ts';

/** A folder whose index was fetched. */
export interface KnownFolder {
	readonly seed: Seed;
	readonly folder: Folder;
}

/** Most bytes of the indexes and digests of all folders together; a single folder may have more. */
const MOST_BYTES = 32 * 1024 * 1024;
const DIGEST_BYTES = 32;

/**
 * The folders of a node that were read last, by seed id. With this cache, many reads of files of
 * one folder fetch and parse the index of the folder only once.
 */
export class FolderCache {
	readonly #most: number;
	/** The folder that was used last is at the end. */
	readonly #known = new Map<string, KnownFolder>();
	#bytes = 0;

	/** @param most most bytes of the indexes and digests; the folder used last is always kept */
	constructor(most = MOST_BYTES) {
		this.#most = most;
	}

	get(id: string): KnownFolder | undefined {
		const known = this.#known.get(id);
		if (known !== undefined) {
			this.#known.delete(id);
			this.#known.set(id, known);
		}
		return known;
	}

	add(known: KnownFolder): void {
		if (this.get(known.seed.id) !== undefined) {
			return;
		}
		this.#known.set(known.seed.id, known);
		this.#bytes += bytesOf(known);
		for (const [id, oldest] of this.#known) {
			if (this.#bytes <= this.#most || this.#known.size === 1) {
				break;
			}
			this.#known.delete(id);
			this.#bytes -= bytesOf(oldest);
		}
	}
}

function bytesOf({ seed, folder }: KnownFolder): number {
	return folder.index.length + seed.chunks * DIGEST_BYTES;
}
