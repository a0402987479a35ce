import { hexToBytes } from '@noble/hashes/utils.js';
import type { FolderPiece } from '../../protocol/index.ts';
import type { StoredContent } from '../storage/content-store.ts';
import type { Candidate, Finder } from './known-bytes.ts';
import type { Found, KnownTable } from './known-table.ts';
import type { OpenSources } from './open-sources.ts';

/** What is known of a content before anything of it is stored. */
type Described = Pick<StoredContent, 'seed' | 'folder'>;

/** A stretch of a chunk, and where its bytes may be. */
interface Stretch {
	readonly from: number;
	readonly length: number;
	/** Undefined: zeros between two files. */
	readonly found: Found | undefined;
	/** Offset in the file that was found. */
	readonly offset: number;
}

/**
 * Finds the chunks of a content in a table: as chunks of known contents, or, in a folder, put
 * together from files that are known.
 */
export class TableFinder implements Finder {
	readonly #content: Described;
	readonly #table: KnownTable;
	readonly #sources: OpenSources;

	constructor(content: Described, table: KnownTable, sources: OpenSources) {
		this.#content = content;
		this.#table = table;
		this.#sources = sources;
	}

	*candidates(chunk: number): Generator<Candidate> {
		const { seed } = this.#content;
		if (seed.kind !== 'sha256') {
			return;
		}
		for (const { source, number } of this.#table.chunk(seed.chunkDigest(chunk))) {
			if (!this.#sources.isUseless(source)) {
				yield {
					origin: 'known',
					read: (into) => this.#sources.readChunk(source, number, into),
					onWrong: () => this.#sources.onWrong(source),
				};
			}
		}
		const stretches = this.#stretches(chunk);
		if (stretches !== undefined) {
			yield {
				origin: 'files',
				read: (into) => this.#readStretches(stretches, into),
				onWrong: () => {},
			};
		}
	}

	/** The stretches of a chunk, if the file of each of them is known. */
	#stretches(chunk: number): Stretch[] | undefined {
		const { seed, folder } = this.#content;
		const { layout } = seed;
		const start = layout.offsetOf(chunk);
		const size = layout.sizeOf(chunk);
		if (folder === undefined || start < folder.index.length) {
			return undefined;
		}
		const stretches: Stretch[] = [];
		let isKnown = true;
		folder.visit(start, size, (piece) => {
			const found = isKnown ? this.#fileOf(piece) : undefined;
			isKnown = found !== 'unknown' && isKnown;
			if (found !== 'unknown') {
				const first = Math.max(start, piece.offset);
				const length = Math.min(start + size, piece.offset + piece.length) - first;
				stretches.push({ from: first - start, length, found, offset: first - piece.offset });
			}
		});
		return isKnown ? stretches : undefined;
	}

	/** A known file with the bytes of a piece; undefined for zeros between two files. */
	#fileOf({ entry }: FolderPiece): Found | 'unknown' | undefined {
		if (entry === undefined) {
			return undefined;
		}
		const digest = entry.kind === 'l' ? undefined : hexToBytes(entry.digest);
		const files = digest === undefined ? [] : this.#table.file(digest);
		return files.find(({ source }) => !this.#sources.isUseless(source)) ?? 'unknown';
	}

	async #readStretches(stretches: readonly Stretch[], into: Uint8Array): Promise<void> {
		for (const { from, length, found, offset } of stretches) {
			const part = into.subarray(from, from + length);
			if (found === undefined) {
				part.fill(0);
			} else {
				const { source, number: entry } = found;
				await this.#sources.readFile(source, { entry, offset }, part);
			}
		}
	}
}
