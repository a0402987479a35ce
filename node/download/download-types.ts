import type { Seed } from '../../protocol/index.ts';
import type { DigestChunk } from '../chunk-writer/inline-writer.ts';
import type { DownloadEngineOptions } from '../engine/engine-options.ts';
import type { LaneKind } from '../lanes/lane.ts';
import type { PeersContext } from '../peers/peer-types.ts';
import type { KnownBytes, ReusedBytes } from '../reuse/known-bytes.ts';
import type { TraceSink } from '../stats/trace.ts';
import type { Traffic } from '../stats/traffic.ts';
import type { ContentStore, StoredContent } from '../storage/content-store.ts';
import type { RecentBytes } from '../storage/recent-bytes.ts';
import type { RateLimiter } from '../util/rate-limiter.ts';
import type { SourceShare } from './contributions.ts';
import type { Target, Verified } from './target/target.ts';

/** The parts of a node that downloads use. */
export interface DownloadContext extends PeersContext {
	/** The contents of the node; downloads are added to it. */
	readonly contents: ContentStore;
	/** Bytes that were received or read a moment ago. */
	readonly recent: RecentBytes<StoredContent>;
	/** Computes the digest of a chunk. */
	readonly digestChunk: DigestChunk;
	/** Counts bytes sent and received. */
	readonly traffic: Traffic;
	/** Limits the rate of downloads. */
	readonly downLimiter: RateLimiter;
	/** Called with each decision and transfer; undefined if there is no trace. */
	readonly trace: TraceSink | undefined;
}

/** Which chunks are fetched, and in which order. */
export type ChunkSelection = Pick<DownloadEngineOptions, 'order' | 'demand'>;

/** The progress of a download. */
export interface Progress {
	/**
	 * `finding`: looking for nodes and the seed. `waiting`: another download writes to the same file. `checking`: hashing
	 * what an earlier download left. `fetching`: downloading chunks. `verifying`: checking the digest of the whole.
	 */
	readonly phase: 'finding' | 'waiting' | 'checking' | 'fetching' | 'verifying';
	/** Seed id. */
	readonly id: string;
	/** File name; undefined until the seed is known. */
	readonly name?: string | undefined;
	/** Bytes that are verified and stored. */
	readonly have: number;
	/** Bytes that are wanted: all of the content, or the chunks of some files; 0 until the seed is known. */
	readonly length: number;
	/** Number of files to download; undefined if the content is no folder. */
	readonly files?: number | undefined;
	/** Number of those files that are complete; undefined if the content is no folder. */
	readonly filesDone?: number | undefined;
	/** Bytes per second that the node received over the last two seconds, for all its downloads. */
	readonly rate: number;
	/** Nodes that chunks are fetched from. */
	readonly sources: number;
	/** The number of these nodes on each lane. */
	readonly lanes: Readonly<Record<LaneKind, number>>;
	/**
	 * Set if the download has been waiting for more than a second, although it may have sources. `chunks`: no node has
	 * the missing chunks. `lane`: nodes have them, but only direct lanes are used, and none to these nodes is open.
	 */
	readonly waitsFor?: 'chunks' | 'lane' | undefined;
}

/** The result of a finished download. */
export interface DownloadResult {
	/** The seed of the file or folder. */
	readonly seed: Seed;
	/** Bytes of the content, or of the chunks of some files of a folder. */
	readonly length: number;
	/** Number of files that were downloaded; undefined if the content is no folder. */
	readonly files?: number | undefined;
	/** Whether only some files of a folder were downloaded. */
	readonly isPartial: boolean;
	/** Absolute path of the file or folder. */
	readonly path: string;
	/**
	 * `whole`: each chunk and the digest of the whole, or those of all files, were verified; `chunks`:
	 * each chunk only.
	 */
	readonly verified: Verified;
	/** Milliseconds that the download took. */
	readonly ms: number;
	/** The chunks and bytes from each node, on each lane. */
	readonly sources: readonly SourceShare[];
	/** Bytes that were not fetched. */
	readonly kept: number;
	/** The bytes that were not fetched, by where they were found. */
	readonly reused: ReusedBytes;
	/** Whether the file already existed under its name, and was right. */
	readonly wasThere: boolean;
}

/** Options of a {@link Download}. */
export interface DownloadOptions {
	readonly id: string;
	/** The seed, if it is known already. */
	readonly seed?: Seed | undefined;
	/** A file name that takes precedence over the names that other nodes report. */
	readonly name?: string | undefined;
	readonly target: Target;
	readonly selection: ChunkSelection;
	/** Finds bytes on this machine. @default none */
	readonly known?: KnownBytes | undefined;
	/** Id of a node that is used only if too few others are complete. @default none */
	readonly spared?: string | undefined;
	/** Whether to wait for a seed that no node has yet. */
	readonly wait: boolean;
	readonly signal?: AbortSignal | undefined;
	readonly onProgress?: ((progress: Progress) => void) | undefined;
	/** Called when the file is verified and has its name, before it is synced to the disk. */
	readonly onComplete?: ((result: DownloadResult) => void) | undefined;
	/** Called when the seed is known, before the first chunk is fetched. */
	readonly onContent?: ((content: StoredContent) => void) | undefined;
}
