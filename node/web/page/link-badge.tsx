import type { LinkState } from '../messages.ts';

const TEXTS: Readonly<Record<LinkState['state'], string>> = {
	opening: 'connecting',
	up: 'connected',
	down: 'not connected, trying again',
	refused: 'refused',
};

/** How the page is connected, in a word. */
export function LinkBadge({
	link,
	hasTracker,
}: {
	link: LinkState;
	hasTracker: boolean | undefined;
}) {
	const isLame = link.state === 'up' && hasTracker === false;
	const text = isLame ? 'no tracker' : TEXTS[link.state];
	return (
		<span class={`badge ${isLame ? 'down' : link.state}`} role="status" title={link.reason}>
			{text}
		</span>
	);
}
