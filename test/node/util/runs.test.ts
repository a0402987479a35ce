import * as assert from 'uvu/assert';
import { runsOf } from '../../../node/util/runs.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('runs');

test('consecutive numbers become one run', () => {
	assert.equal(runsOf([]), []);
	assert.equal(runsOf([3]), [[3, 3]]);
	assert.equal(runsOf([0, 1, 2, 5, 7, 8]), [
		[0, 2],
		[5, 5],
		[7, 8],
	]);
});

test.run();
