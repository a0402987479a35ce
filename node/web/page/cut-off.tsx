import type { LinkState } from '../messages.ts';

/** Whether the page shows an earlier state of the swarm, because it has no connection. */
export function isCutOff({ state }: LinkState): boolean {
	return state === 'down' || state === 'broken';
}

/** The notice shown while the broker cannot be reached. */
export function CutOff({ link }: { link: LinkState }) {
	const { state, since = Date.now(), reason } = link;
	const clock = new Date(since).toLocaleTimeString();
	return (
		<div role="alert">
			{state === 'broken' && <p class="note">{reason}</p>}
			{state === 'down' && (
				<p class="note" title={reason}>
					<b>Not connected to the broker since {clock}.</b> The page keeps trying; the swarm is
					shown as it was then.
				</p>
			)}
		</div>
	);
}
