import type { Bitfield, Layout } from '../../protocol/index.ts';
import type { Part } from './attempt.ts';
import type { CoDownloaders } from './co-downloaders.ts';
import type { Demand } from './demand.ts';

/**
 * In which order chunks are fetched: the rarest first where nodes differ in what they have; or `demanded`, those that
 * readers need, and no others.
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
	/** Bytes of the largest part. */
	readonly mostPart: number;
	/** Bytes asked for and open, over all nodes. */
	readonly mostOutstanding: number;
	/** Bad chunks of a node before it is dropped. */
	readonly mostStrikes: number;
	/** Ranges in one request. */
	readonly mostRanges: number;
	/** 0 to 1. */
	readonly random: () => number;
	/** New request ids. */
	readonly requestId: () => bigint;
	/** Told of each answer of a node, and how many ms after it was asked it has come. */
	readonly answered?: ((node: string, took: number) => void) | undefined;
	/** Told of each part that a node was asked for and that is not waited for any more. */
	readonly lost?: ((node: string, part: Part) => void) | undefined;
}
