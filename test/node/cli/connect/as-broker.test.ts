import * as assert from 'uvu/assert';
import { asBroker } from '../../../../node/cli/connect/connect.ts';
import { failureOf } from '../../../../node/cli/terminal/failure.ts';
import { type ErrorCode, ShoalError } from '../../../../protocol/index.ts';
import { rejects } from '../../../helpers/harness/rejects.ts';
import { suite } from '../../../helpers/harness/suite.ts';

const test = suite('a broker that cannot be used');

async function failure(code: ErrorCode) {
	const work = Promise.reject(new ShoalError(code, 'as the link says'));
	return failureOf(await rejects(asBroker(work, ['mqtt://a'])));
}

test('a broker that does not answer is distinguished from one that ends the connection', async () => {
	const { message, hint } = await failure('ERR_TIMEOUT');
	assert.is(message, 'there is no MQTT broker that answers at mqtt://a');
	assert.match(hint ?? '', 'shoal broker');
	const ended = await failure('ERR_DISCONNECTED');
	assert.is(ended.code, 'ERR_BROKER');
	assert.match(
		ended.message,
		/^the broker at mqtt:\/\/a accepted the connection, and then ended it;/,
	);
	assert.is(ended.hint, undefined);
	assert.is((await failure('ERR_REFUSED')).message, 'as the link says');
});

test.run();
