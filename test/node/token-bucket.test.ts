import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { TokenBucket } from '../../node/token-bucket.ts';
import { fakeClock } from '../helpers/clock.ts';
import { suite } from '../helpers/suite.ts';
import { throwsCode } from '../helpers/throws-code.ts';

const test = suite('TokenBucket');

test('without a rate there is no limit and no wait', () => {
	const bucket = new TokenBucket(undefined, fakeClock().now);
	bucket.spend(1e12);
	assert.is(bucket.available, Number.POSITIVE_INFINITY);
	assert.is(bucket.wait, 0);
});

test('what was spent beyond what is there is waited for', () => {
	const clock = fakeClock();
	const bucket = new TokenBucket(1_000, clock.now);
	clock.advance(50);
	assert.is(bucket.available, 50);
	assert.is(bucket.wait, 0);
	bucket.spend(550);
	assert.is(bucket.available, -500);
	assert.is(bucket.wait, 500);
	clock.advance(500);
	assert.ok(bucket.wait > 0 && bucket.wait <= 1);
	clock.advance(1);
	assert.is(bucket.wait, 0);
});

test('a rest earns a tenth of a second at most', () => {
	const clock = fakeClock();
	const bucket = new TokenBucket(1_000, clock.now);
	clock.advance(3_600_000);
	assert.is(bucket.available, 100);
});

test('a new rate counts from now on, and a lifted one not at all', () => {
	const clock = fakeClock();
	const bucket = new TokenBucket(1_000, clock.now);
	bucket.spend(1_000);
	clock.advance(500);
	bucket.setRate(10_000);
	assert.is(bucket.wait, 50);
	bucket.setRate(undefined);
	assert.is(bucket.wait, 0);
});

test('a limit set after a long time without one starts with nothing saved up', () => {
	const clock = fakeClock();
	const bucket = new TokenBucket(undefined, clock.now);
	clock.advance(3_600_000);
	bucket.setRate(1_000);
	assert.is(bucket.available, 0);
});

test('a rate that is no number above 0 is refused, and changes nothing', () => {
	const clock = fakeClock();
	const bucket = new TokenBucket(1_000, clock.now);
	for (const rate of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
		throwsCode('ERR_USAGE', () => new TokenBucket(rate));
		throwsCode('ERR_USAGE', () => bucket.setRate(rate));
	}
	clock.advance(50);
	assert.is(bucket.available, 50);
});

test('in the long run the rate is kept exactly, whatever the size of the pieces', () => {
	const pieces = fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 20, maxLength: 60 });
	fc.assert(
		fc.property(pieces, fc.integer({ min: 10, max: 100_000 }), (sizes, rate) => {
			const clock = fakeClock();
			const start = clock.now();
			const bucket = new TokenBucket(rate, clock.now);
			let before = 0;
			for (const size of sizes) {
				while (bucket.wait > 0) {
					clock.advance(bucket.wait);
				}
				const ms = clock.now() - start;
				assert.ok(before <= (rate * ms) / 1_000 + 5_000, `${before} bytes in ${ms} ms`);
				before += size;
				bucket.spend(size);
			}
			const needed = ((before - 5_000) / rate) * 1_000;
			while (bucket.wait > 0) {
				clock.advance(bucket.wait);
			}
			const took = clock.now() - start;
			assert.ok(took >= needed && took <= (before / rate) * 1_000 + sizes.length + 2);
		}),
	);
});

test.run();
