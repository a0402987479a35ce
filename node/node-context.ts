import { type Incoming, type Link, resolveLimits, type Topics } from '../protocol/index.ts';
import type { DownloadContext } from './download/download-types.ts';
import type { DigestChunk } from './download/verify-chunks.ts';
import type { Dial } from './lanes/dial.ts';
import type { LaneKind } from './lanes/lane.ts';
import { Lanes } from './lanes/lanes.ts';
import { Responsiveness } from './peers/responsiveness.ts';
import type { TraceSink } from './stats/trace.ts';
import { Traffic } from './stats/traffic.ts';
import { ContentStore } from './storage/content-store.ts';
import { TrackerClient } from './tracker/tracker-client.ts';
import { RateLimiter } from './util/rate-limiter.ts';
import { Slots } from './util/slots.ts';

/** The parts of one node: those that its downloads use, and what only uploads do. */
export interface NodeContext extends DownloadContext {
	/** Keeps uploads to a rate. */
	readonly upLimiter: RateLimiter;
}

/** The parts of a node that differ between Node and a browser. */
export interface Platform {
	readonly digest: DigestChunk;
	/** Undefined where only the broker can be reached. */
	readonly dial: Dial | undefined;
}

/** Settings of a node, fixed before it starts. */
export interface ContextOptions {
	readonly platform: Platform;
	readonly maxUp?: number | undefined;
	readonly maxDown?: number | undefined;
	readonly limits?: Partial<Record<string, number>> | undefined;
	readonly lane?: 'auto' | LaneKind | undefined;
	readonly trace?: TraceSink | undefined;
	readonly warn: (error: unknown) => void;
	/** A message has come on a direct lane. */
	readonly onDirect: (message: Incoming) => void;
}

/** Downloads at a time. Of many small files, each one range: what a seeder queues for one downloader is enough for all. */
const DOWNLOADS_AT_ONCE = 32;

/** @throws ShoalError ERR_USAGE if a rate or a limit cannot be */
export function createContext(link: Link, topics: Topics, options: ContextOptions): NodeContext {
	const {
		maxUp,
		maxDown,
		lane: kind = 'auto',
		platform,
		warn,
		trace,
		onDirect: onMessage,
	} = options;
	const limits = resolveLimits(options.limits);
	return {
		link,
		topics,
		digest: platform.digest,
		limits,
		lanes: new Lanes({ link, topics, limits, kind, dial: platform.dial, onMessage, warn }),
		contents: new ContentStore(),
		tracker: new TrackerClient(link, topics, limits.announces),
		responsiveness: new Responsiveness(),
		traffic: new Traffic(),
		upLimiter: new RateLimiter(maxUp),
		downLimiter: new RateLimiter(maxDown),
		downloadSlots: new Slots(DOWNLOADS_AT_ONCE),
		warn,
		trace,
	};
}
