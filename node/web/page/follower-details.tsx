import { printable } from '../../../protocol/index.ts';
import { versionText } from '../../channel/fleet.ts';
import type { FollowerCell } from '../channel-messages.ts';
import { dateText, sentenceOf } from './channel-texts.ts';
import { NodeName } from './node-name.tsx';

interface DetailsProps {
	/** Node id. */
	readonly node: string;
	/** Undefined if the follower has no receipt, or none has arrived yet. */
	readonly cell: FollowerCell | undefined;
	readonly onClose: () => void;
}

/** The details of a follower. */
export function FollowerDetails({ node, cell, onClose }: DetailsProps) {
	return (
		<aside class="follower" aria-label="Details of a follower">
			<div class="head">
				<NodeName id={node} name={cell?.name} />
				<button type="button" onClick={onClose}>
					Close
				</button>
			</div>
			{cell === undefined ? <p>There is no receipt of this follower.</p> : <Facts cell={cell} />}
		</aside>
	);
}

function Facts({ cell }: { cell: FollowerCell }) {
	const { groups, kept, paths, at, isOn } = cell;
	const more = kept > paths.length ? ` and ${kept - paths.length} more` : '';
	return (
		<>
			<p>
				{sentenceOf(cell)} {!isOn && <b>It is not connected to the broker.</b>}
			</p>
			<p>
				Receipt of version {versionText(cell)}, since {dateText(Date.parse(at))} by its clock.
				{groups.length > 0 && ` Groups: ${groups.join(', ')}.`}
			</p>
			{kept > 0 && (
				<p>
					Kept, because people had changed or added them:{' '}
					{paths.map((path, index) => (
						<span key={path}>
							{index > 0 && ', '}
							<code dir="auto">{printable(path)}</code>
						</span>
					))}
					{paths.length > 0 ? more : `${kept} ${kept === 1 ? 'file' : 'files'}`}
				</p>
			)}
		</>
	);
}
