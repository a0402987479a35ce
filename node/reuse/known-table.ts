import { hexToBytes } from '@noble/hashes/utils.js';
import { type FolderEntry, isFile, parseIndex } from '../../protocol/index.ts';
import { type DigestTable, DigestTableBuilder } from './digest-table.ts';
import type { KnownSource } from './known-source.ts';

/** A {@link KnownSource} without its digests. */
export interface SourceHead {
	readonly entry?: string | undefined;
	readonly path: string;
	readonly length: number;
	readonly chunkSize: number;
	readonly isFolder: boolean;
	/** The place of its first chunk in the table of chunks. */
	readonly firstChunk: number;
	/** The place of the file, or of the first entry of the folder, in the table of files. */
	readonly firstFile: number;
}

/** A chunk, or an entry of a folder, that may have the digest that was looked for. */
export interface Found {
	readonly source: SourceHead;
	/** The number of the chunk, or of the entry in the folder. 0 for a file that is a source. */
	readonly number: number;
}

/** Finds files and folders on this machine that have a chunk, or a file, with a given digest. */
export interface KnownDigests {
	/** Number of digests of chunks and files. */
	readonly size: number;

	/** Chunks that may have this digest, the preferred first. */
	chunk(digest: Uint8Array): Found[];

	/** Files that may have this digest, the preferred first. */
	file(digest: Uint8Array): Found[];
}

/** A table of sources and their digests. */
export class KnownTable implements KnownDigests {
	readonly sources: readonly SourceHead[];
	readonly chunks: DigestTable;
	readonly files: DigestTable;

	constructor(sources: readonly SourceHead[], chunks: DigestTable, files: DigestTable) {
		this.sources = sources;
		this.chunks = chunks;
		this.files = files;
	}

	/**
	 * Makes a table of `sources`. If several sources have a digest, the earlier ones are preferred.
	 *
	 * @param zeros returns the digest of `length` zeros. Such chunks are left out of the table
	 */
	static of(sources: Iterable<KnownSource>, zeros: (length: number) => Uint8Array): KnownTable {
		const heads: SourceHead[] = [];
		const chunks = new DigestTableBuilder();
		const files = new DigestTableBuilder();
		for (const source of sources) {
			const { entry, path, length, chunkSize, index } = source;
			heads.push({
				...{ entry, path, length, chunkSize, isFolder: index !== undefined },
				firstChunk: chunks.add(source.chunkDigests, zeros(chunkSize)),
				firstFile: files.add(index === undefined ? hexToBytes(source.digest) : filesIn(index)),
			});
		}
		return new KnownTable(heads, chunks.build(), files.build());
	}

	get size(): number {
		return this.chunks.size + this.files.size;
	}

	chunk(digest: Uint8Array): Found[] {
		return this.chunks.find(digest).map((place) => this.#found(place, 'firstChunk'));
	}

	file(digest: Uint8Array): Found[] {
		return this.files.find(digest).map((place) => this.#found(place, 'firstFile'));
	}

	#found(place: number, first: 'firstChunk' | 'firstFile'): Found {
		let [low, high] = [0, this.sources.length];
		while (high - low > 1) {
			const middle = (low + high) >> 1;
			if ((this.sources[middle] as SourceHead)[first] <= place) {
				low = middle;
			} else {
				high = middle;
			}
		}
		const source = this.sources[low] as SourceHead;
		return { source, number: place - source[first] };
	}
}

/** The digests of the entries of an index; none if the index is damaged. */
function filesIn(index: Uint8Array): Uint8Array {
	try {
		return digestsIn(parseIndex(index));
	} catch {
		return new Uint8Array();
	}
}

/** The digests of entries. Entries without bytes get a digest of zeros, which is never found. */
function digestsIn(entries: readonly FolderEntry[]): Uint8Array {
	const digests = new Uint8Array(entries.length * 32);
	for (const [at, entry] of entries.entries()) {
		if (isFile(entry) && entry.length > 0) {
			digests.set(hexToBytes(entry.digest), at * 32);
		}
	}
	return digests;
}
