export { parseSeed, Seed, ShoalError } from '../protocol/index.ts';
export type { DownloadResult, Progress } from './download.ts';
export type { GetOptions, StreamOptions } from './downloads.ts';
export { type MakeSeedOptions, makeSeed } from './hashing/make-seed.ts';
export { SeedCache, type SeedCacheOptions } from './hashing/seed-cache.ts';
export {
	type ShareOptions,
	ShoalNode,
	type ShoalNodeEvents,
	type ShoalNodeOptions,
} from './node.ts';
export type { Share, ShareEvents } from './share.ts';
export { rightChunks } from './target.ts';
export type { SourceShare } from './transfer.ts';
