import * as assert from 'uvu/assert';
import { parseByteRange } from '../../../../node/cli/parse/byte-range.ts';
import { suite } from '../../../helpers/harness/suite.ts';
import { throwsCode } from '../../../helpers/harness/throws-code.ts';

const test = suite('parseByteRange');

test('ranges have the syntax of HTTP and curl', () => {
	assert.equal(parseByteRange('0-499'), { start: 0, end: 499 });
	assert.equal(parseByteRange('7-7'), { start: 7, end: 7 });
	assert.equal(parseByteRange('500-'), { start: 500, end: undefined });
	assert.equal(parseByteRange('-500'), { start: -500 });
});

test('any other text is ERR_USAGE', () => {
	for (const text of ['', '-', '5', '5-4', '-0', 'a-b', '0-1,3-4', ' 0-1', '1e3-']) {
		throwsCode('ERR_USAGE', () => parseByteRange(text));
	}
});

test.run();
