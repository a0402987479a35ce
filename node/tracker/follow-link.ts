import type { BaseLink } from '../../protocol/index.ts';
import { later } from '../util/timers.ts';
import type { SwarmView } from './swarm-view.ts';

/**
 * ms within which nodes reconnect to a broker that was restarted: they wait at most two seconds
 * between two tries.
 */
const SETTLE_AFTER = 3_000;

/**
 * Keeps a view up to date while its link disconnects and reconnects. Without a connection the view
 * stays as it was. Entries that are not received again within three seconds after the reconnect are
 * removed.
 */
export function followLink(link: BaseLink, view: SwarmView): void {
	let losses = 0;
	link.on('down', () => {
		losses += 1;
		view.interrupt();
	});
	link.on('up', () => {
		view.resume();
		const before = losses;
		later(() => {
			if (losses === before) {
				view.settle();
			}
		}, SETTLE_AFTER);
	});
}
