import * as assert from 'uvu/assert';
import { Responsiveness } from '../../../node/peers/responsiveness.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('responsiveness');
const MINUTES = 60_000;

test('a node that did not deliver counts as silent for ten minutes, or until it delivers', () => {
	const known = new Responsiveness();
	assert.not.ok(known.isSilent('a', 0));
	known.failed('a', 0);
	known.failed('b', 0);
	assert.ok(known.isSilent('a', 10 * MINUTES - 1));
	assert.not.ok(known.isSilent('a', 10 * MINUTES));
	known.delivered('b');
	assert.not.ok(known.isSilent('b', 1));
	assert.ok(known.delivers('b'));
	known.failed('b', 2);
	assert.not.ok(known.delivers('b'));
	assert.ok(known.isSilent('b', 3));
});

test('a node that did not answer counts as silent until it answers; a failure to deliver stays', () => {
	const known = new Responsiveness();
	known.mute('a', 0);
	known.failed('b', 0);
	known.mute('b', 1);
	assert.ok(known.isSilent('a', 1) && known.isSilent('b', 1));
	known.answered('a');
	known.answered('b');
	assert.not.ok(known.isSilent('a', 2));
	assert.ok(known.isSilent('b', 2));
	known.delivered('c');
	known.answered('c');
	assert.ok(known.delivers('c'));
});

test('at most 1,000 nodes are remembered; the oldest entry is removed for a new one', () => {
	const known = new Responsiveness();
	for (let index = 0; index <= 1_000; index += 1) {
		known.failed(`node-${index}`, 0);
	}
	assert.not.ok(known.isSilent('node-0', 1));
	assert.ok(known.isSilent('node-1', 1));
	assert.ok(known.isSilent('node-1000', 1));
});

test.run();
