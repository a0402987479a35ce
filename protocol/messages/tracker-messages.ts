import * as v from 'valibot';
import { COMPLAINTS, type Complaint } from './event-messages.ts';
import {
	addresses,
	chunkCount,
	contentLength,
	count,
	digest,
	fileName,
	fingerprint,
	folderFields,
	milliseconds,
	nodeId,
	nodeName,
	partLength,
	requestId,
	seedId,
	session,
	variant,
	whole,
} from './fields.ts';
import { jsonDecoder } from './json.ts';

/**
 * The retained message on `tracker/state`; `lost` is also the will. The state `ready` is sent to a
 * node's inbox as well, on `inbox/<node>/tracker/<tracker>`.
 */
export type TrackerState =
	| {
			readonly state: 'ready';
			/** The tracker's client id, which is the sender in the topics of its replies. */
			readonly tracker: string;
			readonly session: string;
			/**
			 * ms for which an announce is valid unless it is renewed, and ms between two renewals by a
			 * node.
			 */
			readonly ttl: number;
			readonly renewal: number;
			/** The largest part that this broker carries, in bytes. */
			readonly part: number;
			/** The key for checking tickets: an Ed25519 public key, base64url. */
			readonly key?: string | undefined;
	  }
	| { readonly state: 'lost'; readonly tracker: string; readonly session: string };

export const trackerState: v.GenericSchema<unknown, TrackerState> = variant('state', [
	v.object({
		state: v.literal('ready'),
		tracker: nodeId,
		session,
		ttl: milliseconds,
		renewal: milliseconds,
		part: partLength,
		key: v.optional(v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/, 'no public key'))),
	}),
	v.object({ state: v.literal('lost'), tracker: nodeId, session }),
]);

/**
 * A message on `tracker/request/<node>`: one of the operations `get_seed`, `query` and `update`; or
 * `state`, which asks for the state of the tracker; or a report of a downloader.
 */
export type TrackerRequest =
	| {
			readonly op: 'get_seed';
			readonly id: string;
			/** The last seed of the previous page; absent: the first page is requested. */
			readonly after?: string | undefined;
	  }
	| { readonly op: 'query'; readonly id: string; readonly seed: string }
	| { readonly op: 'state'; readonly id: string }
	| {
			readonly op: 'update';
			readonly id: string;
			readonly session: string;
			/** Number of seeds that the node announces. */
			readonly count: number;
			/** SHA-256 of the sorted ids of these seeds, one on each line. */
			readonly digest: string;
	  }
	| Report;

/** A report of a downloader about another node, which the tracker passes on to watchers. It is not answered. */
export interface Report {
	/** The operation. */
	readonly op: 'report';
	/** Request id. */
	readonly id: string;
	/** `chunk-refused` or `node-dropped`. */
	readonly event: Complaint;
	/** Seed id. */
	readonly seed: string;
	/** Id of the node that is reported. */
	readonly node: string;
	/** Index of the chunk that was wrong; absent if the report concerns no chunk. */
	readonly chunk?: number | undefined;
}

export const trackerRequest: v.GenericSchema<unknown, TrackerRequest> = variant('op', [
	v.object({ op: v.literal('get_seed'), id: requestId, after: v.optional(seedId) }),
	v.object({ op: v.literal('query'), id: requestId, seed: seedId }),
	v.object({ op: v.literal('state'), id: requestId }),
	v.object({ op: v.literal('update'), id: requestId, session, count, digest }),
	v.object({
		op: v.literal('report'),
		id: requestId,
		event: v.picklist(COMPLAINTS),
		seed: seedId,
		node: nodeId,
		chunk: v.optional(chunkCount),
	}),
]);

/** A seed as the tracker lists it. */
export interface SeedListing {
	/** Seed id. */
	readonly seed: string;
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
	/** Nodes that have all chunks. */
	readonly seeders: number;
	/** Nodes that lack some chunks. */
	readonly downloaders: number;
}

