import type { Audience } from '../../protocol/index.ts';
import type { Expiry } from '../channel/expiry.ts';

// The parts of the messages between the page and its worker that are about channels.

/** One channel, and the visible cells of its followers. */
export interface FleetQuery {
	readonly view: 'channel';
	readonly id: string;
	/** Only the followers in this group; empty: all. */
	readonly group: string;
	/** The visible cells: the index of the first, and their number. */
	readonly first: number;
	readonly count: number;
	/** The follower whose details are shown. */
	readonly selected?: string | undefined;
}

/** The channels that the page watches. */
export interface ChannelsSnapshot {
	/** Why no channel can be watched. */
	readonly problem?: string | undefined;
	readonly rows: readonly ChannelRow[];
	/** The followers of the channel that is shown. */
	readonly fleet?: FleetSnapshot | undefined;
}

/** A channel. */
export interface ChannelRow {
	/** Channel id. */
	readonly id: string;
	/** Why the channel cannot be watched; undefined if it can. */
	readonly problem?: string | undefined;
	/** Whether messages of the channel can still be expected that the broker has retained. */
	readonly isOpening: boolean;
	/** The newest verified document; undefined before one is known. */
	readonly document?: DocumentFacts | undefined;
	readonly refusals: readonly RefusalRow[];
	/** Whether two publishers have signed different documents with the same number. */
	readonly hasTwins: boolean;
	readonly counts: FleetCounts;
}

/** The facts of a verified document. */
export interface DocumentFacts {
	/** Name of the channel. */
	readonly name: string;
	readonly block: number;
	readonly seq: number;
	/** ms since 1970. */
	readonly published: number;
	/** ms since 1970. */
	readonly until: number;
	readonly expiry: Expiry;
	/** Seed id of the version; undefined: the channel is closed. */
	readonly seed: string | undefined;
	/** The followers that get the version; empty: all. */
	readonly to: readonly Audience[];
	/** Seed id of the version of all others. */
	readonly others: string | undefined;
	/** The content of the version; undefined if no node shares it. */
	readonly content?: ContentFacts | undefined;
}

/** The content of a version. */
export interface ContentFacts {
	readonly name: string;
	readonly length: number;
	readonly isFolder: boolean;
	/** Number of files of a folder; undefined if no node has reported it. */
	readonly files?: number | undefined;
}

/** The messages that were refused for one reason. */
export interface RefusalRow {
	readonly reason: 'forged' | 'malformed' | 'flood' | 'older';
	/** Each message is counted once for each sender and number. */
	readonly count: number;
	/** Node id of the last sender. */
	readonly from: string;
	/** Name of the last sender, for people, if it has one. */
	readonly name?: string | undefined;
}

/** How many followers are in which state. */
export interface FleetCounts {
	readonly all: number;
	readonly current: number;
	/** Fetching, or applying what was fetched. */
	readonly fetching: number;
	readonly waiting: number;
	readonly failed: number;
	/** Followers with files that people had changed or added, and that were kept. */
	readonly kept: number;
}

/** The followers of a channel, as far as the page shows them. */
export interface FleetSnapshot {
	/** Id of the channel. */
	readonly channel: string;
	/** The groups of all followers, and the number of followers in each, sorted by name. */
	readonly groups: ReadonlyArray<readonly [group: string, followers: number]>;
	/** Number of followers in the group that is asked for. */
	readonly total: number;
	/** Index of the first cell. */
	readonly first: number;
	readonly cells: readonly FollowerCell[];
	/** The follower whose details are shown; undefined if it has no receipt. */
	readonly selected?: FollowerCell | undefined;
}

/**
 * How far a follower is with the version that it has to have.
 *
 * - `behind`: its receipt is of another version;
 * - `waiting`: no node has sent it a byte yet;
 * - `later`: the document names no version for it;
 * - `got`: the version is being applied.
 */
export type Standing = 'failed' | 'behind' | 'waiting' | 'later' | 'fetching' | 'got' | 'current';

/** A follower, as its receipt says. */
export interface FollowerCell {
	/** Node id. */
	readonly node: string;
	readonly name?: string | undefined;
	readonly groups: readonly string[];
	readonly standing: Standing;
	/** Whether it is connected to the broker. */
	readonly isOn: boolean;
	/** Key block and number of the document to which the receipt belongs. */
	readonly block: number;
	readonly seq: number;
	/** Percentage that is fetched. */
	readonly percent: number;
	/** Bytes per second; undefined unless it is fetching. */
	readonly rate?: number | undefined;
	/** Seconds until the rest is fetched. */
	readonly eta?: number | undefined;
	/** Error code of a failure. */
	readonly code?: string | undefined;
	/** Number of files that people had changed or added, and that were kept. */
	readonly kept: number;
	/** The first of their paths. */
	readonly paths: readonly string[];
	/** When the state changed, ISO 8601, by the clock of the follower. */
	readonly at: string;
}
