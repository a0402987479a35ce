import * as assert from 'uvu/assert';
import { Traffic } from '../../../node/stats/traffic.ts';
import { fakeClock } from '../../helpers/harness/clock.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('Traffic');

test('the peers that send to this node are listed with lane and rate, the fastest first; idle peers are dropped', () => {
	const clock = fakeClock(1_000_000);
	const traffic = new Traffic(clock.now);
	assert.is(traffic.largest, undefined);
	for (let step = 0; step < 400; step += 1) {
		clock.advance(10);
		traffic.received('node-slow', 'broker', 1_000);
		traffic.received('node-fast', 'direct', 3_000);
		traffic.received('node-fast', 'broker', 2_000);
	}
	const named = traffic.largest?.map(({ node, lane, rate }) => {
		return `${node} ${lane} ${Math.round(rate / 50_000) * 50_000}`;
	});
	assert.equal(named, [
		'node-fast direct 300000',
		'node-fast broker 200000',
		'node-slow broker 100000',
	]);
	clock.advance(3_000);
	traffic.received('node-slow', 'broker', 1_000);
	assert.equal(
		traffic.largest?.map(({ node }) => node),
		['node-slow'],
	);
	clock.advance(3_000);
	assert.is(traffic.largest, undefined);
});

test('at most the eight fastest peers are listed', () => {
	const clock = fakeClock();
	const traffic = new Traffic(clock.now);
	for (let number = 10; number < 30; number += 1) {
		traffic.received(`node-no-${number}`, 'direct', number * 1_000);
	}
	assert.equal(
		traffic.largest?.map(({ node }) => node),
		[29, 28, 27, 26, 25, 24, 23, 22].map((number) => `node-no-${number}`),
	);
});

test.run();
