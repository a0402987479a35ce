import type { DownloadManager, DownloadStats } from './download/download-manager.ts';
import type { NodeContext } from './node-context.ts';

/** What a node has, does, and needs to be of use. */
export interface NodeStats {
	/** Seeds of which it has everything, or some. */
	readonly seeds: { readonly whole: number; readonly partial: number };
	readonly downloads: DownloadStats;
	/** Whether there is a connection to the broker. */
	readonly isConnected: boolean;
	/** Whether the broker's tracker says that it is ready. */
	readonly hasTracker: boolean;
}

/** Looks it up. */
export function nodeStats(
	{ contents, link, tracker }: NodeContext,
	downloads: DownloadManager,
): NodeStats {
	const held = contents.all();
	const whole = held.filter(({ have }) => have.isFull).length;
	return {
		seeds: { whole, partial: held.length - whole },
		downloads: downloads.stats,
		isConnected: link.isUp,
		hasTracker: link.isUp && tracker.state !== undefined,
	};
}
