import * as assert from 'uvu/assert';
import { FanOut } from '../../../node/seeding/fan-out.ts';
import { fakeClock } from '../../helpers/harness/clock.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('fan-out');

/** A fan-out with requests from two subscribers for one seed. */
function twoListeners() {
	const clock = fakeClock();
	const fanOut = new FanOut(clock.now);
	fanOut.asked('seed', 'a', true);
	fanOut.asked('seed', 'b', true);
	return { clock, fanOut };
}

test('a single subscriber gets a private answer', () => {
	const fanOut = new FanOut(fakeClock().now);
	fanOut.asked('seed', 'a', true);
	assert.is(fanOut.deliveryOf('seed', 'a', 0), 'private');
});

test('two subscribers get one shared answer', () => {
	const { fanOut } = twoListeners();
	assert.is(fanOut.deliveryOf('seed', 'a', 0), 'shared');
	assert.is(fanOut.deliveryOf('seed', 'b', 1), 'shared');
});

test('a node that does not subscribe gets a private answer, and does not count as a subscriber', () => {
	const { fanOut } = twoListeners();
	fanOut.asked('seed', 'c', false);
	assert.is(fanOut.deliveryOf('seed', 'c', 0), 'private');
	fanOut.asked('seed', 'b', false);
	assert.is(fanOut.deliveryOf('seed', 'a', 0), 'private');
});

test('subscribers of another seed do not count', () => {
	const fanOut = new FanOut(fakeClock().now);
	fanOut.asked('seed', 'a', true);
	fanOut.asked('other', 'b', true);
	assert.is(fanOut.deliveryOf('seed', 'a', 0), 'private');
});

test('a node without a request for five seconds does not count as a subscriber any more', () => {
	const { clock, fanOut } = twoListeners();
	clock.advance(3_000);
	fanOut.asked('seed', 'a', true);
	assert.ok(fanOut.isSubscribed('seed', 'b'));
	clock.advance(3_000);
	assert.is(fanOut.deliveryOf('seed', 'a', 0), 'private');
	assert.not.ok(fanOut.isSubscribed('seed', 'b'));
});

test('a request that crossed the shared answer on its way needs no answer', () => {
	const { clock, fanOut } = twoListeners();
	fanOut.shared('seed', 'a', 3, 5);
	clock.advance(2_000);
	assert.is(fanOut.deliveryOf('seed', 'b', 4), 'answered');
	assert.is(fanOut.deliveryOf('seed', 'b', 6), 'shared');
});

test('if a node had received a later message, its first request for a chunk gets a private answer', () => {
	const { fanOut } = twoListeners();
	fanOut.shared('seed', 'a', 3, 4);
	fanOut.shared('seed', 'a', 7, 7);
	fanOut.shared('seed', 'a', 9, 9);
	const heard = fanOut.messageWith('seed', 7);
	assert.is(fanOut.deliveryOf('seed', 'b', 4, heard), 'private');
	assert.is(fanOut.deliveryOf('seed', 'b', 7, heard), 'private', 'it could not be used');
	assert.is(fanOut.deliveryOf('seed', 'b', 9, heard), 'answered');
	assert.is(fanOut.messageWith('seed', 20), undefined);
	assert.is(fanOut.deliveryOf('seed', 'b', 3, undefined), 'answered');
});

test('if a chunk was lost, its second request gets a private answer', () => {
	const { clock, fanOut } = twoListeners();
	fanOut.shared('seed', 'a', 4, 4);
	clock.advance(500);
	assert.is(fanOut.deliveryOf('seed', 'a', 4), 'private');
	assert.is(fanOut.deliveryOf('seed', 'b', 4), 'answered');
	assert.is(fanOut.deliveryOf('seed', 'b', 4), 'private');
});

test('a node that subscribed after a chunk was sent gets the chunk', () => {
	const { clock, fanOut } = twoListeners();
	fanOut.shared('seed', 'a', 4, 4);
	clock.advance(10);
	fanOut.asked('seed', 'late', true);
	assert.is(fanOut.deliveryOf('seed', 'late', 4), 'shared');
});

test.run();
