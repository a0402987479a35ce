import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { CoDownloaders } from '../../../node/engine/co-downloaders.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('co-downloaders');
const ids = fc.uniqueArray(
	fc.oneof(
		fc.stringMatching(/^[A-Za-z0-9_-]{8,21}$/),
		fc.nat(9_999).map((n) => `lab-host-${n}`),
	),
	{ minLength: 1, maxLength: 24 },
);

/** For each node of `all`, its view of the co-downloaders, each added in another order. */
function eachOf(all: readonly string[]): CoDownloaders[] {
	return all.map((id, index) => {
		const coDownloaders = new CoDownloaders(id);
		coDownloaders.set(new Set([...all.slice(index), ...all.slice(0, index)]));
		return coDownloaders;
	});
}

/** The node that each of `shares` shares is assigned to: its index in the group. */
function ownersOf(group: readonly CoDownloaders[], shares: number): number[] {
	return Array.from({ length: shares }, (_, share) => {
		const ranks = group.map((coDownloaders) => coDownloaders.rankOf(share, shares));
		assert.is(ranks.filter((rank) => rank === 0).length, 1, 'every share belongs to exactly one');
		return ranks.indexOf(0);
	});
}

test('among nodes that know each other, every share belongs to exactly one, and each gets equally many', () => {
	const property = fc.property(ids, fc.integer({ min: 1, max: 600 }), (all, shares) => {
		const owners = ownersOf(eachOf(all), shares);
		for (let first = 0; first < shares; first += 256) {
			const block = owners.slice(first, first + 256);
			for (const owner of all.keys()) {
				const more = block.filter((each) => each === owner).length - block.length / all.length;
				assert.ok(more > -1 && more < 1);
			}
		}
	});
	fc.assert(property);
});

test('exactly one node has the second rank for a share', () => {
	const group = eachOf(['node-one', 'node-two', 'node-three', 'node-four']);
	for (let share = 0; share < 512; share += 1) {
		const ranks = group.map((coDownloaders) => coDownloaders.rankOf(share, 512));
		assert.is(ranks.filter((rank) => rank === 1).length, 1);
	}
});

test('when a node leaves or joins, few shares of other nodes change their owner', () => {
	const shares = 1_024;
	const all = Array.from({ length: 12 }, (_, index) => `lab-host-${index}`);
	const [leaver, ...stay] = all as [string, ...string[]];
	const before = ownersOf(eachOf(all), shares);
	const after = ownersOf(eachOf(stay), shares);
	const moved = after.filter((owner, share) => {
		const had = before[share] as number;
		return had !== 0 && stay[owner] !== all[had];
	});
	assert.ok(moved.length < shares / 4, `${moved.length} of ${shares}`);
	const changed = eachOf(all).slice(1);
	for (const coDownloaders of changed) {
		coDownloaders.rankOf(0, shares);
		coDownloaders.delete(leaver);
	}
	assert.equal(ownersOf(changed, shares), after);
});

test('a node that knows no other node owns every share', () => {
	const alone = new CoDownloaders('lonely-01');
	alone.add('lonely-01');
	assert.not(alone.areThere);
	assert.ok([0, 1, 2 ** 20 - 1].every((share) => alone.rankOf(share, 2 ** 20) === 0));
	alone.set(new Set(['another-1', 'lonely-01']));
	assert.ok(alone.areThere);
	alone.set(new Set());
	assert.not(alone.areThere);
	assert.ok(alone.rankOf(7, 8) === 0);
});

test.run();
