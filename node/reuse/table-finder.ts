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
			if (this.#sources.isWorth(source, chunk)) {
				yield {
					origin: 'known',
					read: (into) => this.#sources.readChunk(source, number, into),
					onResult: (isRight) => this.#sources.onResult(source, isRight),
				};
			}
		}
		// If a file is known twice, the first may have changed, and the second may be right.
		const first = this.#stretches(chunk, 0);
		const second = first && this.#stretches(chunk, 1);
		for (const stretches of [first, isSame(first, second) ? undefined : second]) {
			if (stretches !== undefined) {
				yield {
					origin: 'files',
					read: (into) => this.#readStretches(stretches, into),
					onResult: (isRight) => this.#onResult(stretches, isRight),
				};
			}
		}
	}

	/**
	 * The stretches of a chunk, if the file of each of them is known.
	 *
	 * @param choice which file to take where several have the digest
	 */
	#stretches(chunk: number, choice: number): Stretch[] | undefined {
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
			const found = isKnown ? this.#fileOf(piece, chunk, choice) : undefined;
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
	#fileOf({ entry }: FolderPiece, chunk: number, choice: number): Found | 'unknown' | undefined {
		if (entry === undefined) {
			return undefined;
		}
		const digest = entry.kind === 'l' ? undefined : hexToBytes(entry.digest);
		const known = digest === undefined ? [] : this.#table.file(digest);
		const files = known.filter(({ source }) => this.#sources.isWorth(source, chunk));
		return files[choice] ?? files[0] ?? 'unknown';
	}

	#onResult(stretches: readonly Stretch[], isRight: boolean): void {
		for (const { found } of stretches) {
			if (found !== undefined) {
				this.#sources.onResult(found.source, isRight);
			}
		}
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

/** Whether stretches of the same chunk are in the same files. */
function isSame(a: readonly Stretch[] | undefined, b: readonly Stretch[] | undefined): boolean {
	const isFound = ({ found }: Stretch, at: number): boolean =>
		found?.source === b?.[at]?.found?.source && found?.number === b?.[at]?.found?.number;
	return a?.every(isFound) ?? true;
}
