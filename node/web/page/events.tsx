import type { SwarmEvent } from '../messages.ts';
import { shortId } from './format.ts';
import { nodeText } from './node-name.tsx';

const TEXTS: Readonly<Record<string, string>> = {
	'node-joined': 'joined',
	'node-left': 'left',
	'node-lost': 'was lost',
	'seed-added': 'shares',
	'seed-gone': 'no longer shared:',
	'download-started': 'started to download',
	'download-complete': 'has all of',
	'chunk-refused': 'sent a wrong chunk of',
	'node-dropped': 'is no longer used as a source of',
};

/** The last events. */
export function Events({ events }: { events: readonly SwarmEvent[] }) {
	return (
		<section aria-label="Latest events" class="events">
			<h2>Latest events</h2>
			<ol>
				{events.map(({ at, event, node, nodeName, seed, name, by, byName, chunk }) => (
					<li key={`${at} ${event} ${node} ${seed} ${chunk}`}>
						<time dateTime={new Date(at).toISOString()}>{new Date(at).toLocaleTimeString()}</time>{' '}
						{node !== undefined && <b>{nodeText(node, nodeName)}</b>} {TEXTS[event] ?? event}{' '}
						{seed !== undefined && (
							<a href={`#${seed}`} dir="auto">
								{name ?? shortId(seed)}
							</a>
						)}
						{by !== undefined && <>, says {nodeText(by, byName)}</>}
					</li>
				))}
			</ol>
			{events.length === 0 && <p class="empty">Nothing since this page was opened.</p>}
		</section>
	);
}
