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
/**
 * Most downloaders to which one seeder is assigned if they do not know each other: more would only
 * divide its upload rate, and request the same chunks.
 */
const MOST_SERVED = 48;

/**
 * The nodes that `asker` should use, the most useful first: the nearest seeder, unless that seeder
 * is assigned to other downloaders; after it, the nearest nodes.
 *
 * The distance between two nodes is computed from their ids: it is the same in both directions,
 * random over the swarm, and changes little when nodes join and leave. A graph in which each node
 * has a few random neighbours is connected.
 *
 * @param isAll whether `asker` is told of all nodes: then the nearest seeder is assigned to it
 */
export function neighboursOf<T>(
	asker: string,
	{ complete, lacking }: SwarmMembers<T>,
	isAll: boolean,
	nodeOf: (member: T) => HashedId,
): T[] {
	const own = { id: asker, idHash: hashId(asker) };
	const all = new Nearest(own, nodeOf);
	all.add(complete);
	const [source] = all.members;
	all.add(lacking);
	const isServed =
		isAll ||
		source === undefined ||
		lacking.length <= complete.length * MOST_SERVED ||
		nearerTo(nodeOf(source), own, lacking, nodeOf) < MOST_SERVED;
	return source === undefined || !isServed
		? all.members
		: [source, ...all.members.filter((member) => member !== source)];
}

/**
 * The members that are nearest to a node, which itself is not one of them. They are found in one
 * pass, as there may be tens of thousands of members.
 */
class Nearest<T> {
	/** At most {@link NEAREST} members, the nearest first. */
	members: T[] = [];
	readonly #own: HashedId;
	readonly #nodeOf: (member: T) => HashedId;
	#distances: number[] = [];

	constructor(own: HashedId, nodeOf: (member: T) => HashedId) {
		this.#own = own;
		this.#nodeOf = nodeOf;
	}

	/** Takes the members of `list` into account. */
	add(list: readonly T[]): void {
		const nodeOf = this.#nodeOf;
		const { id: ownId, idHash: own } = this.#own;
		let most = this.#distances[NEAREST - 1] ?? Number.POSITIVE_INFINITY;
		for (const member of list) {
			const { id, idHash } = nodeOf(member);
			const away = distance(own, idHash);
			if (away < most && id !== ownId) {
				this.#insert(member, away);
				most = this.#distances[NEAREST - 1] ?? Number.POSITIVE_INFINITY;
			}
		}
	}

	#insert(member: T, away: number): void {
		const further = this.#distances.findIndex((each) => each > away);
		const index = further === -1 ? this.members.length : further;
		this.members = this.members.toSpliced(index, 0, member).slice(0, NEAREST);
		this.#distances = this.#distances.toSpliced(index, 0, away).slice(0, NEAREST);
	}
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
