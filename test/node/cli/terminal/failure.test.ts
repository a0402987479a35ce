import * as assert from 'uvu/assert';
import { failureOf } from '../../../../node/cli/terminal/failure.ts';
import { type ErrorCode, explain, ShoalError } from '../../../../protocol/index.ts';
import { suite } from '../../../helpers/harness/suite.ts';

const test = suite('errors as they are printed');

const hintOf = (code: ErrorCode, message: string) => failureOf(new ShoalError(code, message)).hint;

/** The hint if a connection to `url` fails with an error. */
function hintOfConnection(url: string, message: string, code?: string): string | undefined {
	const cause = Object.assign(new Error(message), { code });
	return failureOf(explain(cause, { url, clientId: 'node' })).hint;
}

test('an error without a next step gets the hint of its code', () => {
	// Also of seed and verify, which share nothing.
	assert.match(hintOf('ERR_CHANGED', '"x" changed while it was hashed') ?? '', /^try again when/);
	assert.match(hintOf('ERR_ID', '"x" is no seed id: 64 digits expected') ?? '', /shoal ls/);
	assert.match(hintOfConnection('mqtt://a', 'connect ECONNREFUSED') ?? '', /^start one with/);
	const list = 'none of the 2 brokers can be used: ECONNREFUSED; ECONNREFUSED';
	assert.match(hintOf('ERR_BROKER', list) ?? '', /^start one with/);
});

test('an error that names the next step gets no other hint', () => {
	const messages: ReadonlyArray<[ErrorCode, string]> = [
		['ERR_CHANGED', '/a has another content now; share it anew'],
		['ERR_CHANGED', '"a" was changed while it was copied; publish it again when it is complete'],
		['ERR_CHANGED', 'the published files were changed; publish again, with --keep 1 for a copy'],
		['ERR_BROKER', 'there are several brokers; name one with --broker URL'],
	];
	for (const [code, message] of messages) {
		assert.is(hintOf(code, message), undefined, message);
	}
});

test('an error of a connection that is not solved by another broker gets no hint about it', () => {
	const failures: ReadonlyArray<[string, string, string?]> = [
		['mqtt://a', 'closed', 'ERR_DISCONNECTED'],
		['mqtt://a', 'too many', 'EMFILE'],
		['mqtts://a', 'wrong version', 'ERR_SSL_WRONG_VERSION_NUMBER'],
		['ws://a', 'Unexpected server response: 404'],
	];
	for (const [url, message, code] of failures) {
		assert.is(hintOfConnection(url, message, code), undefined, message);
	}
});

test.run();
