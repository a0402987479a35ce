import { printable } from './printable.ts';

/** Most characters of a node's name. */
export const MOST_NODE_NAME = 32;

/** Characters of an id that stand beside a name: several nodes of one machine have the same. */
const SHORT_ID = 4;

/** `text` as a node can call itself: on one line, at most 32 characters. Undefined if nothing is left of it. */
export function nodeNameOf(text: string): string | undefined {
	const name = [...printable(text.trim())].slice(0, MOST_NODE_NAME).join('');
	// Characters beyond the basic plane count twice on the wire.
	return name === '' ? undefined : name.slice(0, MOST_NODE_NAME);
}

/** A node for people: its name and the start of its id, or the whole id where it has no name. */
export function nodeLabel(id: string, name: string | undefined): string {
	return name === undefined ? id : `${printable(name)} ${id.slice(0, SHORT_ID)}`;
}
