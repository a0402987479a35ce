import { distance, hashId } from '../../protocol/index.ts';

/** A node of a swarm. */
export interface SwarmMember {
	readonly id: string;
	/** Its id, hashed by {@link hashId}. */
	readonly idHash: number;
	/** Whether it has every chunk. */
	readonly isComplete: boolean;
}

/**
 * Number of neighbours that are assigned to each node. The node is also assigned to other nodes as
 * a neighbour, so it has 8 to 10 neighbours in all.
 */
const NEAREST = 6;
/** Most downloaders to which one seeder is assigned; more would only divide its upload rate. */
const MOST_SERVED = 48;

/**
 * The nodes that `asker` should use, the most useful first: the nearest seeder, unless that seeder
 * is assigned to other downloaders; after it, the nearest nodes.
 *
 * The distance between two nodes is computed from their ids: it is the same in both directions,
 * random over the swarm, and changes little when nodes join and leave. A graph in which each node
 * has a few random neighbours is connected.
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

/**
 * The `most` members that are nearest to `asker`, the nearest first. They are found in one pass, as
 * there may be thousands of members.
 */
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

/**
 * Whether the asking node, whose id has the hash `own`, is one of the downloaders to which the
 * seeder `source` is assigned.
 */
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
