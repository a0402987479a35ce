import * as v from 'valibot';
import { DEFAULT_LIMITS } from '../limits.ts';
import { BUCKETS } from '../seed/bitfield.ts';
import type { DigestKind } from '../seed/digest.ts';
import { MAX_CHUNKS, MAX_LENGTH } from '../seed/layout.ts';
import {
	addresses,
	chunkCount,
	contentLength,
	count,
	fileName,
	fingerprint,
	folderFields,
	milliseconds,
	nodeId,
	nodeName,
	pairs,
	partLength,
	requestId,
	seedId,
	session,
	variant,
} from './fields.ts';
import { jsonDecoder } from './json.ts';
import { type TrackerReply, trackerReplies } from './tracker-messages.ts';

/** A byte range: offset and length. */
export type ByteRange = readonly [offset: number, length: number];

/** Most bytes of one range, which a direct lane carries in one message. */
export const MAX_RANGE = 1024 * 1024;

const ranges = pairs({
	first: MAX_LENGTH,
	second: MAX_RANGE,
	least: 1,
	most: DEFAULT_LIMITS.requestRanges,
});

/** The retained message on `node/<node>/state`. */
export interface NodeState {
	/** `lost` is published as the will; `disconnected` by a node that closes. */
	readonly state: 'ready' | 'disconnected' | 'lost';
	/** Session of the node's connection. */
	readonly session: string;
	/**
	 * Number of the message in its session: of two states of a session, the one with the higher number
	 * is the newer one; absent in a will.
	 */
	readonly seq?: number | undefined;
	/** A name for people, such as that of the machine. It is not unique, and is not verified. */
	readonly name?: string | undefined;
	/** Addresses for direct connections, as broker URLs. */
	readonly addresses: readonly string[];
	/** SHA-256 fingerprint of the node's certificate; absent unless the addresses are mqtts: URLs. */
	readonly cert?: string | undefined;
	/** Bytes per second sent, over the last seconds. */
	readonly up: number;
	/** Bytes per second received, over the last seconds. */
	readonly down: number;
	/** Bytes of contents sent and received since the node started, by lane; absent in a will. */
	readonly lanes?: { readonly direct: LaneBytes; readonly broker: LaneBytes } | undefined;
	/** The nodes that send most bytes to this node now, the fastest first; absent if none sends. */
	readonly sources?: readonly Feed[] | undefined;
}

/** A node that sends bytes, and its lane. */
export interface Feed {
	/** Node id. */
	readonly node: string;
	/** The lane on which the bytes arrive. */
	readonly lane: 'broker' | 'direct';
	/** Bytes per second, over the last seconds. */
	readonly rate: number;
}

/** Most sources in a node's state. */
export const MOST_FEEDS = 8;

/** Bytes of contents on one lane. */
export interface LaneBytes {
	/** Bytes sent. */
	readonly sent: number;
	/** Bytes received. */
	readonly received: number;
}

const laneBytes = v.object({ sent: count, received: count });
const feed = v.object({ node: nodeId, lane: v.picklist(['broker', 'direct']), rate: count });

export const nodeState: v.GenericSchema<unknown, NodeState> = v.object({
	state: v.picklist(['ready', 'disconnected', 'lost']),
	session,
	seq: v.optional(count),
	name: v.optional(nodeName),
	addresses,
	cert: v.optional(fingerprint),
	up: count,
	down: count,
	lanes: v.optional(v.object({ direct: laneBytes, broker: laneBytes })),
	sources: v.optional(v.pipe(v.array(feed), v.maxLength(MOST_FEEDS))),
});

/**
 * The retained message on `announce/<seed>/<node>`: how much of the seed the node has. An empty
 * message withdraws the announce.
 */
export interface Announce {
	/** Name of the file or folder. */
	readonly name: string;
	/** Bytes of the content. */
	readonly length: number;
	/** Number of chunks. */
	readonly chunks: number;
	/** Bytes of the index of a folder; absent: the content is a file. */
	readonly index?: number | undefined;
	/** Number of files of a folder; absent: the content is a file. */
	readonly files?: number | undefined;
	/** The chunks that the node has. */
	readonly have: {
		/** How many chunks. */
		readonly count: number;
		/** How full each of 64 buckets is, a hexadecimal digit each. */
		readonly map: string;
	};
	/** Milliseconds for which the announce is valid unless it is renewed. */
	readonly ttl: number;
	/** Session of the node's connection. */
	readonly session: string;
	/** Number of the message in its session, as in {@link NodeState}. */
	readonly seq?: number | undefined;
	/**
	 * The time at which the node began to have at least a part of the content: ms since 1970 by the
	 * node's clock; absent: unknown.
	 */
	readonly since?: number | undefined;
}

export const announce: v.GenericSchema<unknown, Announce> = v.pipe(
	v.object({
		name: fileName,
		length: contentLength,
		chunks: chunkCount,
		...folderFields,
		have: v.object({
			count: chunkCount,
			map: v.pipe(v.string(), v.regex(new RegExp(`^[0-9a-f]{${BUCKETS}}$`), 'no map')),
		}),
		ttl: milliseconds,
		session,
		seq: v.optional(count),
		since: v.optional(count),
	}),
	v.check((message) => message.have.count <= message.chunks, 'more chunks than there are'),
);

