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

test('among nodes that know each other, every share belongs to exactly one', () => {
	const property = fc.property(ids, fc.array(fc.nat(2 ** 20 - 1)), (all, shares) => {
		const group = eachOf(all);
		for (const share of shares) {
			assert.is(group.filter((coDownloaders) => coDownloaders.rankOf(share) === 0).length, 1);
		}
	});
	fc.assert(property);
});

test('each node owns about the same number of shares, whatever the ids', () => {
	const shares = 16_000;
	for (const naming of [(n: number) => `host-${n}0`, (n: number) => `lab-host-${n}`]) {
		const group = eachOf(Array.from({ length: 16 }, (_, index) => naming(index)));
		for (const coDownloaders of group) {
			let ours = 0;
			for (let share = 0; share < shares; share += 1) {
				ours += coDownloaders.rankOf(share) === 0 ? 1 : 0;
			}
			assert.ok(ours > 700 && ours < 1_300, `${ours} of ${shares} for one of 16`);
		}
	}
});

test('when a node leaves or joins, only the shares that belong to it change their owner', () => {
	const property = fc.property(ids, fc.nat(), (all, at) => {
		fc.pre(all.length > 1);
		const leaver = all[at % all.length] as string;
		const stay = all.filter((id) => id !== leaver);
		const before = eachOf(all);
		const after = eachOf(stay);
		const changed = eachOf(all).filter((_, index) => all[index] !== leaver);
		for (const coDownloaders of changed) {
			coDownloaders.rankOf(0);
			coDownloaders.delete(leaver);
		}
		for (let share = 0; share < 200; share += 1) {
			const had = all[before.findIndex((coDownloaders) => coDownloaders.rankOf(share) === 0)];
			const has = stay[after.findIndex((coDownloaders) => coDownloaders.rankOf(share) === 0)];
			assert.ok(had === leaver || has === had);
			assert.is(stay[changed.findIndex((coDownloaders) => coDownloaders.rankOf(share) === 0)], has);
		}
	});
	fc.assert(property);
});

test('a node that knows no other node owns every share', () => {
	const alone = new CoDownloaders('lonely-01');
	alone.add('lonely-01');
	assert.not(alone.areThere);
	assert.ok([0, 1, 2 ** 20 - 1].every((share) => alone.rankOf(share) === 0));
	alone.set(new Set(['another-1', 'lonely-01']));
	assert.ok(alone.areThere);
	alone.set(new Set());
	assert.not(alone.areThere);
	assert.ok(alone.rankOf(7) === 0);
});

test.run();
