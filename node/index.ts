export { parseSeed, Seed, ShoalError } from '../protocol/index.ts';
export type { ContentRange, RangeOptions } from './content-range.ts';
export { ContentStream, type StreamOptions, type StreamResult } from './content-stream.ts';
export type { DownloadResult, Progress } from './download-options.ts';
export type { GetOptions } from './downloads.ts';
export { rightChunks } from './hashing/check-content.ts';
export { type MakeSeedOptions, makeSeed } from './hashing/make-seed.ts';
export { SeedCache, type SeedCacheOptions } from './hashing/seed-cache.ts';
export {
	type ShareOptions,
	ShoalNode,
	type ShoalNodeEvents,
	type ShoalNodeOptions,
} from './node.ts';
export type { Share, ShareEvents } from './share.ts';
export type { SourceShare } from './source-shares.ts';
