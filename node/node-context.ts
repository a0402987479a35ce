import { type Incoming, type Link, resolveLimits, type Topics } from '../protocol/index.ts';
import type { DigestChunk } from './chunk-writer/inline-writer.ts';
import type { DownloadContext } from './download/download-types.ts';
import type { Dial } from './lanes/dial.ts';
import type { Lane, LaneKind } from './lanes/lane.ts';
import { Lanes } from './lanes/lanes.ts';
import { Responsiveness } from './peers/responsiveness.ts';
import type { TraceSink } from './stats/trace.ts';
import { Traffic } from './stats/traffic.ts';
import { ContentStore, type StoredContent } from './storage/content-store.ts';
import { RecentBytes } from './storage/recent-bytes.ts';
import { TrackerClient } from './tracker/tracker-client.ts';
import { RateLimiter } from './util/rate-limiter.ts';
import { Slots } from './util/slots.ts';

/** The parts of one node: those that downloads use, and the rate limiter of uploads. */
export interface NodeContext extends DownloadContext {
	/** Limits the rate of uploads. */
	readonly upLimiter: RateLimiter;
}

/** Settings of a node, fixed before it starts. */
export interface ContextOptions {
	/** Opens direct lanes; undefined if only the broker can be reached, as in a browser. */
	readonly dial: Dial | undefined;
	readonly maxUp?: number | undefined;
	readonly maxDown?: number | undefined;
	readonly limits?: Partial<Record<string, number>> | undefined;
	readonly lane?: 'auto' | LaneKind | undefined;
	readonly trace?: TraceSink | undefined;
	/** Computes the digest of a chunk, as this platform can. */
	readonly digestChunk: DigestChunk;
	readonly warn: (error: unknown) => void;
	/** Called with each message on a direct lane that this node has dialled. */
	readonly onDirect: (message: Incoming, lane: Lane) => void;
}

/**
 * Most downloads at a time. A seeder's queue for one downloader has room for two ranges of each
 * download.
 */
const DOWNLOADS_AT_ONCE = 32;

/** Creates the parts of a node. @throws ShoalError ERR_USAGE if a rate or a limit is invalid */
export function createContext(link: Link, topics: Topics, options: ContextOptions): NodeContext {
	const { maxUp, maxDown, lane: kind = 'auto', dial, warn, trace, digestChunk } = options;
	const { onDirect: onMessage } = options;
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
		digestChunk,
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
