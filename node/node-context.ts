import {
	type Incoming,
	type Limits,
	type Link,
	resolveLimits,
	type Topics,
} from '../protocol/index.ts';
import type { LaneKind } from './lanes/lane.ts';
import { Lanes } from './lanes/lanes.ts';
import { Responsiveness } from './peers/responsiveness.ts';
import type { Platform } from './platform.ts';
import type { TraceSink } from './stats/trace.ts';
import { Traffic } from './stats/traffic.ts';
import { ContentStore } from './storage/content-store.ts';
import { TrackerClient } from './tracker/tracker-client.ts';
import { RateLimiter } from './util/rate-limiter.ts';
import { Slots } from './util/slots.ts';

/** What the parts of one node share. */
export interface NodeContext {
	readonly link: Link;
	readonly topics: Topics;
	/** The ways to other nodes. */
	readonly lanes: Lanes;
	readonly platform: Platform;
	readonly limits: Limits;
	readonly tracker: TrackerClient;
	readonly contents: ContentStore;
	/** Which nodes deliver what they say they have. */
	readonly responsiveness: Responsiveness;
	/** Bytes sent and received, and the limits they are kept to. */
	readonly traffic: Traffic;
	readonly upLimiter: RateLimiter;
	readonly downLimiter: RateLimiter;
	/** Of the downloads: who asks for too much at once is refused. */
	readonly downloadSlots: Slots;
	/** Somebody misbehaves, or something failed that is tried again. */
	readonly warn: (error: unknown) => void;
	/** Is told of each decision and transfer, if anybody wants to know. */
	readonly trace: TraceSink | undefined;
}

/** What is decided of a node before it starts. */
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

/** Of many small files, each one range: what a seeder queues for one downloader is enough for all. */
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
		platform,
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
