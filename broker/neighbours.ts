import { distance } from '../protocol/index.ts';

/** A node of a swarm. */
export interface Member {
	readonly id: string;
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
export function neighboursOf<T extends Member>(asker: string, members: readonly T[]): T[] {
	const others = members
		.filter(({ id }) => id !== asker)
		.map((member) => ({ member, distance: distance(asker, member.id) }))
		.sort((a, b) => a.distance - b.distance)
		.map(({ member }) => member);
	const nearest = others.slice(0, NEAREST);
	const source = others.find(({ isComplete }) => isComplete);
	if (source === undefined || !isServed(asker, source, members)) {
		return nearest;
	}
	return [source, ...nearest.filter((member) => member !== source)];
}

/** Whether `asker` is one of those that are given to `source`. */
function isServed(asker: string, source: Member, members: readonly Member[]): boolean {
	const complete = members.filter(({ isComplete }) => isComplete).length;
	const downloaders = members.filter(({ isComplete }) => !isComplete);
	if (downloaders.length <= complete * MOST_SERVED) {
		return true;
	}
	const own = distance(asker, source.id);
	return downloaders.filter(({ id }) => distance(id, source.id) < own).length < MOST_SERVED;
}
