import { nodeLabel, printable } from '../../../protocol/index.ts';
import { shortId } from './format.ts';

/** A node in a few characters: what it calls itself and the start of its id, or more of its id. */
export function nodeText(id: string, name: string | undefined): string {
	return name === undefined ? shortId(id) : nodeLabel(id, name);
}

/** A node, with all of its id. */
export function NodeName({ id, name }: { id: string; name: string | undefined }) {
	return (
		<span class="node">
			{name !== undefined && <bdi>{printable(name)}</bdi>} <code>{id}</code>
		</span>
	);
}
