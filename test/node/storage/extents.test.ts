import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { extents } from '../../../node/storage/extents.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('extents');

const cases = fc
	.array(fc.nat(20), { maxLength: 12 })
	.chain((lengths) => {
		const total = lengths.reduce((sum, length) => sum + length, 0);
		return fc.tuple(fc.constant(lengths), fc.nat(total), fc.nat(total));
	})
	.map(([lengths, a, b]) => ({ lengths, from: Math.min(a, b), to: Math.max(a, b) }));

test('a range in one file is one extent', () => {
	assert.equal(extents([10], 3, 4), [{ file: 0, at: 3, from: 0, length: 4 }]);
});

test('a range across the border of two files has one extent in each', () => {
	assert.equal(extents([4, 6], 3, 4), [
		{ file: 0, at: 3, from: 0, length: 1 },
		{ file: 1, at: 0, from: 1, length: 3 },
	]);
});

test('empty files have no extent', () => {
	assert.equal(extents([0, 0, 2, 0, 1, 0], 1, 2), [
		{ file: 2, at: 1, from: 0, length: 1 },
		{ file: 4, at: 0, from: 1, length: 1 },
	]);
});

test('an empty range has no extent', () => {
	assert.equal(extents([3, 3], 3, 0), []);
	assert.equal(extents([], 0, 0), []);
});

test('extents cover the range in order, without gap or overlap, inside their files', () => {
	fc.assert(
		fc.property(cases, ({ lengths, from, to }) => {
			let next = 0;
			for (const { file, at, from: start, length } of extents(lengths, from, to - from)) {
				assert.is(start, next);
				assert.ok(length > 0 && at >= 0 && at + length <= (lengths[file] as number));
				const before = lengths.slice(0, file).reduce((sum, each) => sum + each, 0);
				assert.is(before + at, from + start);
				next += length;
			}
			assert.is(next, to - from);
		}),
	);
});

test('offsets beyond 4 GiB are exact', () => {
	const large = 2 ** 41;
	assert.equal(extents([large, 10], large - 1, 3), [
		{ file: 0, at: large - 1, from: 0, length: 1 },
		{ file: 1, at: 0, from: 1, length: 2 },
	]);
});

test.run();