/** Milliseconds for which a ticket is valid, by the clock of the tracker. */
export const TICKET_LIFE: number = 5 * 60_000;

/** A node in the reply to a `query`. */
export interface NodeListing {
	/** Node id. */
	readonly node: string;
	/** Its name for people, if it has one. */
	readonly name?: string | undefined;
	/** How many chunks it has. */
	readonly have: number;
	/** Number of chunks of the seed. */
	readonly chunks: number;
	/** Addresses for direct connections, as broker URLs. */
	readonly addresses: readonly string[];
	/** SHA-256 fingerprint of the node's certificate; absent unless the addresses are mqtts: URLs. */
	readonly cert?: string | undefined;
	/**
	 * Number of addresses, counted from the first, that contain the IP address from which the broker
	 * sees the node connected; absent: unknown.
	 */
	readonly verified?: number | undefined;
	/** Ticket for a direct connection of the asking node to this node; absent: none. */
	readonly ticket?: string | undefined;
}

/** A message on `inbox/<node>/reply/<tracker>`: the reply of the tracker. */
export type TrackerReply =
	| {
			readonly op: 'get_seed';
			readonly id: string;
			readonly seeds: readonly SeedListing[];
			/** The value of `after` for the next page; absent on the last page. */
			readonly next?: string | undefined;
	  }
	| {
			readonly op: 'query';
			readonly id: string;
			readonly seeders: number;
			readonly downloaders: number;
			/**
			 * True if only one node has the seed, and another one asked for it before the requester, a
			 * short time ago. That one will soon be a second source.
			 */
			readonly awaited?: boolean | undefined;
			/** All nodes of the swarm, or a sample. */
			readonly nodes: readonly NodeListing[];
			/** The time of the tracker's clock, by which tickets expire: ms since 1970. */
			readonly time?: number | undefined;
	  }
	| {
			readonly op: 'update';
			readonly id: string;
			/**
			 * `again`: the tracker holds other announces than the node has; the node has to announce
			 * everything again.
			 */
			readonly status: 'ok' | 'again';
			/** Seeds whose announces were refused since the last update. */
			readonly refused: readonly string[];
			/** The time of the tracker's clock, by which tickets expire: ms since 1970. */
			readonly time?: number | undefined;
	  };

const listing = v.object({
	seed: seedId,
	name: fileName,
	length: contentLength,
	chunks: chunkCount,
	...folderFields,
	seeders: count,
	downloaders: count,
});
const node = v.object({
	node: nodeId,
	name: v.optional(nodeName),
	have: chunkCount,
	chunks: chunkCount,
	addresses,
	cert: v.optional(fingerprint),
	verified: v.optional(whole(8)),
	ticket: v.optional(v.pipe(v.string(), v.maxLength(200))),
});
/** The schemas of {@link TrackerReply}. */
export const trackerReplies = [
	v.object({
		op: v.literal('get_seed'),
		id: requestId,
		seeds: v.pipe(v.array(listing), v.maxLength(1_000)),
		next: v.optional(seedId),
	}),
	v.object({
		op: v.literal('query'),
		id: requestId,
		seeders: count,
		downloaders: count,
		awaited: v.optional(v.boolean()),
		nodes: v.pipe(v.array(node), v.maxLength(1_000)),
		time: v.optional(count),
	}),
	v.object({
		op: v.literal('update'),
		id: requestId,
		status: v.picklist(['ok', 'again']),
		refused: v.pipe(v.array(seedId), v.maxLength(1_000)),
		time: v.optional(count),
	}),
] as const;

/** Reads a tracker's state. @throws ShoalError ERR_MESSAGE */
export const decodeTrackerState = jsonDecoder('tracker state', trackerState);
/** Reads a request to the tracker. @throws ShoalError ERR_MESSAGE */
export const decodeTrackerRequest = jsonDecoder('tracker request', trackerRequest);
