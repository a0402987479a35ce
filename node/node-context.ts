import { type Incoming, type Link, resolveLimits, type Topics } from '../protocol/index.ts';
import type { DownloadContext } from './download/download-types.ts';
import type { Dial } from './lanes/dial.ts';
import type { LaneKind } from './lanes/lane.ts';
import { Lanes } from './lanes/lanes.ts';
import { Responsiveness } from './peers/responsiveness.ts';
import type { TraceSink } from './stats/trace.ts';
import { Traffic } from './stats/traffic.ts';
import { ContentStore, type StoredContent } from './storage/content-store.ts';
import { RecentBytes } from './storage/recent-bytes.ts';
import { TrackerClient } from './tracker/tracker-client.ts';
import { RateLimiter } from './util/rate-limiter.ts';
import { Slots } from './util/slots.ts';

/** The parts of one node: those that its downloads use, and what only uploads do. */
export interface NodeContext extends DownloadContext {
	/** Keeps uploads to a rate. */
	readonly upLimiter: RateLimiter;
}

/** Settings of a node, fixed before it starts. */
export interface ContextOptions {
	/** Opens direct lanes; undefined where only the broker can be reached, as in a browser. */
	readonly dial: Dial | undefined;
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
	const { maxUp, maxDown, lane: kind = 'auto', dial, warn, trace, onDirect: onMessage } = options;
	const limits = resolveLimits(options.limits);
	const contents = new ContentStore();
	const recent = new RecentBytes<StoredContent>();
	contents.on('removed', (content) => recent.drop(content));
	return {
		link,
		topics,
		limits,
		lanes: new Lanes({ link, topics, limits, kind, dial, onMessage, warn }),
		contents,
		recent,
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
