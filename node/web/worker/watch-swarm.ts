import { isShoalError, makeNodeId } from '../../../protocol/index.ts';
import { followLink } from '../../tracker/follow-link.ts';
import type { LinkState, PageAccess } from '../messages.ts';
import { reasonOf } from './reason.ts';
import type { SwarmMonitor } from './swarm-monitor.ts';
import { WebLink } from './web-link.ts';

/** ms between two tries to reach the broker for the first time. */
const TRY_EVERY = 2_000;

/** The state of the connection to the broker, without that of the tracker. */
export type Connection = Omit<LinkState, 'hasTracker'>;

/**
 * Subscribes to the control topics of a broker, and applies their messages to `swarm`. Resolves
 * when all are subscribed, or when the broker refuses the connection. If the broker cannot be
 * reached, keeps trying.
 *
 * @param onState called with each change of the connection
 * @returns the link; undefined if the broker refuses the connection
 */
export async function watchSwarm(
	{ url, token }: Pick<PageAccess, 'url' | 'token'>,
	swarm: SwarmMonitor,
	onState: (link: Connection) => void,
): Promise<WebLink | undefined> {
	const { view, topics } = swarm;
	const cutOff = (reason: string): void => {
		view.interrupt();
		onState({ state: 'down', reason, since: view.cutOffSince });
	};
	onState({ state: 'opening' });
	while (true) {
		let link: WebLink | undefined;
		try {
			link = await WebLink.open({ url, id: makeNodeId(), password: `${token}:` });
			view.resume();
			followLink(link, view);
			// The link drops unreadable messages. A warning that the right to watch is lost is reported.
			link.on('message', ({ topic, payload }) => swarm.apply(topic, payload));
			link.on('warning', (error) => {
				if (isShoalError(error, 'ERR_REFUSED')) {
					void link?.close();
					onState({ state: 'refused', reason: error.message });
				}
			});
			link.on('down', ({ message }) => cutOff(message));
			link.on('up', () => onState({ state: 'up' }));
			for (const filter of topics.watchFilters()) {
				await link.subscribe(filter);
			}
			onState({ state: 'up' });
			return link;
		} catch (error) {
			// Otherwise this link would reconnect by itself, beside the next one.
			await link?.close();
			if (isShoalError(error, 'ERR_REFUSED')) {
				onState({ state: 'refused', reason: reasonOf(error) });
				return undefined;
			}
			cutOff(reasonOf(error));
			await new Promise((resolve) => setTimeout(resolve, TRY_EVERY));
		}
	}
}
