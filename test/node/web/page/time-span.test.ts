import * as assert from 'uvu/assert';
import { timeSpan } from '../../../../node/web/page/time-span.ts';
import { suite } from '../../../helpers/harness/suite.ts';

const test = suite('the time that a curve shows');
const NOW = 1_795_606_570;

test('the last minute until now while there is no sample, then one to five minutes', () => {
	assert.equal(timeSpan(null, null, NOW), [NOW - 60, NOW]);
	assert.equal(timeSpan(NOW - 4, NOW - 2, NOW), [NOW - 62, NOW - 2]);
	assert.equal(timeSpan(NOW - 200, NOW, NOW), [NOW - 200, NOW]);
	assert.equal(timeSpan(NOW - 900, NOW, NOW), [NOW - 300, NOW]);
});

test.run();
