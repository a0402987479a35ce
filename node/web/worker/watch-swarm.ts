import { isShoalError, makeNodeId } from '../../../protocol/index.ts';
import type { LinkState, PageAccess } from '../messages.ts';
import { reasonOf } from './reason.ts';
import type { SwarmMonitor } from './swarm-monitor.ts';
import { WebLink } from './web-link.ts';

/** ms between two tries to reach the broker for the first time. */
const TRY_EVERY = 2_000;

/**
 * Reads the control topics of a broker into `swarm`. Resolves when all are read, or the broker does not let us in;
 * where it cannot be reached it goes on trying.
 *
 * @param onState called with each change of the connection
 */
export async function watchSwarm(
	{ url, token }: Pick<PageAccess, 'url' | 'token'>,
	swarm: SwarmMonitor,
	onState: (link: LinkState) => void,
): Promise<void> {
	onState({ state: 'opening' });
	while (true) {
		let link: WebLink | undefined;
		try {
			link = await WebLink.open({ url, id: makeNodeId(), password: `${token}:` });
			// What cannot be read ends in the link; that we are not wanted any more is told.
			link.on('message', ({ topic, payload }) => swarm.apply(topic, payload));
			link.on('warning', (error) => {
				if (isShoalError(error, 'ERR_REFUSED')) {
					void link?.close();
					onState({ state: 'refused', reason: error.message });
				}
			});
			link.on('down', ({ message }) => {
				swarm.clear();
				onState({ state: 'down', reason: message });
			});
			link.on('up', () => onState({ state: 'up' }));
			for (const filter of swarm.topics.watchFilters()) {
				await link.subscribe(filter);
			}
			onState({ state: 'up' });
			return;
		} catch (error) {
			// Or it would come back by itself, beside the next.
			await link?.close();
			swarm.clear();
			const reason = reasonOf(error);
			if (isShoalError(error, 'ERR_REFUSED')) {
				onState({ state: 'refused', reason });
				return;
			}
			onState({ state: 'down', reason });
			await new Promise((resolve) => setTimeout(resolve, TRY_EVERY));
		}
	}
}
