import type { Seed } from '../../protocol/index.ts';
import type { DownloadEngineOptions } from '../engine/engine-options.ts';
import type { LaneKind } from '../lanes/lane.ts';
import type { PeersContext } from '../peers/peers.ts';
import type { TraceSink } from '../stats/trace.ts';
import type { Traffic } from '../stats/traffic.ts';
import type { ContentStore, StoredContent } from '../storage/content-store.ts';
import type { RecentBytes } from '../storage/recent-bytes.ts';
import type { RateLimiter } from '../util/rate-limiter.ts';
import type { SourceShare } from './contributions.ts';
import type { Target, Verified } from './target/target.ts';

/** The parts of a node that downloads use. */
export interface DownloadContext extends PeersContext {
	/** What the node has: what it downloads is added. */
	readonly contents: ContentStore;
	/** What was received or read a moment ago. */
	readonly recent: RecentBytes<StoredContent>;
	/** Counts bytes sent and received. */
	readonly traffic: Traffic;
	/** Keeps downloads to a rate. */
	readonly downLimiter: RateLimiter;
	/** Told of each decision and transfer; undefined if nobody wants to know. */
	readonly trace: TraceSink | undefined;
}

/** Which chunks are fetched first, and which at all. */
export type ChunkSelection = Pick<DownloadEngineOptions, 'order' | 'demand'>;

/** How far a download is. */
export interface Progress {
	/** `finding` nodes and the seed, `checking` what is there already, `fetching`, `verifying` the whole. */
	readonly phase: 'finding' | 'checking' | 'fetching' | 'verifying';
	readonly id: string;
	/** Known once the seed is. */
	readonly name?: string | undefined;
	/** Bytes that are verified and stored. */
	readonly have: number;
	readonly length: number;
	/** Bytes per second over the last two seconds. */
	readonly rate: number;
	/** Nodes that are counted on. */
	readonly sources: number;
	/** The same, by the lane they are reached on. */
	readonly lanes: Readonly<Record<LaneKind, number>>;
}

/** A download that is done. */
export interface DownloadResult {
	readonly seed: Seed;
	/** Where the file is. */
	readonly path: string;
	/** What is verified of it: each chunk and the digest of the whole, or each chunk only. */
	readonly verified: Verified;
	/** How long it took. */
	readonly ms: number;
	/** What came from whom. */
	readonly sources: readonly SourceShare[];
	/** Bytes that were there already and right, so that they were not fetched. */
	readonly kept: number;
	/** Whether the file stood under its name already, and was right. */
	readonly wasThere: boolean;
}

/** Options of a {@link Download}. */
export interface DownloadOptions {
	readonly id: string;
	/** The seed, if it is known already. */
	readonly seed?: Seed | undefined;
	/** A name that goes before those of strangers. */
	readonly name?: string | undefined;
	readonly target: Target;
	readonly selection: ChunkSelection;
	/** Wait for a seed that nobody has yet. */
	readonly wait: boolean;
	readonly signal?: AbortSignal | undefined;
	readonly onProgress?: ((progress: Progress) => void) | undefined;
	/** The file is verified and has its name; what is left is to have it survive a loss of power. */
	readonly onComplete?: ((result: DownloadResult) => void) | undefined;
	/** The seed is known and its content is coming. */
	readonly onContent?: ((content: StoredContent) => void) | undefined;
}
