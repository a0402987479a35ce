import * as assert from 'uvu/assert';
import { DialBackoff } from '../../../node/lanes/dial-backoff.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('pauses between dials');

test('the pause doubles from 5 s to a minute, and a lane that worked ends it', () => {
	const backoff = new DialBackoff();
	let now = 0;
	for (const pause of [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]) {
		backoff.failed('node-0001', true, now);
		assert.not(backoff.isTime('node-0001', now + pause - 1));
		now += pause;
		assert.ok(backoff.isTime('node-0001', now));
	}
	backoff.failed('node-0001', true, now);
	backoff.worked('node-0001');
	assert.ok(backoff.isTime('node-0001', now));
});

test('after a lane that had worked, the pause is 1 s; after one to a wrong machine, a minute', () => {
	for (const [end, pause] of [
		['lost', 1_000],
		['mistaken', 60_000],
	] as const) {
		const backoff = new DialBackoff();
		backoff[end]('node-0001', 0);
		assert.not(backoff.isTime('node-0001', pause - 1), end);
		assert.ok(backoff.isTime('node-0001', pause), end);
	}
});

test('of many nodes that cannot be reached, those dialled first are forgotten', () => {
	const backoff = new DialBackoff();
	const nodes = Array.from({ length: 1_001 }, (_, number) => `node-${10_000 + number}`);
	for (const node of nodes) {
		backoff.failed(node, true, 0);
	}
	assert.equal(
		nodes.filter((node) => backoff.isTime(node, 1)),
		nodes.slice(0, 1),
	);
});

test.run();
