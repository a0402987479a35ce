import * as assert from 'uvu/assert';
import { refusalError } from '../../../broker/access/refusal-error.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('the error of a refusal');

test('it has a code and a message, but no stack trace, and later errors have one', () => {
	const { code, message, stack } = refusalError('it is refused');
	assert.equal([code, message], ['ERR_REFUSED', 'it is refused']);
	assert.not.match(String(stack), /\n\s+at /);
	assert.match(String(new Error('another').stack), /\n\s+at /);
});

test.run();
