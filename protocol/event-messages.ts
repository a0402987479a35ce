import * as v from 'valibot';
import { chunkCount, contentLength, fileName, nodeId, seedId } from './fields.ts';
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

/** `event/<kind>`: for watchers. */
export type WatcherEvent = SwarmEvent | ComplaintEvent;

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

const watcherEvent: v.GenericSchema<unknown, WatcherEvent> = v.variant('event', [
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
]);

/** Reads an event. @throws ShoalError ERR_MESSAGE */
export const decodeEvent = jsonDecoder('event', watcherEvent);
