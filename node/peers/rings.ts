import { distance, hashId, precedence } from '../../protocol/index.ts';

// On a ring, all nodes of a swarm stand in a random order, the same for all nodes. If each node
// uses the next five in each direction, exactly ten nodes use it. Around a single ring, chunks would
// take long in a large swarm, so there are two: three next nodes in each direction of the first, and
// two in each direction of the second.
const DIRECTIONS = [0, 1].flatMap((ring) => [
	{ ring, sign: 1 },
	{ ring, sign: -1 },
]);

/**
 * The node that is furthest from the node `self`, a hashed id. Near are those that are next in one
 * of the four directions, about equally many in each. If some are next in several directions, the
 * {@link distance} decides among the others.
 *
 * @param nodes ids, at least one
 */
export function furthestOf(self: number, nodes: readonly string[]): string {
	const hashed = nodes.map((id) => ({ id, hash: hashId(id) }));
	const rest = new Set(hashed);
	for (const [index, { ring, sign }] of DIRECTIONS.entries()) {
		const start = precedence(self, ring);
		const steps = (hash: number): number => (sign * (precedence(hash, ring) - start)) >>> 0;
		const share = Math.ceil((nodes.length - 1 - index) / DIRECTIONS.length);
		for (const next of hashed.toSorted((a, b) => steps(a.hash) - steps(b.hash)).slice(0, share)) {
			rest.delete(next);
		}
	}
	const away = (hash: number): number => distance(self, hash);
	return [...rest].reduce((a, b) => (away(a.hash) < away(b.hash) ? b : a)).id;
}
