import { distance, hashId, precedence } from './precedence.ts';

// On a ring, all nodes of a swarm stand in a random order, the same for all nodes. If each node
// uses the next five in each direction, exactly ten nodes use it. Around a single ring, chunks would
// take long in a large swarm, so there are two: three next nodes in each direction of the first, and
// two in each direction of the second.
const DIRECTIONS = [0, 1].flatMap((ring) => [
	{ ring, sign: 1 },
	{ ring, sign: -1 },
]);

/**
 * The nodes that are near to the node `self`, a hashed id. Near are those that are next in one of
 * the four directions, about equally many in each. If some are next in several directions, the
 * {@link distance} decides among the others.
 *
 * @param nodes ids
 * @param most number of ids to return, at most
 */
export function nearOnRings(self: number, nodes: readonly string[], most: number): Set<string> {
	if (nodes.length <= most) {
		return new Set(nodes);
	}
	const hashed = nodes.map((id) => ({ id, hash: hashId(id) }));
	const near = new Set<string>();
	for (const [index, { ring, sign }] of DIRECTIONS.entries()) {
		const start = precedence(self, ring);
		const steps = (hash: number): number => (sign * (precedence(hash, ring) - start)) >>> 0;
		const share = Math.max(0, Math.ceil((most - index) / DIRECTIONS.length));
		for (const { id } of hashed.toSorted((a, b) => steps(a.hash) - steps(b.hash)).slice(0, share)) {
			near.add(id);
		}
	}
	const away = (hash: number): number => distance(self, hash);
	for (const { id } of hashed.toSorted((a, b) => away(a.hash) - away(b.hash))) {
		if (near.size >= most) {
			break;
		}
		near.add(id);
	}
	return near;
}

/**
 * Of `nodes`, ids, the one that is not near if all others are. See {@link nearOnRings}.
 *
 * @param nodes at least one
 */
export function furthestOf(self: number, nodes: readonly string[]): string {
	const near = nearOnRings(self, nodes, nodes.length - 1);
	return nodes.find((id) => !near.has(id)) as string;
}
