import { printable } from './printable.ts';

/** Most characters of a node's name. */
export const MOST_NODE_NAME = 32;

/**
 * Characters of an id that are shown after a name, as several nodes of one machine have the same
 * name.
 */
const SHORT_ID = 4;

/**
 * A node name made from `text`: one line of at most 32 characters; undefined if nothing is left of
 * `text`.
 */
export function nodeNameOf(text: string): string | undefined {
	const name = [...printable(text.trim())].slice(0, MOST_NODE_NAME).join('');
	// The limit counts UTF-16 code units: a character beyond the basic plane is two of them.
	return name === '' ? undefined : name.slice(0, MOST_NODE_NAME);
}

/**
 * A node as it is shown to people: its name and the start of its id, or the whole id if it has no
 * name.
 */
export function nodeLabel(id: string, name: string | undefined): string {
	return name === undefined ? id : `${printable(name)} ${id.slice(0, SHORT_ID)}`;
}
