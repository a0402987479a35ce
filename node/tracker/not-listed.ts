import { quoted, ShoalError } from '../../protocol/index.ts';

/** Maximum number of names in the message. If there are more, the message says how many more. */
const MOST_NAMES = 5;

/**
 * The error that the tracker does not list contents with these names. The message says how many
 * these are, which limits can be the reason, and what to do.
 */
export class NotListed extends ShoalError {
	/** @param names of files and folders */
	constructor(names: readonly string[]) {
		const shown = names.slice(0, MOST_NAMES).map((name) => quoted(name));
		const others = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : '';
		const what = names.length === 1 ? 'one seed' : `${names.length} seeds`;
		super(
			'ERR_LIMIT',
			`the tracker does not list ${what} of this node, ${shown.join(', ')}${others}: the broker limits the announces of a node (nodeAnnounces, 1,000 unless it was changed) and the new announces per second (announceRate); start the broker with --limit nodeAnnounces=NUMBER, share a folder in place of many files, or share these from a second machine`,
		);
	}
}
