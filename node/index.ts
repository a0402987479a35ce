export {
	type BrokerAddress,
	type BrokerList,
	ChannelDocument,
	type EntryKind,
	type FolderEntry,
	parseSeed,
	Seed,
	ShoalError,
} from '../protocol/index.ts';
export type { NodeStats, ShoalNodeEvents } from './base-node.ts';
export type { FleetMember } from './channel/fleet.ts';
export type { FleetWatch } from './channel/fleet-watch.ts';
export type { StageCounts } from './channel/stage.ts';
export type { SourceShare } from './download/contributions.ts';
export type { DownloadResult, Progress } from './download/download-types.ts';
export { CommandFailure } from './follow/failure.ts';
export type { AppliedUpdate, FollowerEvents, FollowRefusal } from './follow/follower.ts';
export type { Following, FollowOptions } from './follow/following.ts';
export { gatewayRoute } from './gateway/gateway.ts';
export type { FolderListing, GetOptions } from './get-options.ts';
export { rightChunks } from './hashing/check-content.ts';
export { type MakeSeedOptions, makeSeed } from './hashing/make-seed.ts';
export { SeedCache, type SeedCacheOptions } from './hashing/seed-cache.ts';
export type { LaneKind } from './lanes/lane.ts';
export type { ListenAt } from './lanes/listen.ts';
export { NodeMetrics } from './node-metrics.ts';
export type { ShoalNodeOptions } from './node-options.ts';
export type { Rotated, RotateOptions } from './publish/administer.ts';
export type { Publication, PublicationEvents } from './publish/publication.ts';
export type { PublishOptions } from './publish/publish-options.ts';
export type { ReusedBytes } from './reuse/known-bytes.ts';
export type { Share, ShareEvents, ShareOptions } from './seeding/shared-file.ts';
export { ShoalNode } from './shoal-node.ts';
export type { ContentRange, RangeOptions } from './streaming/content-range.ts';
export {
	ContentStream,
	type StreamOptions,
	type StreamResult,
} from './streaming/content-stream.ts';
