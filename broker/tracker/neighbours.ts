import { distance, hashId } from '../../protocol/index.ts';

/** The id of a node, and its hash, computed by {@link hashId}. */
export interface HashedId {
	readonly id: string;
	readonly idHash: number;
}

/** The nodes of a swarm: those that have every chunk, and those that lack some. */
export interface SwarmMembers<T> {
	readonly complete: readonly T[];
	readonly lacking: readonly T[];
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
export function neighboursOf<T>(
	asker: string,
	{ complete, lacking }: SwarmMembers<T>,
	nodeOf: (member: T) => HashedId,
): T[] {
	const own = { id: asker, idHash: hashId(asker) };
	const nearest = nearestOf(own, [complete, lacking], NEAREST, nodeOf);
	const [source] = nearestOf(own, [complete], 1, nodeOf);
	const isServed =
		source === undefined ||
		lacking.length <= complete.length * MOST_SERVED ||
		nearerTo(nodeOf(source), own, lacking, nodeOf) < MOST_SERVED;
	return source === undefined || !isServed
		? nearest
		: [source, ...nearest.filter((member) => member !== source)];
}

/**
 * The `most` members of all lists that are nearest to `own`, the nearest first; never `own` itself.
 * They are found in one pass, as there may be tens of thousands of members.
 */
function nearestOf<T>(
	own: HashedId,
	lists: ReadonlyArray<readonly T[]>,
	most: number,
	nodeOf: (member: T) => HashedId,
): T[] {
	const nearest: T[] = [];
	const distances: number[] = [];
	const add = (member: T, away: number): void => {
		const further = distances.findIndex((each) => each > away);
		const index = further === -1 ? nearest.length : further;
		nearest.splice(index, 0, member);
		distances.splice(index, 0, away);
		nearest.length = Math.min(nearest.length, most);
		distances.length = nearest.length;
	};
	for (const members of lists) {
		for (const member of members) {
			const { id, idHash } = nodeOf(member);
			const away = distance(own.idHash, idHash);
			const isFar = nearest.length === most && away >= (distances[most - 1] as number);
			if (!isFar && id !== own.id) {
				add(member, away);
			}
		}
	}
	return nearest;
}

/** The number of members that are nearer to the seeder `source` than `own` is. */
function nearerTo<T>(
	source: HashedId,
	own: HashedId,
	members: readonly T[],
	nodeOf: (member: T) => HashedId,
): number {
	const away = distance(own.idHash, source.idHash);
	let nearer = 0;
	for (const member of members) {
		if (distance(nodeOf(member).idHash, source.idHash) < away) {
			nearer += 1;
		}
	}
	return nearer;
}
