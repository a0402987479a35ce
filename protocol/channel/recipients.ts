import { digestOf } from '../seed/digest.ts';
import type { Audience, DocumentFields } from './document.ts';

/** A node that follows a channel. */
export interface Follower {
	/** Node id. */
	readonly node: string;
	/** The groups that the node is in. */
	readonly groups: readonly string[];
}

const encoder = new TextEncoder();
const STEPS = 2 ** 32;

/**
 * The seed id of the version that `follower` has to have; undefined if the document names none for
 * it, or closes the channel.
 */
export function seedFor(document: DocumentFields, follower: Follower): string | undefined {
	return isAddressed(document, follower) ? document.seed : document.others;
}

/** Whether `follower` is among those who get the version `seed` of a document. */
export function isAddressed(
	{ channel, seed, to }: Pick<DocumentFields, 'channel' | 'seed' | 'to'>,
	{ node, groups }: Follower,
): boolean {
	if (to.length === 0 || seed === undefined) {
		return to.length === 0;
	}
	const isIn = ({ group }: Audience): boolean => group === '*' || groups.includes(group);
	const percent = Math.max(-1, ...to.filter(isIn).map((audience) => audience.percent));
	return percent >= 100 || isInFirst(percent, channel, seed, node);
}

/**
 * Whether a node is in the first `percent` per cent for a version. The share is computed from the
 * ids, so that no server has to keep it, and a node that is in at 5 % is also in at 25 %.
 */
function isInFirst(percent: number, channel: string, seed: string, node: string): boolean {
	const digest = digestOf('sha256', encoder.encode(`${channel}\n${seed}\n${node}\n`));
	const place = new DataView(digest.buffer, digest.byteOffset).getUint32(0);
	return place * 100 < percent * STEPS;
}
