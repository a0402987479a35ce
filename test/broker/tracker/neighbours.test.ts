import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { type HashedId, neighboursOf } from '../../../broker/tracker/neighbours.ts';
import { distance, hashId } from '../../../protocol/index.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('neighbours');
const MOST = 1_000;
/** The most neighbours of a node: it is given 6, and is given to others, on average also to 6. */
const MOST_DEGREE = 32;
/** How people name many machines: at random, or one after the other. */
const NAMINGS: ReadonlyArray<(salt: number, index: number) => string> = [
	(salt, index) => `${hashId(`${salt} ${index}`).toString(36)}-${index}`,
	(salt, index) => `lab${salt}-${String(index).padStart(4, '0')}`,
	(salt, index) => `${String(index).padStart(4, '0')}-host-${salt}`,
];

interface SwarmMember extends HashedId {
	readonly isComplete: boolean;
}

function neighboursAmong(
	asker: string,
	members: readonly SwarmMember[],
	isAll = false,
): SwarmMember[] {
	const complete = members.filter(({ isComplete }) => isComplete);
	const lacking = members.filter(({ isComplete }) => !isComplete);
	return neighboursOf(asker, { complete, lacking }, isAll, (each) => each);
}

function member(id: string, isComplete = false): SwarmMember {
	return { id, idHash: hashId(id), isComplete };
}

function answersFor(members: readonly SwarmMember[]): Map<string, string[]> {
	return new Map(
		members.map(({ id }) => [id, neighboursAmong(id, members).map((each) => each.id)]),
	);
}

/** For each node: the nodes that were given to it, and the nodes to which it was given. */
function graphOf(answers: ReadonlyMap<string, readonly string[]>): Map<string, Set<string>> {
	const graph = new Map([...answers.keys()].map((id) => [id, new Set<string>()]));
	for (const [id, given] of answers) {
		for (const other of given) {
			graph.get(id)?.add(other);
			graph.get(other)?.add(id);
		}
	}
	return graph;
}

function reachedFrom(start: string, graph: ReadonlyMap<string, ReadonlySet<string>>): Set<string> {
	const reached = new Set([start]);
	for (const id of reached) {
		for (const other of graph.get(id) ?? []) {
			reached.add(other);
		}
	}
	return reached;
}

function differences(before: readonly string[] = [], after: readonly string[] = []): number {
	const lost = before.filter((id) => !after.includes(id)).length;
	return lost + after.filter((id) => !before.includes(id)).length;
}

/** Swarms of 2 to 1,000 nodes, of which up to 60 are complete. */
const swarms = fc
	.record({
		salt: fc.nat(),
		naming: fc.constantFrom(...NAMINGS),
		size: fc.integer({ min: 2, max: MOST }),
		complete: fc.integer({ min: 0, max: 60 }),
	})
	.map(({ salt, naming, size, complete }) =>
		Array.from({ length: size }, (_, index) => member(naming(salt, index), index < complete)),
	);

test('every node reaches every other through neighbours, and no node has many', () => {
	const property = fc.property(swarms, (members) => {
		const answers = answersFor(members);
		const graph = graphOf(answers);
		assert.is(reachedFrom(members[0]?.id as string, graph).size, members.length);
		for (const { id, isComplete } of members) {
			assert.ok((answers.get(id)?.length ?? 0) <= 7);
			assert.not(answers.get(id)?.includes(id), 'no node is its own neighbour');
			const degree = graph.get(id)?.size ?? 0;
			assert.ok(degree <= (isComplete ? 4 : 1) * MOST_DEGREE, `${degree} neighbours`);
		}
	});
	fc.assert(property, { numRuns: 20 });
});

test('the graph stays connected when a node joins or leaves; few answers change, by at most three ids', () => {
	const changes = fc.array(fc.tuple(fc.boolean(), fc.nat()), { minLength: 1, maxLength: 12 });
	const sizes = fc.oneof(fc.integer({ min: 2, max: 100 }), fc.constant(400));
	const property = fc.property(changes, sizes, fc.nat(), (steps, size, salt) => {
		const naming = NAMINGS[salt % NAMINGS.length] as (typeof NAMINGS)[number];
		let next = size;
		let members = Array.from({ length: size }, (_, index) =>
			member(naming(salt, index), index === 0),
		);
		let answers = answersFor(members);
		for (const [joins, at] of steps) {
			const place = 1 + (at % Math.max(1, members.length - 1));
			members = joins
				? [...members, member(naming(salt, next++))]
				: members.filter((_, index) => index !== place);
			const changed = answersFor(members);
			const of = [...changed].map(([id, given]) => {
				return answers.has(id) ? differences(answers.get(id), given) : 0;
			});
			assert.ok(Math.max(...of) <= 3, `${Math.max(...of)} changes of one answer`);
			const touched = of.filter((count) => count > 0).length;
			assert.ok(touched <= MOST_DEGREE, `${touched} answers changed`);
			const graph = graphOf(changed);
			assert.is(reachedFrom(members[0]?.id as string, graph).size, members.length);
			answers = changed;
		}
	});
	fc.assert(property, { numRuns: 20 });
});

test('the neighbours are the six nearest nodes, nearest first; the nearest complete node may precede them', () => {
	const property = fc.property(swarms, fc.nat(), (members, at) => {
		const { id, idHash } = members[at % members.length] as SwarmMember;
		const sorted = members
			.filter((other) => other.id !== id)
			.sort((a, b) => distance(idHash, a.idHash) - distance(idHash, b.idHash));
		const nearest = sorted.slice(0, 6);
		const source = sorted.find(({ isComplete }) => isComplete);
		const [first, ...others] = neighboursAmong(id, members);
		if (first === source && source !== undefined) {
			assert.equal(
				others,
				nearest.filter((each) => each !== source),
			);
		} else {
			assert.equal([first, ...others], nearest);
		}
	});
	fc.assert(property, { numRuns: 50 });
});

test('a single complete node comes first in the answers to 48 to 54 nodes, or to all if they are told of all', () => {
	const members = Array.from({ length: MOST }, (_, index) => member(`host-${index}`, index === 0));
	const given = (isAll: boolean): number => {
		return members.filter(({ id }) => neighboursAmong(id, members, isAll)[0]?.isComplete).length;
	};
	assert.ok(given(false) >= 48 && given(false) <= 48 + 6, `${given(false)}`);
	assert.is(given(true), MOST - 1, 'all but itself');
});

test.run();
