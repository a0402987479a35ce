import * as assert from 'uvu/assert';
import { Feeds } from '../../../node/stats/traffic.ts';
import { fakeClock } from '../../helpers/harness/clock.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('Feeds');

test('who feeds a node comes with lane and rate, the largest first, and is forgotten when it rests', () => {
	const clock = fakeClock(1_000_000);
	const feeds = new Feeds(clock.now);
	assert.is(feeds.largest, undefined);
	for (let step = 0; step < 400; step += 1) {
		clock.advance(10);
		feeds.count('node-slow', 'broker', 1_000);
		feeds.count('node-fast', 'direct', 3_000);
		feeds.count('node-fast', 'broker', 2_000);
	}
	const named = feeds.largest?.map(({ node, lane, rate }) => {
		return `${node} ${lane} ${Math.round(rate / 50_000) * 50_000}`;
	});
	assert.equal(named, [
		'node-fast direct 300000',
		'node-fast broker 200000',
		'node-slow broker 100000',
	]);
	clock.advance(3_000);
	feeds.count('node-slow', 'broker', 1_000);
	assert.equal(
		feeds.largest?.map(({ node }) => node),
		['node-slow'],
	);
	clock.advance(3_000);
	assert.is(feeds.largest, undefined);
});

test('of many only the eight largest are named', () => {
	const clock = fakeClock();
	const feeds = new Feeds(clock.now);
	for (let number = 10; number < 30; number += 1) {
		feeds.count(`node-no-${number}`, 'direct', number * 1_000);
	}
	assert.equal(
		feeds.largest?.map(({ node }) => node),
		[29, 28, 27, 26, 25, 24, 23, 22].map((number) => `node-no-${number}`),
	);
});

test.run();
