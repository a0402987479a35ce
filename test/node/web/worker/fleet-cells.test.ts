import * as assert from 'uvu/assert';
import { cellOf, countsOf, groupsOf, sortCells } from '../../../../node/web/worker/fleet-cells.ts';
import type { Receipt } from '../../../../protocol/index.ts';
import { makeChannel } from '../../../helpers/fixtures/channel-keys.ts';
import { suite } from '../../../helpers/harness/suite.ts';

const test = suite('the cells of followers');
const { document } = makeChannel();
const [seed, old] = [document().seed as string, 'cd'.repeat(32)];
const receipt = (about: Partial<Receipt> = {}): Receipt => ({
	...{ block: 0, seq: 1, seed, state: 'applied', percent: 100, kept: 0, groups: [] },
	...{ at: '2026-01-02T03:04:05Z', ...about },
});
const toLab = { to: [{ group: 'lab', percent: 100 }] };

test('a follower is judged by the version that the newest document has for it', () => {
	for (const [about, fields, expected] of [
		[{}, {}, 'current'],
		[{ state: 'failed', code: 'EXIT_3' }, {}, 'failed'],
		[{ state: 'got' }, {}, 'got'],
		[{ state: 'fetching', percent: 3 }, {}, 'fetching'],
		[{ state: 'waiting' }, {}, 'waiting'],
		[{ seed: old }, {}, 'behind'],
		[{ seed: old, state: 'failed' }, {}, 'behind'],
		[{ seed: old }, { ...toLab, others: old }, 'current'],
		[{ seed: old, groups: ['lab'] }, { ...toLab, others: old }, 'behind'],
		[{ seed: old }, toLab, 'current'],
		[{ state: 'waiting' }, toLab, 'later'],
		[{ state: 'failed' }, toLab, 'failed'],
		[{}, { seed: undefined }, 'current'],
		[{ state: 'waiting' }, { seed: undefined }, 'waiting'],
	] as const) {
		const { standing } = cellOf(
			'node-aa',
			receipt(about as Partial<Receipt>),
			document(fields),
			true,
		);
		assert.is(standing, expected, JSON.stringify([about, fields]));
	}
	assert.is(cellOf('node-aa', receipt(), undefined, true).standing, 'current');
});

test('problems come first, then the followers that are not connected, then the order of the names', () => {
	const cells = (
		[
			['a', {}, true],
			['b', {}, false],
			['c', { state: 'fetching', rate: 500, left: 1_000 }, true],
			['d', { state: 'failed', code: 'ERR_NO_SPACE' }, true],
			['f', { seed: old, kept: 2, paths: ['x'] }, true],
			['e', { seed: old }, true],
			['g', { state: 'waiting' }, false],
			[undefined, {}, true],
		] as const
	).map(([name, about, isOn]) =>
		cellOf(`node-${name}`, receipt({ ...about, name } as Partial<Receipt>), document(), isOn),
	);
	assert.equal(
		sortCells([...cells]).map(({ name }) => name),
		['d', 'e', 'f', 'g', 'c', 'b', 'a', undefined],
	);
	assert.is(cells[2]?.eta, 2);
	assert.equal(cells[4]?.paths, ['x']);
	assert.equal(countsOf(cells), {
		all: 8,
		current: 3,
		fetching: 1,
		waiting: 3,
		failed: 1,
		kept: 1,
	});
});

test('groups are counted once for each follower', () => {
	const cells = [['b', 'a', 'b'], ['b'], []].map((groups, index) =>
		cellOf(`node-${index}`, receipt({ groups }), document(), true),
	);
	assert.equal(groupsOf(cells), [
		['a', 1],
		['b', 2],
	]);
});

test.run();
