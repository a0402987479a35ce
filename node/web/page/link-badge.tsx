import type { LinkState } from '../messages.ts';

const TEXTS: Readonly<Record<LinkState['state'], string>> = {
	opening: 'connecting',
	up: 'connected',
	down: 'not connected, trying again',
	refused: 'refused',
	broken: 'stopped',
};

/** The state of the connection, in a few words. */
export function LinkBadge({ link }: { link: LinkState }) {
	const isLame = link.state === 'up' && !link.hasTracker;
	const text = isLame ? 'no tracker' : TEXTS[link.state];
	return (
		<span class={`badge ${isLame ? 'down' : link.state}`} role="status" title={link.reason}>
			{text}
		</span>
	);
}
