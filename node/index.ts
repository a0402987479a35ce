export { parseSeed, Seed, ShoalError } from '../protocol/index.ts';
export type { DownloadResult, Progress } from './download-options.ts';
export type { GetOptions, StreamOptions } from './downloads.ts';
export { rightChunks } from './hashing/check-content.ts';
export { type MakeSeedOptions, makeSeed } from './hashing/make-seed.ts';
export {
	type ShareOptions,
	ShoalNode,
	type ShoalNodeEvents,
	type ShoalNodeOptions,
} from './node.ts';
export type { Share, ShareEvents } from './share.ts';
export type { SourceShare } from './transfer.ts';
