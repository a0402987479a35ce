import * as assert from 'uvu/assert';
import { FanOut } from '../../../node/seeding/fan-out.ts';
import { fakeClock } from '../../helpers/harness/clock.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('fan-out');

/** A fan-out that two listeners asked for a seed. */
function twoListeners() {
	const clock = fakeClock();
	const fanOut = new FanOut(clock.now);
	fanOut.asked('seed', 'a', true);
	fanOut.asked('seed', 'b', true);
	return { clock, fanOut };
}

test('one listener is answered alone', () => {
	const fanOut = new FanOut(fakeClock().now);
	fanOut.asked('seed', 'a', true);
	assert.is(fanOut.deliveryOf('seed', 'a', 0), 'private');
});

test('two listeners are answered at once', () => {
	const { fanOut } = twoListeners();
	assert.is(fanOut.deliveryOf('seed', 'a', 0), 'shared');
	assert.is(fanOut.deliveryOf('seed', 'b', 1), 'shared');
});

test('who does not listen is answered alone, and does not make others listeners', () => {
	const { fanOut } = twoListeners();
	fanOut.asked('seed', 'c', false);
	assert.is(fanOut.deliveryOf('seed', 'c', 0), 'private');
	fanOut.asked('seed', 'b', false);
	assert.is(fanOut.deliveryOf('seed', 'a', 0), 'private');
});

test('listeners of another seed do not count', () => {
	const fanOut = new FanOut(fakeClock().now);
	fanOut.asked('seed', 'a', true);
	fanOut.asked('other', 'b', true);
	assert.is(fanOut.deliveryOf('seed', 'a', 0), 'private');
});

test('who has not asked for five seconds does not listen any more', () => {
	const { clock, fanOut } = twoListeners();
	clock.advance(3_000);
	fanOut.asked('seed', 'a', true);
	assert.ok(fanOut.isSubscribed('seed', 'b'));
	clock.advance(3_000);
	assert.is(fanOut.deliveryOf('seed', 'a', 0), 'private');
	assert.not.ok(fanOut.isSubscribed('seed', 'b'));
});

test('a wish that crossed its answer is answered already', () => {
	const { clock, fanOut } = twoListeners();
	fanOut.shared('seed', 'a', 3, 5);
	clock.advance(2_000);
	assert.is(fanOut.deliveryOf('seed', 'b', 4), 'answered');
	assert.is(fanOut.deliveryOf('seed', 'b', 6), 'shared');
});

test('what was lost on the way is sent again, to the one who lost it', () => {
	const { clock, fanOut } = twoListeners();
	fanOut.shared('seed', 'a', 4, 4);
	clock.advance(500);
	assert.is(fanOut.deliveryOf('seed', 'a', 4), 'private');
	assert.is(fanOut.deliveryOf('seed', 'b', 4), 'answered');
	assert.is(fanOut.deliveryOf('seed', 'b', 4), 'private');
});

test('who came after a chunk was shared has not heard it', () => {
	const { clock, fanOut } = twoListeners();
	fanOut.shared('seed', 'a', 4, 4);
	clock.advance(10);
	fanOut.asked('seed', 'late', true);
	assert.is(fanOut.deliveryOf('seed', 'late', 4), 'shared');
});

test.run();
