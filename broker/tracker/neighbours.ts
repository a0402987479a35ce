import { distance, hashId } from '../../protocol/index.ts';

/** A node of a swarm. */
export interface SwarmMember {
	readonly id: string;
	/** Its id, hashed by {@link hashId}. */
	readonly idHash: number;
	/** Whether it has every chunk. */
	readonly isComplete: boolean;
}

/** Neighbours that each node is given; those whose neighbour it is come on top: 8 to 10 in all. */
const NEAREST = 6;
/** Downloaders that one complete node is given to: more would share its link without gain. */
const MOST_SERVED = 48;

/**
 * Whom `asker` should go to, the most useful first: a complete node, unless there are so few that they are
 * left to others, and those who are nearest.
 *
 * Who is near to whom comes out of the ids: it is the same both ways, random over the swarm, and changes
 * little when nodes come and go. In a graph where each picks a few at random everybody reaches everybody.
 */
export function neighboursOf<T extends SwarmMember>(asker: string, members: readonly T[]): T[] {
	const own = hashId(asker);
	const nearest = nearestOf(own, asker, members, NEAREST);
	const complete = members.filter(({ isComplete }) => isComplete);
	const [source] = nearestOf(own, asker, complete, 1);
	if (source === undefined || !isServed(own, source, members, complete.length)) {
		return nearest;
	}
	return [source, ...nearest.filter((member) => member !== source)];
}

/** The `most` members that are nearest to `asker`, the nearest first. In one pass: there may be thousands. */
function nearestOf<T extends SwarmMember>(
	own: number,
	asker: string,
	members: readonly T[],
	most: number,
): T[] {
	const nearest: T[] = [];
	const distances: number[] = [];
	for (const member of members) {
		const away = distance(own, member.idHash);
		const isFar = nearest.length === most && away >= (distances[most - 1] as number);
		if (!isFar && member.id !== asker) {
			const further = distances.findIndex((each) => each > away);
			const index = further === -1 ? nearest.length : further;
			nearest.splice(index, 0, member);
			distances.splice(index, 0, away);
			nearest.length = Math.min(nearest.length, most);
			distances.length = nearest.length;
		}
	}
	return nearest;
}

/** Whether the one who asks, hashed to `own`, is one of those that are given to `source`. */
function isServed(
	own: number,
	source: SwarmMember,
	members: readonly SwarmMember[],
	complete: number,
): boolean {
	if (members.length - complete <= complete * MOST_SERVED) {
		return true;
	}
	const away = distance(own, source.idHash);
	let nearer = 0;
	for (const { isComplete, idHash } of members) {
		if (!isComplete && distance(idHash, source.idHash) < away) {
			nearer += 1;
		}
	}
	return nearer < MOST_SERVED;
}
