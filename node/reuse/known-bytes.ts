import type { Seed } from '../../protocol/index.ts';
import type { StoredContent } from '../storage/content-store.ts';

/** Bytes of a download that were not fetched, by where they were found. */
export interface ReusedBytes {
	/** In the place of the download: of an earlier download, or of an older version. */
	readonly place: number;
	/** In other contents of this machine, or elsewhere in this content. */
	readonly known: number;
	/** Chunks of zeros, which are found nowhere: everybody knows their digest. */
	readonly zeros: number;
	/** In files of this machine that have the digest of a file of the folder. */
	readonly files: number;
}

/** Finds bytes of a content on this machine. */
export interface KnownBytes {
	/**
	 * Searches, a step at a time, beginning with the steps that take the least time. Callers stop when
	 * nothing is missing.
	 *
	 * @param missing the chunks that are missing when a step begins
	 */
	search(
		content: StoredContent,
		missing: () => readonly number[],
		signal: AbortSignal,
	): AsyncIterable<Finder>;

	/** Paths of files that may have all bytes of a file. */
	wholeFiles?(seed: Seed, signal: AbortSignal): Promise<readonly string[]>;
}

/** The result of one step of a search. */
export interface Finder {
	/** Where the bytes of `chunk` may be, the most likely first. */
	candidates(chunk: number): Iterable<Candidate>;

	/** Stretches of `chunk` that may be known if it has no candidate, in ascending order. */
	pieces?(chunk: number): Iterable<Piece>;
}

/** Bytes. A shorter piece is not worth requests of their own for what is on either side. */
export const LEAST_PIECE = 4 * 1024;

/** A stretch of a chunk whose bytes are perhaps known. */
export interface Piece {
	/** Offset of its first byte in the chunk. */
	readonly from: number;
	/** Bytes. */
	readonly length: number;

	/** Fills `into`. @throws errors of the file system */
	read(into: Uint8Array): Promise<void>;
}

/** Bytes that are perhaps those of a chunk. */
export interface Candidate {
	/** `files`: they come from whole files of a folder, else from any part of a content. */
	readonly origin: 'known' | 'files';

	/** Fills `into`, which has the length of the chunk. @throws errors of the file system */
	read(into: Uint8Array): Promise<void>;

	/** Notes whether the bytes were those of the chunk; false if they could not be read. */
	onResult(isRight: boolean): void;
}
