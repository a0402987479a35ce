import type { Bitfield, ByteRange, Layout } from '../../protocol/index.ts';
import type { Part } from './attempt.ts';
import type { ChunkRun } from './chunk-run.ts';
import type { CoDownloaders } from './co-downloaders.ts';
import type { Demand } from './demand.ts';

/**
 * The order in which chunks are fetched. `rarest`: the rarest first while there are co-downloaders;
 * without them, a few random chunks, then the others in ascending order. `demanded`: only the
 * chunks that readers need.
 */
export type ChunkOrder = 'rarest' | 'demanded';

/** Options of a download engine. */
export interface DownloadEngineOptions {
	/** The peers that download the same seed; they may change at any time. */
	readonly coDownloaders: CoDownloaders;
	readonly layout: Layout;
	/** Chunks that are already here and verified. */
	readonly have: Bitfield;
	readonly order: ChunkOrder;
	/** The chunks that readers need, which are fetched first; they may change at any time. @default none */
	readonly demand?: Demand | undefined;
	/**
	 * Returns the known ranges of a run of chunks. These ranges are not requested. After a chunk
	 * turned out to be wrong, no range of this chunk may be returned. @default none
	 */
	readonly knownIn?: ((run: ChunkRun) => readonly ByteRange[]) | undefined;
	/** Bytes of the largest part. */
	readonly mostPart: number;
	/**
	 * Most bytes that may be open at all nodes together. Nodes on direct lanes
	 * (`WindowOptions.isDirect`) are not counted. This is also the largest window of each node.
	 */
	readonly mostOutstanding: number;
	/** A node is dropped when it has sent this many bad chunks. */
	readonly mostStrikes: number;
	/** Most ranges in one request. */
	readonly mostRanges: number;
	/** Returns a random number from 0 to 1. */
	readonly random: () => number;
	/** Returns a new request id. */
	readonly requestId: () => bigint;
	/** Called for each answer of a node; `took` is the ms from the request to the answer. */
	readonly answered?: ((node: string, took: number) => void) | undefined;
	/** Called for each requested part that counts as lost. */
	readonly lost?: ((node: string, part: Part) => void) | undefined;
}
