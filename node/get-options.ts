import type { FolderEntry, Seed } from '../protocol/index.ts';
import type { FetchOptions } from './download/download-manager.ts';
import type { Verified } from './download/target/target.ts';
import type { SeedCache } from './hashing/seed-cache.ts';

/** Options of {@link ShoalNode.get}. */
export interface GetOptions extends FetchOptions {
	/**
	 * The path of a file or a folder. A folder whose path ends with a slash is created if it does not
	 * exist. In a folder the file gets a safe form of its name. @default the working folder
	 */
	readonly output?: string | undefined;
	/**
	 * `chunks` skips the check of the digest of the whole, which is faster. Each chunk is still
	 * verified when it arrives. Chunks that an earlier download has recorded are trusted.
	 * @default 'whole'
	 */
	readonly check?: Verified | undefined;
	/** Globs of the entries of a folder to download. @default all */
	readonly only?: readonly string[] | undefined;
	/** Globs of the entries of a folder to leave out. @default none */
	readonly exclude?: readonly string[] | undefined;
	/**
	 * Cache of seeds. What is downloaded whole can then be shared without hashing it. Bytes of files and
	 * folders that the cache remembers are not fetched again, wherever they are needed.
	 * @default none
	 */
	readonly cache?: SeedCache | undefined;
	/**
	 * Paths of files and folders with bytes of the content, such as a copy on a disk. They are read and
	 * verified, so that what is right in them is not fetched. A folder is searched with all folders in it.
	 * @default none
	 */
	readonly like?: readonly string[] | undefined;
}

/** A folder, and what is in it. */
export interface FolderListing {
	/** The seed of the folder. */
	readonly seed: Seed;
	/** In the order of the index. */
	readonly entries: readonly FolderEntry[];
}
