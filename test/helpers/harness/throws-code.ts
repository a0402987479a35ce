import * as assert from 'uvu/assert';
import { type ErrorCode, isShoalError, type ShoalError } from '../../../protocol/index.ts';

/** Runs `body`, checks that it throws a ShoalError with `code`, and returns the error. */
export function throwsCode(code: ErrorCode, body: () => unknown, what = ''): ShoalError {
	try {
		body();
	} catch (error) {
		assert.ok(isShoalError(error), `${what} throws ${error} and no ShoalError`);
		assert.is(error.code, code, `${what} throws ${error}`);
		return error;
	}
	return assert.unreachable(`${what} throws nothing, ${code} expected`) as never;
}
