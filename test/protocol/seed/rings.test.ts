import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { furthestOf, hashId, nearOnRings, precedence } from '../../../protocol/index.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('rings');
const SELF = hashId('myself-01');

/** Ids in the order in which they come on a ring after this node, or before it. */
function around(ids: readonly string[], ring: number, sign: number): string[] {
	const steps = (id: string): number =>
		(sign * (precedence(hashId(id), ring) - precedence(SELF, ring)) + 2 ** 32) % 2 ** 32;
	return ids.toSorted((a, b) => steps(a) - steps(b));
}

test('of eleven nodes, those that are next on a ring are never the furthest', () => {
	const ids = fc.uniqueArray(fc.string({ minLength: 8, maxLength: 8 }), {
		minLength: 11,
		maxLength: 11,
	});
	fc.assert(
		fc.property(ids, (nodes) => {
			const furthest = furthestOf(SELF, nodes);
			assert.ok(nodes.includes(furthest));
			assert.not(around(nodes, 0, 1).slice(0, 3).includes(furthest));
			assert.not(around(nodes, 0, -1).slice(0, 3).includes(furthest));
			assert.not(around(nodes, 1, 1).slice(0, 2).includes(furthest));
			assert.not(around(nodes, 1, -1).slice(0, 2).includes(furthest));
		}),
	);
});

test('of one node, it is the furthest; of two, the next one on the first ring is near', () => {
	assert.is(furthestOf(SELF, ['only-one-1']), 'only-one-1');
	for (let n = 0; n < 20; n += 1) {
		const pair = [`first-${n}`, `second-${n}`];
		assert.is(furthestOf(SELF, pair), around(pair, 0, 1)[1]);
	}
});

test('the nodes that are near among all stay when others give way one after the other', () => {
	const ids = fc.uniqueArray(fc.string({ minLength: 8, maxLength: 8 }), { maxLength: 60 });
	fc.assert(
		fc.property(ids, fc.nat(12), (nodes, most) => {
			let left = nodes;
			while (left.length > most) {
				const furthest = furthestOf(SELF, left);
				left = left.filter((id) => id !== furthest);
			}
			assert.equal([...nearOnRings(SELF, nodes, most)].sort(), left.toSorted());
		}),
	);
});

test.run();
