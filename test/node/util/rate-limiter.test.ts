import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { RateLimiter } from '../../../node/util/rate-limiter.ts';
import { fakeClock } from '../../helpers/harness/clock.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { throwsCode } from '../../helpers/harness/throws-code.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('RateLimiter');

test('without a rate there is no limit and no wait', () => {
	const bucket = new RateLimiter(undefined, fakeClock().now);
	bucket.spend(1e12);
	assert.is(bucket.available, Number.POSITIVE_INFINITY);
	assert.is(bucket.wait, 0);
});

test('after more bytes are spent than are available, the wait lasts until the rate has made up for them', () => {
	const clock = fakeClock();
	const bucket = new RateLimiter(1_000, clock.now);
	clock.advance(30);
	assert.is(bucket.available, 30);
	assert.is(bucket.wait, 0);
	bucket.spend(530);
	assert.is(bucket.available, -500);
	assert.is(bucket.wait, 500);
	clock.advance(500);
	assert.ok(bucket.wait > 0 && bucket.wait <= 1);
	clock.advance(1);
	assert.is(bucket.wait, 0);
});

test('an idle limiter saves up at most 40 ms of its rate', () => {
	const clock = fakeClock();
	const bucket = new RateLimiter(1_000, clock.now);
	clock.advance(3_600_000);
	assert.is(bucket.available, 40);
});

test('a new rate applies from the moment it is set; after the limit is lifted, there is no wait', () => {
	const clock = fakeClock();
	const bucket = new RateLimiter(1_000, clock.now);
	bucket.spend(1_000);
	clock.advance(500);
	bucket.setRate(10_000);
	assert.is(bucket.wait, 50);
	bucket.setRate(undefined);
	assert.is(bucket.wait, 0);
});

test('a limit that is set after a long time without a limit starts with no saved bytes', () => {
	const clock = fakeClock();
	const bucket = new RateLimiter(undefined, clock.now);
	clock.advance(3_600_000);
	bucket.setRate(1_000);
	assert.is(bucket.available, 0);
});

test('a rate that is not a positive finite number is refused with ERR_USAGE, and the old rate stays', () => {
	const clock = fakeClock();
	const bucket = new RateLimiter(1_000, clock.now);
	for (const rate of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
		throwsCode('ERR_USAGE', () => new RateLimiter(rate));
		throwsCode('ERR_USAGE', () => bucket.setRate(rate));
	}
	clock.advance(30);
	assert.is(bucket.available, 30);
});

test('callbacks of whenFree run once, in the order of the calls, each when the bytes that were spent before are paid for', async () => {
	const clock = fakeClock();
	const bucket = new RateLimiter(100_000, clock.now);
	const slots: string[] = [];
	const slot = (name: string) => (): void => {
		slots.push(name);
		bucket.spend(1_000);
	};
	bucket.spend(1_000);
	bucket.whenFree(slot('a'));
	bucket.whenFree(slot('b'));
	bucket.whenFree(() => {
		slot('c')();
		bucket.whenFree(slot('d'));
	});
	for (const had of ['', 'a', 'ab', 'abc']) {
		assert.is(slots.join(''), had);
		clock.advance(10.5);
		await until('the next turn', () => slots.length > had.length);
	}
	clock.advance(1_000);
	await new Promise((resolve) => setTimeout(resolve, 20));
	assert.is(slots.join(''), 'abcd');
});

test('whenFree does not wait if bytes can be spent now; when the limit is lifted, all waiting callbacks run', () => {
	const bucket = new RateLimiter(undefined);
	assert.not(bucket.whenFree(() => assert.unreachable()));
	bucket.setRate(1);
	bucket.spend(1_000);
	const slots: string[] = [];
	bucket.whenFree(() => slots.push('a'));
	bucket.whenFree(() => slots.push('b'));
	bucket.setRate(undefined);
	assert.equal(slots, ['a', 'b']);
});

test('affordable allows at most the bytes that arrive within the shortest response time plus a small margin', () => {
	const clock = fakeClock();
	const bucket = new RateLimiter(1_000_000, clock.now);
	clock.advance(1_000);
	assert.is(
		bucket.affordable(() => ({ quickest: Number.POSITIVE_INFINITY, outstanding: 1e9 })),
		40_000,
	);
	assert.is(
		bucket.affordable(() => ({ quickest: 5, outstanding: 0 })),
		30_000,
	);
	assert.is(
		bucket.affordable(() => ({ quickest: 200, outstanding: 215_000 })),
		10_000,
	);
	assert.ok(bucket.affordable(() => ({ quickest: 5, outstanding: 30_000 })) <= 0);
	bucket.setRate(undefined);
	assert.is(
		bucket.affordable(() => ({ quickest: 5, outstanding: 1e9 })),
		Number.POSITIVE_INFINITY,
	);
});

test('whenFree never leaves a callback waiting if the limiter becomes free during the call', async () => {
	// A clock that advances with each reading, as real clocks do.
	let now = 0;
	const bucket = new RateLimiter(1_000, () => {
		now += 0.5;
		return now;
	});
	for (let time = 0; time < 200; time += 1) {
		bucket.spend(1 + (time % 3));
		while (bucket.wait > 0) {
			const slot = new Promise<string>((resolve) => {
				bucket.whenFree(() => resolve('turn')) || resolve('at once');
			});
			const late = new Promise<string>((resolve) => setTimeout(resolve, 60_000, 'late').unref());
			assert.is.not(await Promise.race([slot, late]), 'late');
		}
	}
});

test('the size of a piece is a power of two, at most 50 ms of the rate but at least 16 KiB', () => {
	const piece = (rate: number | undefined): number => new RateLimiter(rate).piece;
	assert.equal([1, 2e6, 5e6, 20e6].map(piece), [16_384, 65_536, 131_072, 524_288]);
	assert.is(piece(undefined), Number.POSITIVE_INFINITY);
});

test('in the long run the rate is kept exactly, whatever the size of the pieces', () => {
	const pieces = fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 20, maxLength: 60 });
	fc.assert(
		fc.property(pieces, fc.integer({ min: 10, max: 100_000 }), (sizes, rate) => {
			const clock = fakeClock();
			const start = clock.now();
			const bucket = new RateLimiter(rate, clock.now);
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
