import * as assert from 'uvu/assert';
import { isDueAt } from '../../../node/util/seldom.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('seldom');

test('the first looks count, then fewer and fewer, then one in each period', () => {
	const counts = Array.from({ length: 100 }, (_, count) => count);
	assert.equal(
		counts.filter((count) => isDueAt(count, 32)),
		[1, 2, 4, 8, 16, 32, 64, 96],
	);
});

test.run();
