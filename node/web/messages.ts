import type { EntryKind, Feed, Load } from '../../protocol/index.ts';
import type { DownloadResult, Progress } from '../download/download-types.ts';
import type { ChannelsSnapshot, FleetQuery } from './channel-messages.ts';
import type { LocalFolder } from './local-folder.ts';

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
	| { readonly view: 'nodes'; readonly count: number }
	/** The channels without their followers. */
	| { readonly view: 'channels' }
	| FleetQuery;

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
	| {
			/** Begins a download, or goes on with it. */
			readonly do: 'get';
			readonly id: string;
			readonly name: string;
			/**
			 * The files of a folder to download, by their paths: they are added to those that were
			 * asked for before. Undefined: the same files as before, or all files of a new
			 * download.
			 */
			readonly files?: 'all' | readonly string[] | undefined;
	  }
	| { readonly do: 'share'; readonly file: File }
	| { readonly do: 'share-folder'; readonly folder: LocalFolder }
	/** Fetches the list of the files of a folder. */
	| { readonly do: 'list'; readonly id: string }
	/** ms by which the clock of the broker is ahead of that of this browser; undefined: not known. */
	| { readonly do: 'clock'; readonly ahead: number | undefined }
	/** Watches the channels with these ids, and no others. */
	| { readonly do: 'channels'; readonly ids: readonly string[] }
	/** Ends a download, and keeps the bytes that were downloaded. */
	| { readonly do: 'stop'; readonly id: string }
	/** Ends a download or a share, and removes the bytes that were downloaded. */
	| { readonly do: 'remove'; readonly id: string }
	/**
	 * Saves a file, the file `path` of a folder, or the only file of a folder that was downloaded.
	 */
	| { readonly do: 'save'; readonly id: string; readonly path?: string | undefined }
	/**
	 * Saves a folder as a zip archive. `into`: the file to write; undefined: the page gets the
	 * archive.
	 */
	| { readonly do: 'zip'; readonly id: string; readonly into?: FileSystemFileHandle | undefined }
	/** Saves a folder as a new folder in the folder `into`. */
	| { readonly do: 'unpack'; readonly id: string; readonly into: FileSystemDirectoryHandle }
	/**
	 * The user leaves the page. `mayReturn`: the browser may freeze the page instead of ending it, so
	 * that the user can go back to it.
	 */
	| { readonly do: 'leave'; readonly mayReturn: boolean };

/** To the page. */
export type WorkerEvent =
	| { readonly event: 'link'; readonly link: LinkState }
	| { readonly event: 'swarm'; readonly swarm: SwarmSnapshot }
	| { readonly event: 'channels'; readonly channels: ChannelsSnapshot }
	| { readonly event: 'transfers'; readonly transfers: readonly OwnTransfer[] }
	/** Whether downloads survive a reload, because this page may store files. */
	| { readonly event: 'keeps'; readonly keeps: boolean }
	| { readonly event: 'file'; readonly name: string; readonly blob: Blob }
	| { readonly event: 'folder'; readonly id: string; readonly folder: FolderState };

/** The list of the files of a folder. */
export type FolderState =
	| { readonly state: 'opening' }
	| { readonly state: 'failed'; readonly reason: string }
	| {
			readonly state: 'open';
			/** Paths of the entries, one a line; there may be 200,000. */
			readonly paths: string;
			readonly kinds: readonly EntryKind[];
			/** Bytes of each entry. */
			readonly lengths: readonly number[];
			/** Which entries were asked for: all, or those that have a 1. */
			readonly wanted: 'all' | Uint8Array;
	  };

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
	readonly isFolder: boolean;
	/** Number of files of a folder; undefined if no node has said it. */
	readonly files?: number | undefined;
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
	readonly waitsFor?: Progress['waitsFor'];
	/** Duration of a completed download in ms. */
	readonly ms?: DownloadResult['ms'] | undefined;
	/** Why it failed. */
	readonly reason?: string | undefined;
	/** Whether it can be saved. */
	readonly canSave: boolean;
	readonly isShare: boolean;
	readonly isFolder: boolean;
	/** Number of wanted files of a folder, and of those that are complete; undefined until known. */
	readonly files?: number | undefined;
	readonly filesDone?: number | undefined;
	/** Whether only some files of a folder are wanted. */
	readonly isPartial: boolean;
	/** The name of a zip archive of the folder, once it can be saved. */
	readonly archive?: string | undefined;
	/** The last time that the folder was saved; undefined if it was not. */
	readonly saving?: Saving | undefined;
}

/** How far the saving of a folder is. */
export type Saving =
	| { readonly state: 'running'; readonly bytes: number }
	| {
			readonly state: 'done';
			/** The name of the archive or folder. */
			readonly name: string;
			/** Number of links, which are not saved. */
			readonly links: number;
	  }
	| { readonly state: 'failed'; readonly reason: string };
