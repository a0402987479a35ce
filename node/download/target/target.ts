import { type Bitfield, type Folder, type Seed, ShoalError } from '../../../protocol/index.ts';
import type { ChunkWriter } from '../../chunk-writer/chunk-writer.ts';
import type { ChunkRun } from '../../engine/chunk-run.ts';
import type { HashOptions } from '../../hashing/hasher.ts';
import type { KnownBytes } from '../../reuse/known-bytes.ts';
import type { SelectedChunks, StoredContent } from '../../storage/content-store.ts';
import type { Storage } from '../../storage/storage.ts';

/** An opened target. */
export interface Opened {
	readonly storage: Storage;
	/** Verifies and stores the fetched chunks. */
	readonly writer: ChunkWriter;
	/** The chunks that are already stored. */
	readonly have: Bitfield;
	/** Whether the stored chunks are in blocks that the part file shares with another file. @default false */
	readonly isCloned?: boolean | undefined;
	/** Whether the file or folder already exists under its name, and each chunk of it is right. */
	readonly wasThere: boolean;
	/** The entries of the folder; undefined if the content is a file. */
	readonly folder?: Folder | undefined;
	/** Finds bytes of the older version that the download will replace; undefined if there is none. */
	readonly older?: KnownBytes | undefined;
	/** The chunks of the wanted entries, if only some entries of a folder are wanted. */
	readonly selected?: SelectedChunks | undefined;
}

/** Options of {@link Target.open}. */
export interface OpenOptions extends HashOptions {
	/** Called while `open` waits for another download to the same path. */
	readonly onWait?: (() => void) | undefined;
	/** Returns the paths of files that may have all bytes of a file. @default none */
	readonly wholeFiles?: (() => Promise<readonly string[]>) | undefined;
	/** Fetches the index of a folder. @default none: only files can be opened */
	readonly index?: (() => Promise<Uint8Array>) | undefined;
}

/** The extent of verification: each chunk and the digest of the whole, or each chunk only. */
export type Verified = 'whole' | 'chunks';

/**
 * The result of `finish`: the path of what is right, or the chunks that differ from what was
 * stored.
 */
export type Finished =
	| { readonly path: string; readonly verified: Verified }
	| { readonly bad: readonly number[] };

/** The place that a download writes to: a file, or a folder. */
export interface Target {
	/** The name of the file or folder if the name that a peer reports is not safe. */
	readonly fallbackName: string | undefined;
	/** Opens the target, and finds the chunks that are already stored. @throws ShoalError */
	open(seed: Seed, options: OpenOptions): Promise<Opened>;
	/** Called when `chunk` is verified and its write has returned. */
	stored(chunk: number): void;
	/**
	 * Called when every chunk is stored: checks the whole, and gives the file or folder its name.
	 *
	 * @throws ShoalError ERR_SEED_LIES if the digest of the whole is wrong, although every chunk is
	 *   still right
	 */
	finish(seed: Seed, options: HashOptions): Promise<Finished>;
	/** Resolves when what is finished would survive a loss of power. @throws ShoalError */
	settle(): Promise<void>;
	/** Closes the target, finished or not. Called when neither `open` nor `finish` is running. */
	abandon(): Promise<void>;
}

/** The target of a download that runs for its readers only. */
export interface ReadersTarget extends Target {
	/** Checks that there is room for the missing chunks of `runs`. @throws ShoalError ERR_NO_SPACE */
	checkRoom(content: StoredContent, runs: Iterable<ChunkRun>): Promise<void>;
}

/** Whether a download into `target` runs for its readers only. */
export function isForReaders(target: Target): target is ReadersTarget {
	return 'checkRoom' in target;
}

/** The error of a seed whose digest of the whole is wrong, although all its chunks are right. */
export function seedLies({ id }: Seed): ShoalError {
	return new ShoalError(
		'ERR_SEED_LIES',
		`every chunk of seed ${id} is right, but the digest of the whole is not: the seed itself is wrong. What was fetched is not kept; ask for another seed`,
	);
}
