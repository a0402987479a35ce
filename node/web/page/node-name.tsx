import { nodeLabel, printable } from '../../../protocol/index.ts';
import { shortId } from './format.ts';

/** A node in a few characters: its name and the start of its id; without a name, more of its id. */
export function nodeText(id: string, name: string | undefined): string {
	return name === undefined ? shortId(id) : nodeLabel(id, name);
}

/** A node: its name, if it has one, and its whole id. */
export function NodeName({ id, name }: { id: string; name: string | undefined }) {
	return (
		<span class="node">
			{name !== undefined && <bdi>{printable(name)}</bdi>} <code>{id}</code>
		</span>
	);
}
