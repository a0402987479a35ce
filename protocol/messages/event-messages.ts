import * as v from 'valibot';
import { amount, chunkCount, contentLength, count, fileName, nodeId, seedId } from './fields.ts';
import { jsonDecoder } from './json.ts';

/** What happened, as the tracker has seen it. */
export interface SwarmEvent {
	/** The last level of the topic, again. */
	readonly event: (typeof HAPPENINGS)[number];
	readonly node?: string | undefined;
	readonly seed?: string | undefined;
	readonly name?: string | undefined;
	readonly length?: number | undefined;
}

/** What a downloader says of another node. Nobody has checked it: it informs, and changes nothing. */
export interface ComplaintEvent {
	readonly event: Complaint;
	/** Who was at fault. */
	readonly node: string;
	readonly seed: string;
	/** Who says so. */
	readonly by: string;
	/** The chunk that was refused. */
	readonly chunk?: number | undefined;
}

/** A chunk did not match its digest; a node sent too many of those and is not asked any more. */
export type Complaint = (typeof COMPLAINTS)[number];

/** What a broker carries, told every two seconds by the tracker that is a part of it. */
export interface LoadEvent extends Load {
	readonly event: 'load';
}

/** How much a broker has to do; rates are those since the load before. */
export interface Load {
	/** Who is connected. */
	readonly clients: number;
	/** Bytes per second that came, and that left. */
	readonly received: number;
	readonly sent: number;
	/** Bytes that wait for clients to take them. */
	readonly queued: number;
	/** Chunk messages per second dropped for clients that do not keep up. */
	readonly shed: number;
	/** ms by which 99 of 100 turns of the event loop were late at most. */
	readonly lag: number;
	/** Share of one core that the process has used. */
	readonly cpu: number;
}

/** `event/<kind>`: for watchers. */
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

export const watcherEvent: v.GenericSchema<unknown, WatcherEvent> = v.variant('event', [
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
