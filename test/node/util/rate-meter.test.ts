import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { RateMeter } from '../../../node/util/rate-meter.ts';
import { fakeClock } from '../../helpers/harness/clock.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('RateMeter');

test('before the first byte the rate is 0, not NaN', () => {
	const meter = new RateMeter(fakeClock().now);
	assert.is(meter.rate, 0);
	meter.count(100);
	assert.ok(Number.isFinite(meter.rate));
	assert.is(meter.total, 100);
});

test('the rate of a steady stream is measured', () => {
	const clock = fakeClock(1_000_000);
	const meter = new RateMeter(clock.now);
	for (let step = 0; step < 1_000; step += 1) {
		clock.advance(10);
		meter.count(1_000);
	}
	assert.ok(Math.abs(meter.rate - 100_000) < 2_000, `${meter.rate}`);
	assert.is(meter.total, 1_000_000);
});

test('the time before the first byte does not lower the rate of a stream that has just begun', () => {
	const clock = fakeClock(1_000_100);
	const meter = new RateMeter(clock.now);
	clock.advance(500);
	meter.count(50_000);
	assert.is(meter.rate, 100_000);
});

test('two seconds after the last byte the rate is 0, and the total stays', () => {
	const clock = fakeClock();
	const meter = new RateMeter(clock.now);
	meter.count(5_000);
	clock.advance(2_000);
	assert.is(meter.rate, 0);
	assert.is(meter.total, 5_000);
	clock.advance(1e9);
	assert.is(meter.rate, 0);
});

test('the rate is an integer, never negative, and at most the sum that was counted in the last two seconds', () => {
	const steps = fc.array(fc.tuple(fc.nat(3_000), fc.nat(1e6)), { maxLength: 40 });
	fc.assert(
		fc.property(steps, fc.nat(1e6), (all, start) => {
			const clock = fakeClock(start);
			const meter = new RateMeter(clock.now);
			const counted: Array<[at: number, bytes: number]> = [];
			for (const [ms, bytes] of all) {
				clock.advance(ms);
				meter.count(bytes);
				counted.push([clock.now(), bytes]);
				const recent = counted.filter(([at]) => clock.now() - at < 2_000);
				const sum = recent.reduce((total, [, each]) => total + each, 0);
				assert.ok(Number.isInteger(meter.rate) && meter.rate >= 0);
				assert.ok(meter.rate <= sum * 4 + 1);
			}
			assert.is(
				meter.total,
				counted.reduce((total, [, each]) => total + each, 0),
			);
		}),
	);
});

test.run();
