import type { Seed } from '../../protocol/index.ts';
import type { StoredContent } from '../storage/content-store.ts';

/** Bytes of a download that were not fetched, by where they were found. */
export interface ReusedBytes {
	/** In their place: stored by an earlier download, or at the same offset of an older version. */
	readonly place: number;
	/** In chunks of other files and folders on this machine, or elsewhere in this content. */
	readonly known: number;
	/** In chunks of zeros. These are recognized by their digest, without a search. */
	readonly zeros: number;
	/** In files of this machine that have the digest of a file of the folder. */
	readonly files: number;
}

/** Finds bytes of a content on this machine. */
export interface KnownBytes {
	/**
	 * Searches in steps. The steps that take the least time come first. Callers stop when no chunk
	 * is missing.
	 *
	 * @param missing returns the chunks that are missing now
	 */
	search(
		content: StoredContent,
		missing: () => readonly number[],
		signal: AbortSignal,
	): AsyncIterable<Finder>;

	/** Paths of files that may have the same bytes as the file that `seed` describes. */
	wholeFiles?(seed: Seed, signal: AbortSignal): Promise<readonly string[]>;
}

/** The result of one step of a search. */
export interface Finder {
	/** Where the bytes of `chunk` may be, the most likely first. */
	candidates(chunk: number): Iterable<Candidate>;

	/** If `chunk` has no candidate: stretches of it that may be known, in ascending order. */
	pieces?(chunk: number): Iterable<Piece>;
}

/** Bytes. A shorter piece is not used: it is cheaper to request the chunk without a gap. */
export const LEAST_PIECE = 4 * 1024;

/** A stretch of a chunk. Its bytes may be known. */
export interface Piece {
	/** Offset of its first byte in the chunk. */
	readonly from: number;
	/** Bytes. */
	readonly length: number;

	/** Fills `into`. @throws errors of the file system */
	read(into: Uint8Array): Promise<void>;
}

/** Bytes that may be those of a chunk. */
export interface Candidate {
	/** `files`: from files with the digest of a file of the folder. `known`: from elsewhere. */
	readonly origin: 'known' | 'files';

	/** Fills `into`, which has the length of the chunk. @throws errors of the file system */
	read(into: Uint8Array): Promise<void>;

	/** Notes whether the bytes were those of the chunk; false if they could not be read. */
	onResult(isRight: boolean): void;
}
