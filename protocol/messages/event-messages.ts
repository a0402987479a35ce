import * as v from 'valibot';
import {
	amount,
	chunkCount,
	contentLength,
	count,
	fileName,
	nodeId,
	seedId,
	variant,
} from './fields.ts';
import { jsonDecoder } from './json.ts';

/** An event in a swarm, as observed by the tracker. */
export interface SwarmEvent {
	/** The kind of event, which is the last level of the topic. */
	readonly event: (typeof HAPPENINGS)[number];
	/** Node id; absent if the event concerns no node. */
	readonly node?: string | undefined;
	/** Seed id; absent if the event concerns no seed. */
	readonly seed?: string | undefined;
	/** File name of the seed; absent if the event concerns no seed. */
	readonly name?: string | undefined;
	/** Bytes of the seed's content; absent if the event concerns no seed. */
	readonly length?: number | undefined;
}

/** A downloader's report about another node. It is not verified: it informs watchers and has no other effect. */
export interface ComplaintEvent {
	readonly event: Complaint;
	/** Id of the node that is reported. */
	readonly node: string;
	/** Seed id. */
	readonly seed: string;
	/** Id of the node that reports. */
	readonly by: string;
	/** Index of the chunk that was wrong. */
	readonly chunk?: number | undefined;
}

/**
 * `chunk-refused`: a chunk did not match its digest. `node-dropped`: a node sent too many such
 * chunks, and the reporting node no longer uses it.
 */
export type Complaint = (typeof COMPLAINTS)[number];

/** The load of a broker, which the broker's own tracker publishes every two seconds. */
export interface LoadEvent extends Load {
	readonly event: 'load';
}

/** The load of a broker. Rates are averages since the previous load. */
export interface Load {
	/** Clients that are connected. */
	readonly clients: number;
	/** Bytes per second received from clients. */
	readonly received: number;
	/** Bytes per second sent to clients. */
	readonly sent: number;
	/** Bytes queued for clients. */
	readonly queued: number;
	/** Chunk messages per second dropped for slow clients. */
	readonly shed: number;
	/** Lag of the event loop in milliseconds, 99th percentile. */
	readonly lag: number;
	/** CPU time that the process used, as a fraction of one core: 1 is a full core. */
	readonly cpu: number;
}

/** A message on `event/<kind>`, for watchers. */
export type WatcherEvent = SwarmEvent | ComplaintEvent | LoadEvent;

const HAPPENINGS = [
	'node-joined',
	'node-left',
	'node-lost',
	'seed-added',
	'seed-gone',
	'download-started',
	'download-complete',
] as const;

export const COMPLAINTS = ['chunk-refused', 'node-dropped'] as const;

export const watcherEvent: v.GenericSchema<unknown, WatcherEvent> = variant('event', [
	v.object({
		event: v.picklist(HAPPENINGS),
		node: v.optional(nodeId),
		seed: v.optional(seedId),
		name: v.optional(fileName),
		length: v.optional(contentLength),
	}),
	v.object({
		event: v.picklist(COMPLAINTS),
		node: nodeId,
		seed: seedId,
		by: nodeId,
		chunk: v.optional(chunkCount),
	}),
	v.object({
		event: v.literal('load'),
		clients: count,
		received: count,
		sent: count,
		queued: count,
		shed: amount,
		lag: amount,
		cpu: amount,
	}),
]);

/** Reads an event. @throws ShoalError ERR_MESSAGE */
export const decodeEvent = jsonDecoder('event', watcherEvent);
