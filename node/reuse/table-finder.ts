import { createHash } from 'node:crypto';
import { hexToBytes } from '@noble/hashes/utils.js';
import type { FolderEntry, FolderPiece } from '../../protocol/index.ts';
import type { StoredContent } from '../storage/content-store.ts';
import type { Candidate, Finder, Piece } from './known-bytes.ts';
import type { Found, KnownDigests } from './known-table.ts';
import type { OpenSources } from './open-sources.ts';

/** Maximum bytes of a file that is verified before a piece of it is used. */
const MOST_CHECKED = 1024 * 1024;

/** The description of a content of which nothing is stored yet. */
type Described = Pick<StoredContent, 'seed' | 'folder'>;

/** A stretch of a chunk, and where its bytes may be. */
interface Stretch {
	/** Undefined: zeros between two files. */
	readonly entry: FolderEntry | undefined;
	readonly from: number;
	readonly length: number;
	/** Undefined: zeros between two files. `unknown`: bytes that are in no known file. */
	readonly found: Found | 'unknown' | undefined;
	/** Offset of the first byte in the file. */
	readonly offset: number;
}

/**
 * Finds the chunks of a content in a table. A chunk is found as a chunk of a known source. If the
 * content is a folder, a chunk can also be put together from known files.
 */
export class TableFinder implements Finder {
	readonly #content: Described;
	readonly #table: KnownDigests;
	readonly #sources: OpenSources;
	readonly #isOld: boolean;

	/**
	 * @param isOld whether files may have changed since their digests were computed. Then pieces of
	 *   chunks come only from short files, and each file is verified before its piece is used: a
	 *   chunk with a wrong piece would have to be fetched again
	 */
	constructor(content: Described, table: KnownDigests, sources: OpenSources, isOld = false) {
		this.#content = content;
		this.#table = table;
		this.#sources = sources;
		this.#isOld = isOld;
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
		const first = complete(this.#stretches(chunk, 0));
		const second = first && complete(this.#stretches(chunk, 1));
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

	*pieces(chunk: number): Generator<Piece> {
		for (const stretch of this.#stretches(chunk, 0)) {
			const { from, length, entry, found } = stretch;
			const isChecked = this.#isOld && entry !== undefined;
			if (found !== 'unknown' && (!isChecked || entry.length <= MOST_CHECKED)) {
				const read = isChecked ? this.#readChecked : this.#readStretch;
				yield { from, length, read: (into) => read.call(this, stretch, into) };
			}
		}
	}

	/**
	 * The stretches of a chunk of a folder. Empty for a chunk of the index, and if the content is a
	 * file.
	 *
	 * @param choice 0 or 1: which file to take if several have the digest
	 */
	#stretches(chunk: number, choice: number): Stretch[] {
		const { seed, folder } = this.#content;
		const { layout } = seed;
		const start = layout.offsetOf(chunk);
		const size = layout.sizeOf(chunk);
		if (folder === undefined || start < folder.index.length) {
			return [];
		}
		const stretches: Stretch[] = [];
		folder.visit(start, size, (piece) => {
			const found = this.#fileOf(piece, chunk, choice);
			const first = Math.max(start, piece.offset);
			const length = Math.min(start + size, piece.offset + piece.length) - first;
			const about = { entry: piece.entry, from: first - start, offset: first - piece.offset };
			stretches.push({ ...about, length, found });
		});
		return stretches;
	}

	/** A known file with the bytes of a piece, or `unknown`. Undefined: zeros between two files. */
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
			if (found !== undefined && found !== 'unknown') {
				this.#sources.onResult(found.source, isRight);
			}
		}
	}

	async #readStretches(stretches: readonly Stretch[], into: Uint8Array): Promise<void> {
		for (const stretch of stretches) {
			const { from, length } = stretch;
			await this.#readStretch(stretch, into.subarray(from, from + length));
		}
	}

	/** Verifies a file, and reads a stretch of it. @throws Error if the file has changed */
	async #readChecked(stretch: Stretch, into: Uint8Array): Promise<void> {
		const { entry, offset } = stretch as Stretch & { entry: FolderEntry };
		const bytes = new Uint8Array(entry.length);
		await this.#readStretch({ ...stretch, offset: 0 }, bytes);
		if (createHash('sha256').update(bytes).digest('hex') !== entry.digest) {
			this.#onResult([stretch], false);
			throw new Error('the file has changed');
		}
		into.set(bytes.subarray(offset, offset + into.length));
	}

	async #readStretch({ found, offset }: Stretch, into: Uint8Array): Promise<void> {
		if (found === undefined) {
			into.fill(0);
		} else if (found !== 'unknown') {
			await this.#sources.readFile(found.source, { entry: found.number, offset }, into);
		}
	}
}

/** Returns `stretches`; undefined if it is empty, or has a stretch that is in no known file. */
function complete(stretches: readonly Stretch[]): readonly Stretch[] | undefined {
	const isKnown = stretches.length > 0 && stretches.every(({ found }) => found !== 'unknown');
	return isKnown ? stretches : undefined;
}

/** Whether stretches of the same chunk are in the same files. */
function isSame(a: readonly Stretch[] | undefined, b: readonly Stretch[] | undefined): boolean {
	const fileOf = (found: Stretch['found']): string | number | undefined =>
		typeof found === 'object' ? `${found.source.path} ${found.number}` : found;
	return a?.every(({ found }, at) => fileOf(found) === fileOf(b?.[at]?.found)) ?? true;
}
