import { type Bitfield, type Seed, ShoalError } from '../../../protocol/index.ts';
import type { ChunkWriter } from '../../chunk-writer/chunk-writer.ts';
import type { ChunkRun } from '../../engine/chunk-run.ts';
import type { HashOptions } from '../../hashing/hasher.ts';
import type { StoredContent } from '../../storage/content-store.ts';
import type { Storage } from '../../storage/storage.ts';

/** An opened target. */
export interface Opened {
	readonly storage: Storage;
	/** Takes what is fetched. */
	readonly writer: ChunkWriter;
	/** The chunks that are there already. */
	readonly have: Bitfield;
	/** Whether the file stands under its name already, and each chunk of it is right. */
	readonly wasThere: boolean;
}

/** Options of {@link Target.open}. */
export interface OpenOptions extends HashOptions {
	/** Another download writes to the same place, and is waited for. */
	readonly onWait?: (() => void) | undefined;
}
/** The extent of verification: each chunk and the digest of the whole, or each chunk only. */
export type Verified = 'whole' | 'chunks';

/** How `finish` ends: with a file that is right, or with chunks that are not what was stored. */
export type Finished =
	| { readonly path: string; readonly verified: Verified }
	| { readonly bad: readonly number[] };

/** Where a download puts its bytes. */
export interface Target {
	/** A name for the file if the swarm offers none that is safe. */
	readonly fallbackName: string | undefined;
	/** Opens it, and finds which chunks are there already. @throws ShoalError */
	open(seed: Seed, options: OpenOptions): Promise<Opened>;
	/** `chunk` is verified, and its write has returned. */
	stored(chunk: number): void;
	/**
	 * Every chunk was right: checks the whole and gives it its name.
	 *
	 * @throws ShoalError ERR_SEED_LIES if the whole is wrong though every chunk is right still
	 */
	finish(seed: Seed, options: HashOptions): Promise<Finished>;
	/** Resolves when what was finished would survive a loss of power. @throws ShoalError */
	settle(): Promise<void>;
	/** Ends it before it is finished; called when neither `open` nor `finish` runs any more. */
	abandon(): Promise<void>;
}

/** Where the bytes of a download are that runs for its readers only. */
export interface ReadersTarget extends Target {
	/** Looks whether there is room for what is lacking of `runs`. @throws ShoalError ERR_NO_SPACE */
	checkRoom(content: StoredContent, runs: Iterable<ChunkRun>): Promise<void>;
}

/** Whether a download into `target` runs for its readers only. */
export function isForReaders(target: Target): target is ReadersTarget {
	return 'checkRoom' in target;
}

/** The error of a seed whose chunks are all right, and whose digest of the whole is not. */
export function seedLies({ id }: Seed): ShoalError {
	return new ShoalError(
		'ERR_SEED_LIES',
		`every chunk of seed ${id} is right, but the digest of the whole is not: whoever made the seed made it wrong. What was fetched is not kept; ask for another seed`,
	);
}
