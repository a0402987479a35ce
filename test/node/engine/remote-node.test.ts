import * as assert from 'uvu/assert';
import { Attempt, type Part } from '../../../node/engine/attempt.ts';
import { RemoteNode } from '../../../node/engine/remote-node.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('remote node');
const KIB = 1024;

/** Requests `count` parts of a node, delivers them in reverse, and returns those that count as lost. */
function deliveredInReverse(isDirect: boolean, count: number, isDirectNow = isDirect): Part[] {
	const lost: Part[] = [];
	const bounds = { mostPart: 64 * KIB, mostWindow: 16 * 1024 * KIB, isDirect };
	const remote = new RemoteNode('a', 4, bounds, (_, part) => lost.push(part));
	const attempt = new Attempt('a', 0, 4, 0, count * 64 * KIB);
	remote.attempts.add(attempt);
	const parts = Array.from({ length: count }, () => attempt.nextPart(64 * KIB));
	parts.forEach((part, index) => {
		remote.ask(part, 1n, index + 1, 0);
	});
	remote.window.rebound({ isDirect: isDirectNow });
	for (const [index, { offset, length }] of [...parts.entries()].reverse()) {
		assert.ok(remote.answered(1n, offset, length, count - index), `part ${index} is expected`);
	}
	return lost;
}

test('through the broker, a part that three later ones have overtaken counts as lost', () => {
	assert.is(deliveredInReverse(false, 3).length, 0);
	assert.is(deliveredInReverse(false, 6).length, 3);
});

test('on a direct lane, the sender changes the order, and no part counts as lost', () => {
	assert.equal(deliveredInReverse(true, 6), []);
});

test('a part that was requested through the broker may be lost even if the lane is direct by now', () => {
	assert.is(deliveredInReverse(false, 6, true).length, 3);
});

test.run();
