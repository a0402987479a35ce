export {
	type ChannelLink,
	formatChannelLink,
	isChannelLink,
	parseChannelLink,
} from './channel/channel-link.ts';
export {
	type Audience,
	ChannelDocument,
	checkChannelName,
	checkGroup,
	compareDocuments,
	type DocumentFields,
	MOST_CHANNEL_NAME,
	MOST_DOCUMENT_BYTES,
} from './channel/document.ts';
export {
	KEY_BYTES,
	SIGNATURE_BYTES,
	type Sign,
	SPKI_HEAD,
	type Verify,
	verifyNatively,
} from './channel/ed25519.ts';
export {
	type KeyBlock,
	KeyChain,
	MOST_BLOCKS,
	MOST_CHAIN_BYTES,
	type NewKeys,
} from './channel/key-chain.ts';
export {
	decodeReceipt,
	MOST_GROUPS,
	MOST_KEPT_PATH,
	MOST_KEPT_PATHS,
	MOST_RECEIPT_BYTES,
	RECEIPT_STATES,
	type Receipt,
} from './channel/receipt.ts';
export { type Follower, isAddressed, seedFor } from './channel/recipients.ts';
export { type ErrorCode, isShoalError, ShoalError } from './errors.ts';
export { FIXED_LIMITS, type FixedLimit } from './fixed-limits.ts';
export { type EntryKind, type FolderEntry, MAX_ENTRIES } from './folder/entry.ts';
export { comparePaths, whyNoPath } from './folder/entry-path.ts';
export { firstFrom } from './folder/find-entry.ts';
export { Folder, type FolderSeed, isFile, shared } from './folder/folder.ts';
export { formatIndex, parseIndex } from './folder/folder-index.ts';
export { chooseFolderChunkSize, type FolderPiece, folderLength } from './folder/folder-layout.ts';
export { FolderPaths, MAX_TARGET_BYTES, whyNoLink } from './folder/link-target.ts';
export {
	brokerAddress,
	type HostAddress,
	hostAndPort,
	hostOf,
	parseHostAddress,
	plainAddress,
	withoutBrackets,
} from './host-port.ts';
export {
	formatRequestId,
	isChannelId,
	isNodeId,
	isOlderSession,
	isRequestId,
	isSeedId,
	makeNodeId,
	makeRequestId,
	makeSession,
	parseNodeId,
	parseRequestId,
	parseSeedId,
} from './ids.ts';
export {
	DEFAULT_LIMITS,
	LIMIT_NAMES,
	LIMIT_TABLE,
	type Limit,
	type LimitName,
	type Limits,
	LONGEST_TIMER,
	PORTABLE_PART,
	resolveLimits,
} from './limits.ts';
export {
	BaseLink,
	type LinkBroker,
	type LinkEvents,
	type LinkOptions,
} from './link/base-link.ts';
export {
	asLinkBrokers,
	type BrokerAddress,
	type BrokerList,
	type LinkBrokers,
	linkBrokers,
	type SharedByBrokers,
	startingAt,
	withCredentials,
} from './link/broker-addresses.ts';
export { Connection } from './link/connection.ts';
export { disconnected, explain, isBusy, refusal } from './link/connection-errors.ts';
export type {
	BrokerConnection,
	ConnectionOptions,
	Incoming,
	OpenConnection,
	OpenStream,
	Will,
} from './link/connection-options.ts';
export { credentials } from './link/connection-options.ts';
export { parseFingerprint } from './link/fingerprint.ts';
export { formatJoinLink, type JoinLink, joinedAddresses, parseJoinLink } from './link/join-link.ts';
export { Link } from './link/link.ts';
export { isLoopback, leadsHome } from './loopback.ts';
export {
	decodeEvent,
	type Load,
	type SwarmEvent,
	type WatcherEvent,
} from './messages/event-messages.ts';
export { encodeJson } from './messages/json.ts';
export {
	type Announce,
	type ByteRange,
	decodeAnnounce,
	decodeNodeRequest,
	decodeNodeState,
	decodeReply,
	type Feed,
	type LaneBytes,
	MAX_RANGE,
	MOST_FEEDS,
	type NodeReply,
	type NodeRequest,
	type NodeState,
	type RefusalReason,
	type Reply,
} from './messages/node-messages.ts';
export {
	DEFAULT_ROOT,
	MAX_TOPIC_BYTES,
	MAX_TOPIC_LEVELS,
	type Topic,
	Topics,
} from './messages/topics.ts';
export {
	decodeTrackerRequest,
	decodeTrackerState,
	type NodeListing,
	type Report,
	type SeedListing,
	TICKET_LIFE,
	type TrackerReply,
	type TrackerRequest,
	type TrackerState,
} from './messages/tracker-messages.ts';
export { MOST_NODE_NAME, nodeLabel, nodeNameOf } from './node-names.ts';
export { BufferPool, packetBuffers, sharedBuffers } from './packets/buffer-pool.ts';
export {
	type ChunkContent,
	type ChunkHeader,
	type ChunkMessage,
	decodeChunk,
	HEADER_BYTES,
	writeChunkHeader,
} from './packets/chunk-codec.ts';
export { PacketFramer, type PacketFramerOptions } from './packets/packet-framer.ts';
export {
	type Payload,
	PLAIN_PUBLISH,
	type PlainPublish,
	type PublishSink,
	parsePlainPublish,
	partsOf,
	piecesOf,
	plainPublishHeader,
	writePublish,
} from './packets/publish-packet.ts';
export { escapeJson, printable, printableJson, quoted } from './printable.ts';
export { hideCredentials, printableUrl } from './printable-url.ts';
export { isSecureUrl } from './secure-url.ts';
export { Bitfield, BUCKETS } from './seed/bitfield.ts';
export {
	type BrokerUrls,
	distinctBrokers,
	listOf,
	MOST_BROKERS,
	parseBrokerUrl,
} from './seed/broker-urls.ts';
export {
	type ContentName,
	isAddress,
	isNamed,
	isStartOfId,
	parseContentName,
} from './seed/content-name.ts';
export { DIGEST_BYTES, type DigestKind, digestOf, sameDigest } from './seed/digest.ts';
export {
	chooseChunkSize,
	inferChunkSize,
	Layout,
	MAX_CHUNK_SIZE,
	MAX_CHUNKS,
	MAX_INDEX_BYTES,
	MAX_LENGTH,
	MIN_CHUNK_SIZE,
} from './seed/layout.ts';
export { checkName, MAX_NAME_BYTES, safeFileName, unstorableOnWindows } from './seed/names.ts';
export { distance, hashId, precedence } from './seed/precedence.ts';
export { furthestOf, nearOnRings } from './seed/rings.ts';
export {
	bodyBytes,
	checkedLayout,
	parseSeed,
	parseSeedBody,
	Seed,
	type SeedNumbers,
	type SeedParts,
} from './seed/seed.ts';
export {
	formatLink,
	isLink,
	parseLink,
	type ShareLink,
} from './seed/share-link.ts';
