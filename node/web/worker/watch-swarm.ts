import { isShoalError, makeNodeId } from '../../../protocol/index.ts';
import type { LinkState, Post } from '../messages.ts';
import { reasonOf } from './reason.ts';
import type { SwarmFeed } from './swarm-feed.ts';
import { WebLink } from './web-link.ts';

/** ms between two tries to reach the broker for the first time. */
const TRY_EVERY = 2_000;

/**
 * Reads the control topics of a broker into `feed`. Resolves when all are read, or the broker does not let us in;
 * where it cannot be reached it goes on trying.
 *
 * @param tell how it is connected is another now
 */
export async function watchSwarm(
	{ url, token }: Pick<Post, 'url' | 'token'>,
	feed: SwarmFeed,
	tell: (link: LinkState) => void,
): Promise<void> {
	tell({ state: 'opening' });
	while (true) {
		let link: WebLink | undefined;
		try {
			link = await WebLink.open({ url, id: makeNodeId(), password: `${token}:` });
			// What cannot be read ends in the link; that we are not wanted any more is told.
			link.on('message', ({ topic, payload }) => feed.apply(topic, payload));
			link.on('warning', (error) => {
				if (isShoalError(error, 'ERR_REFUSED')) {
					void link?.close();
					tell({ state: 'refused', reason: error.message });
				}
			});
			link.on('down', ({ message }) => {
				feed.clear();
				tell({ state: 'down', reason: message });
			});
			link.on('up', () => tell({ state: 'up' }));
			for (const filter of feed.topics.watchFilters()) {
				await link.subscribe(filter);
			}
			tell({ state: 'up' });
			return;
		} catch (error) {
			// Or it would come back by itself, beside the next.
			await link?.close();
			feed.clear();
			const reason = reasonOf(error);
			if (isShoalError(error, 'ERR_REFUSED')) {
				tell({ state: 'refused', reason });
				return;
			}
			tell({ state: 'down', reason });
			await new Promise((resolve) => setTimeout(resolve, TRY_EVERY));
		}
	}
}
