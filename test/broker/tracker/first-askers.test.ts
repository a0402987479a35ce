import * as assert from 'uvu/assert';
import { FirstAskers } from '../../../broker/tracker/first-askers.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('first askers');

test('of the nodes that ask within three seconds, one is the first', () => {
	const askers = new FirstAskers();
	assert.not(askers.isOther('seed', 'ann', 0));
	assert.ok(askers.isOther('seed', 'bob', 10));
	assert.not(askers.isOther('seed', 'ann', 20), 'it asks again');
	assert.not(askers.isOther('other', 'bob', 20));
	assert.ok(askers.isOther('seed', 'bob', 2_999));
	assert.not(askers.isOther('seed', 'bob', 3_000), 'ann has not come');
	assert.ok(askers.isOther('seed', 'ann', 3_001));
});

test('only the last thousand seeds are remembered', () => {
	const askers = new FirstAskers();
	for (let number = 0; number < 1_001; number += 1) {
		askers.isOther(`seed ${number}`, 'ann', 0);
	}
	assert.not(askers.isOther('seed 0', 'bob', 1));
	assert.ok(askers.isOther('seed 1000', 'bob', 1));
});

test.run();
