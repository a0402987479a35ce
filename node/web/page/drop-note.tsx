import { printable } from '../../../protocol/index.ts';
import type { Dropped } from './dropped.ts';

/** Maximum number of names that are shown. */
const MOST_NAMES = 5;

/** Says which dropped items were not shared, and what to do about it. */
export function DropNote({
	dropped: { files, folders },
	onClose,
}: {
	dropped: Dropped;
	onClose: () => void;
}) {
	if (folders.length === 0 && files.length > 0) {
		return null;
	}
	return (
		<div class="note" role="alert">
			{folders.length > 0 ? <Folders folders={folders} /> : <NoFile />}
			<button type="button" onClick={onClose}>
				Close
			</button>
		</div>
	);
}

function Folders({ folders }: { folders: readonly string[] }) {
	const shown = folders.slice(0, MOST_NAMES);
	const more = folders.length - shown.length;
	return (
		<>
			<p>
				{folders.length === 1 ? 'This folder is not shared: ' : 'These folders are not shared: '}
				{shown.map((name, index) => (
					<span key={name}>
						{index > 0 && ', '}
						<b dir="auto">{printable(name)}</b>
					</span>
				))}
				{more > 0 && ` and ${more} more`}
			</p>
			<p>
				Folders cannot be shared from this page yet. Pack one into a file and drop that (
				<code>zip -r FOLDER.zip FOLDER</code>), or share each file in it from a terminal:{' '}
				<code>shoal share FOLDER/*</code>
			</p>
		</>
	);
}

function NoFile() {
	return (
		<p>
			Nothing is shared: what was dropped is a text or a link, not a file. Save it as a file and
			drop that.
		</p>
	);
}
