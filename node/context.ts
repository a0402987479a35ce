import type { Limits, Link, Topics } from '../protocol/index.ts';
import type { Holdings } from './holdings.ts';
import type { RateMeter } from './rate-meter.ts';
import type { TokenBucket } from './token-bucket.ts';
import type { TrackerClient } from './tracker-client.ts';
import type { Turns } from './turns.ts';

/** What the parts of one node share. */
export interface NodeContext {
	readonly link: Link;
	readonly topics: Topics;
	readonly limits: Limits;
	readonly tracker: TrackerClient;
	readonly holdings: Holdings;
	/** Bytes sent and received, and the limits they are kept to. */
	readonly up: RateMeter;
	readonly down: RateMeter;
	readonly upBucket: TokenBucket;
	readonly downBucket: TokenBucket;
	/** Of the downloads: who asks for too much at once is refused. */
	readonly turns: Turns;
	/** Somebody misbehaves, or something failed that is tried again. */
	readonly warn: (error: unknown) => void;
}
