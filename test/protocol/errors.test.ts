import * as assert from 'uvu/assert';
import { isShoalError, ShoalError } from '../../protocol/errors.ts';
import { suite } from '../helpers/harness/suite.ts';

const test = suite('errors');

test('an error has its code, message and cause', () => {
	const cause = new Error('no route');
	const error = new ShoalError('ERR_BROKER', 'the broker is away', { cause });
	assert.instance(error, Error);
	assert.is(error.code, 'ERR_BROKER');
	assert.is(error.cause, cause);
	assert.is(String(error), 'ShoalError: the broker is away');
});

test('an error without a cause has no property cause', () => {
	assert.not('cause' in new ShoalError('ERR_IO', 'x'));
});

test('isShoalError checks the class and the code', () => {
	const error = new ShoalError('ERR_SEED', 'x');
	assert.ok(isShoalError(error));
	assert.ok(isShoalError(error, 'ERR_SEED'));
	assert.not(isShoalError(error, 'ERR_NAME'));
	for (const other of [new Error('x'), { code: 'ERR_SEED' }, 'ERR_SEED', null, undefined]) {
		assert.not(isShoalError(other));
	}
});

test.run();
