import type { Feed, Load } from '../../protocol/index.ts';
import type { DownloadResult, Progress } from '../download/download-types.ts';

// The messages between the page and its worker.

/** The part of the swarm that the page shows. */
export type ViewQuery =
	| { readonly view: 'none' }
	| {
			readonly view: 'seeds';
			readonly sort: SeedSort;
			/** Part of a name, or the start of an id. */
			readonly query: string;
			/** The visible rows: the index of the first, and their number. */
			readonly first: number;
			readonly count: number;
	  }
	| { readonly view: 'seed'; readonly id: string; readonly count: number }
	| { readonly view: 'nodes'; readonly count: number };

export type SeedSort = 'name' | 'length' | 'seeders' | 'downloaders' | 'rate' | 'age';

/** The broker of a page, and what the page may do there. */
export interface PageAccess {
	/** URL of the broker: ws or wss. */
	readonly url: string;
	readonly token: string;
	/** Whether the page may download and share, or only watch. */
	readonly canAct: boolean;
}

/** To the worker. */
export type WorkerCommand =
	| ({ readonly do: 'open' } & PageAccess)
	| { readonly do: 'look'; readonly at: ViewQuery }
	| { readonly do: 'get'; readonly id: string; readonly name: string }
	| { readonly do: 'share'; readonly file: File }
	/** Ends a download, and keeps the bytes that were downloaded. */
	| { readonly do: 'stop'; readonly id: string }
	/** Ends a download or a share, and removes the bytes that were downloaded. */
	| { readonly do: 'remove'; readonly id: string }
	| { readonly do: 'save'; readonly id: string }
	/**
	 * The user leaves the page. `mayReturn`: the browser may freeze the page instead of ending it, so
	 * that the user can go back to it.
	 */
	| { readonly do: 'leave'; readonly mayReturn: boolean };

/** To the page. */
export type WorkerEvent =
	| { readonly event: 'link'; readonly link: LinkState }
	| { readonly event: 'swarm'; readonly swarm: SwarmSnapshot }
	| { readonly event: 'transfers'; readonly transfers: readonly OwnTransfer[] }
	/** Whether downloads survive a reload, because this page may store files. */
	| { readonly event: 'keeps'; readonly keeps: boolean }
	| { readonly event: 'file'; readonly name: string; readonly blob: Blob };

export interface LinkState {
	/** `broken`: the page itself cannot go on. */
	readonly state: 'opening' | 'up' | 'down' | 'refused' | 'broken';
	/** The reason, in words for people. */
	readonly reason?: string | undefined;
	/** The time at which the connection went down, ms since 1970. */
	readonly since?: number | undefined;
	/** Whether a tracker is ready. */
	readonly hasTracker: boolean;
}

/** A row of the list of seeds. */
export interface SeedRow {
	readonly id: string;
	readonly name: string;
	readonly length: number;
	readonly seeders: number;
	readonly downloaders: number;
	/** Bytes per second of the content that all nodes together gain. */
	readonly rate: number;
	/** The time since which it is shared, ms since 1970. */
	readonly since: number;
}

/** A node that has chunks of a seed, and how many. */
export interface HolderRow {
	readonly node: string;
	/** Its name for people, if it has one. */
	readonly name?: string | undefined;
	readonly have: number;
	readonly chunks: number;
	/** How full each of 64 buckets is, as one hexadecimal digit each. */
	readonly map: string;
	readonly up: number;
	readonly down: number;
}

/** A node, and the nodes that send to it. */
export interface NodeRow {
	readonly node: string;
	/** Its name for people, if it has one. */
	readonly name?: string | undefined;
	readonly up: number;
	readonly down: number;
	/** Bytes of contents that it has sent and received, on the direct lane and on the broker lane. */
	readonly direct: number;
	readonly broker: number;
	readonly seeds: number;
	readonly sources: ReadonlyArray<Feed & { readonly name?: string | undefined }>;
}

/** One second of the swarm. */
export interface TrafficSample {
	/** Seconds since 1970. */
	readonly at: number;
	/**
	 * Bytes per second that all nodes together report to receive and send; undefined for a time
	 * without a connection.
	 */
	readonly down: number | undefined;
	readonly up: number | undefined;
	/** Bytes per second that the broker sends; undefined if it has not reported its load. */
	readonly broker: number | undefined;
}

/** The state of the swarm, as far as the page shows it. */
export interface SwarmSnapshot {
	readonly totals: {
		readonly seeds: number;
		readonly nodes: number;
		readonly up: number;
		readonly down: number;
	};
	readonly load: Load | undefined;
	/** The last minutes, oldest first. */
	readonly history: readonly TrafficSample[];
	/** The last events, the newest first. */
	readonly events: readonly SwarmEvent[];
	readonly seeds?: {
		readonly first: number;
		readonly total: number;
		readonly rows: readonly SeedRow[];
	};
	readonly seed?: SeedSnapshot | undefined;
	readonly nodes?: readonly NodeRow[];
}

/** One seed and the nodes that have some of it. */
export interface SeedSnapshot {
	/** Undefined if no node has it. */
	readonly row: SeedRow | undefined;
	readonly holders: readonly HolderRow[];
	/** Number of all holders, shown or not. */
	readonly total: number;
}

/** An event of the tracker. */
export interface SwarmEvent {
	/** ms since 1970. */
	readonly at: number;
	readonly event: string;
	readonly node?: string | undefined;
	/** The name of the node, if it has one. */
	readonly nodeName?: string | undefined;
	readonly seed?: string | undefined;
	readonly name?: string | undefined;
	/** The reporter of a refused chunk or a dropped node. */
	readonly by?: string | undefined;
	readonly byName?: string | undefined;
	readonly chunk?: string | undefined;
}

/** A download or a share of this page. */
export interface OwnTransfer {
	readonly id: string;
	readonly name: string;
	readonly length: number;
	/** `elsewhere`: another tab of this browser has it. */
	readonly state:
		| 'hashing'
		| 'waiting'
		| Progress['phase']
		| 'complete'
		| 'sharing'
		| 'stopped'
		| 'elsewhere'
		| 'failed';
	/** Bytes that are verified, or hashed. */
	readonly have: number;
	/** Bytes per second. */
	readonly rate: number;
	readonly sources: number;
	/** Duration of a completed download in ms. */
	readonly ms?: DownloadResult['ms'] | undefined;
	/** Why it failed. */
	readonly reason?: string | undefined;
	/** Whether it can be saved as a file. */
	readonly canSave: boolean;
	readonly isShare: boolean;
}
