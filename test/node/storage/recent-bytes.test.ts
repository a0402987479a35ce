import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { type Lent, RecentBytes } from '../../../node/storage/recent-bytes.ts';
import { contentOf } from '../../helpers/fixtures/seeds.ts';
import { suite } from '../../helpers/harness/suite.ts';

const KIB = 1024;
const content = contentOf(2_000 * KIB);
const file = {};
const test = suite('RecentBytes');

function setUp(most: number) {
	const recent = new RecentBytes<object>(most);
	const released: number[] = [];
	const add = (offset: number, length: number): void => {
		const bytes = content.slice(offset, offset + length);
		recent.add(file, offset, bytes, () => {
			bytes.fill(0);
			released.push(offset);
		});
	};
	return { recent, released, add };
}

const joined = (lent: Lent | undefined): Uint8Array | undefined =>
	lent && new Uint8Array(Buffer.concat(lent.parts));

test('bytes are lent from one stretch, or from several consecutive stretches', () => {
	const { recent, add } = setUp(1_000 * KIB);
	add(256 * KIB, 256 * KIB);
	add(512 * KIB, 100 * KIB);
	const lend = (offset: number, length: number) => joined(recent.lend(file, offset, length));
	assert.equal(lend(300 * KIB, 10), content.slice(300 * KIB, 300 * KIB + 10));
	assert.equal(lend(256 * KIB, 356 * KIB), content.slice(256 * KIB, 612 * KIB));
	assert.is(lend(255 * KIB, 2 * KIB), undefined, 'the range begins before the stretch');
	assert.is(lend(600 * KIB, 13 * KIB), undefined, 'the range ends after the stretch');
	assert.is(recent.lend({}, 256 * KIB, 1), undefined, 'the range is of another content');
});

test('the oldest stretch is released first, but not while it is lent', () => {
	const { recent, released, add } = setUp(512 * KIB);
	add(0, 256 * KIB);
	add(256 * KIB, 256 * KIB);
	const lent = recent.lend(file, 0, 256 * KIB) as Lent;
	const second = recent.lend(file, 128 * KIB, 10) as Lent;
	add(512 * KIB, 256 * KIB);
	assert.is(recent.lend(file, 0, 1), undefined);
	assert.equal(released, []);
	assert.equal(joined(lent), content.slice(0, 256 * KIB));
	lent.release();
	assert.equal(released, []);
	second.release();
	assert.equal(released, [0]);
});

test('drop releases all stretches of a content', () => {
	const { recent, released, add } = setUp(512 * KIB);
	add(0, 64 * KIB);
	const lent = recent.lend(file, 0, 64 * KIB) as Lent;
	recent.drop(file);
	assert.is(recent.lend(file, 0, 1), undefined);
	assert.equal(released, []);
	lent.release();
	assert.equal(released, [0]);
});

test('a stretch that is larger than the limit is released at once', () => {
	const { recent, released, add } = setUp(100 * KIB);
	add(0, 101 * KIB);
	assert.equal(released, [0]);
	assert.is(recent.lend(file, 0, 1), undefined);
});

test('after any additions and loans, lent bytes are right, and each stretch is released once', () => {
	const stretch = fc.tuple(fc.nat(1_900), fc.integer({ min: 1, max: 100 }));
	const step = fc.record({ put: fc.boolean(), stretch, hold: fc.boolean() });
	fc.assert(
		fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
			const { recent, released, add } = setUp(300 * KIB);
			const held: Array<[Lent, Uint8Array]> = [];
			let puts = 0;
			for (const {
				put,
				stretch: [at, length],
				hold,
			} of steps) {
				if (put) {
					puts += 1;
					add(at * KIB, length * KIB);
					continue;
				}
				const lent = recent.lend(file, at * KIB, length * KIB);
				if (lent !== undefined) {
					const expected = content.slice(at * KIB, (at + length) * KIB);
					assert.equal(joined(lent), expected);
					hold ? held.push([lent, expected]) : lent.release();
				}
			}
			for (const [lent, expected] of held) {
				assert.equal(joined(lent), expected);
				lent.release();
			}
			recent.drop(file);
			assert.is(released.length, puts);
		}),
	);
});

test.run();
