import * as assert from 'uvu/assert';
import { openAccess } from '../../../../node/cli/broker/broker-access.ts';
import { makeFolder } from '../../../helpers/fixtures/folder.ts';
import { suite } from '../../../helpers/harness/suite.ts';

const test = suite('access to a broker');

test('P5: a broker needs no token only if it listens on loopback', async (t) => {
	const data = await makeFolder(t);
	for (const host of [undefined, '127.0.0.1', '127.8.8.8', '::1', 'localhost']) {
		assert.is(openAccess({ host, data }).tokens, undefined, host);
	}
	for (const host of [
		...['0.0.0.0', '::', '0.0.0.0.', '::0', '::ffff:0.0.0.0', '10.0.0.5', 'fd00::2'],
		...['127.evil.example', 'x.localhost', '0'],
	]) {
		assert.ok(openAccess({ host, data }).tokens, host);
		assert.ok(openAccess({ host, data, insecureAnonymous: true }).isAnonymous, host);
	}
	assert.ok(openAccess({ lan: true, data }).tokens);
});

test.run();
