import { printable } from '../../../protocol/index.ts';
import type { DropState } from './window-hooks.ts';

/** Says that a dropped folder is being read, or that nothing of a drop can be shared. */
export function DropNote({ drop, onClose }: { drop: DropState; onClose: () => void }) {
	if (drop.state === 'reading') {
		return (
			<p class="note" role="status">
				Looking into <b dir="auto">{printable(drop.name)}</b>
				{drop.entries > 0 && `: ${drop.entries.toLocaleString()} files so far`}…
			</p>
		);
	}
	return (
		<div class="note" role="alert">
			<p>
				Nothing is shared: what was dropped is a text or a link, not a file. Save it as a file and
				drop that.
			</p>
			<button type="button" onClick={onClose}>
				Close
			</button>
		</div>
	);
}