/** A message on `inbox/<node>/request/<from>`: a request of a downloader to a node. */
export type NodeRequest =
	| { readonly op: 'have'; readonly id: string; readonly seed: string }
	| {
			/** `chunks` requests bytes of the content, `seed` requests bytes of the seed's body. */
			readonly op: 'chunks' | 'seed';
			readonly id: string;
			readonly seed: string;
			/** Each range is answered by one chunk message. */
			readonly ranges: readonly ByteRange[];
			/**
			 * Whether the requesting node is subscribed to the swarm topic of the receiver. Then the
			 * receiver may answer on that topic.
			 */
			readonly shared?: boolean | undefined;
			/**
			 * Offset of the last message of the swarm topic of the receiver that has reached the requesting
			 * node. If a requested chunk was published before that message, it was lost on the way.
			 */
			readonly heard?: number | undefined;
	  }
	| {
			/** Cancels ranges of an earlier request. */
			readonly op: 'cancel';
			readonly id: string;
			readonly seed: string;
			readonly ranges: readonly ByteRange[];
	  };

export const nodeRequest: v.GenericSchema<unknown, NodeRequest> = variant('op', [
	v.object({ op: v.literal('have'), id: requestId, seed: seedId }),
	v.object({
		op: v.picklist(['chunks', 'seed', 'cancel']),
		id: requestId,
		seed: seedId,
		ranges,
		shared: v.optional(v.boolean()),
		heard: v.optional(contentLength),
	}),
]);

/** A message on `inbox/<node>/reply/<from>`: the reply of a node. */
export type NodeReply =
	| {
			readonly op: 'have';
			readonly id: string;
			readonly seed: string;
			readonly name: string;
			readonly length: number;
			readonly chunks: number;
			/** As in an announce. */
			readonly index?: number | undefined;
			readonly files?: number | undefined;
			/**
			 * Kind of the seed's digests. The length of the seed's body follows from `kind`, `length`,
			 * `index` and `chunks`.
			 */
			readonly kind: DigestKind;
			/**
			 * The largest part, in bytes, that others should request from the node; absent: as much as
			 * the lane carries.
			 */
			readonly part?: number | undefined;
			/**
			 * The chunks that the node has: all, or a bit field in base64 whose first bit stands for
			 * chunk `first`.
			 */
			readonly have: 'all' | { readonly first: number; readonly bits: string };
	  }
	| {
			/**
			 * Chunks that the node has gained since its last reply; sent to the nodes that sent `have`
			 * within the last 10 s.
			 */
			readonly op: 'gained';
			readonly seed: string;
			/** First chunk and count of each run. */
			readonly runs: ReadonlyArray<readonly [first: number, count: number]>;
	  }
	| {
			readonly op: 'refused';
			readonly id: string;
			readonly seed: string;
			readonly reason: RefusalReason;
	  };

/** Why a node refuses a request. */
export type RefusalReason = 'not-shared' | 'not-there' | 'busy' | 'changed' | 'failed';

const REFUSALS = ['not-shared', 'not-there', 'busy', 'changed', 'failed'] as const;

/** Any message on a reply topic. */
export type Reply = TrackerReply | NodeReply;

export const reply: v.GenericSchema<unknown, Reply> = variant('op', [
	...trackerReplies,
	v.object({
		op: v.literal('have'),
		id: requestId,
		seed: seedId,
		name: v.pipe(v.string(), v.maxLength(1_024)),
		length: contentLength,
		chunks: chunkCount,
		...folderFields,
		kind: v.picklist(['sha256', 'md5']),
		part: v.optional(partLength),
		have: v.union([
			v.literal('all'),
			v.object({
				first: v.pipe(chunkCount, v.multipleOf(8)),
				bits: v.pipe(v.string(), v.base64()),
			}),
		]),
	}),
	v.object({
		op: v.literal('gained'),
		seed: seedId,
		runs: pairs({ first: MAX_CHUNKS, second: Number.MAX_SAFE_INTEGER, least: 0, most: 2_000 }),
	}),
	v.object({ op: v.literal('refused'), id: requestId, seed: seedId, reason: v.picklist(REFUSALS) }),
]);

/** Reads a node's state. @throws ShoalError ERR_MESSAGE */
export const decodeNodeState = jsonDecoder('node state', nodeState);
/** Reads an announce. @throws ShoalError ERR_MESSAGE */
export const decodeAnnounce = jsonDecoder('announce', announce);
/** Reads a request to a node. @throws ShoalError ERR_MESSAGE */
export const decodeNodeRequest = jsonDecoder('request', nodeRequest);
/** Reads a reply of the tracker or of a node. @throws ShoalError ERR_MESSAGE */
export const decodeReply = jsonDecoder('reply', reply);
