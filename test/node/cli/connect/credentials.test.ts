import * as assert from 'uvu/assert';
import { credentialsFor } from '../../../../node/cli/connect/credentials.ts';
import { formatJoinLink } from '../../../../protocol/index.ts';
import { makeFolder } from '../../../helpers/fixtures/folder.ts';
import { suite } from '../../../helpers/harness/suite.ts';

const test = suite('credentials');
const TOKEN = 't'.repeat(22);
const [CERT, OTHER_CERT] = ['a'.repeat(64), 'b'.repeat(64)];

test('T32: the token of a join link is sent to its brokers only: same scheme, host and port', async (t) => {
	const before = { ...process.env };
	t.defer(() => {
		for (const name of ['SHOAL_JOIN', 'XDG_STATE_HOME'] as const) {
			before[name] === undefined ? delete process.env[name] : Object.assign(process.env, before);
		}
	});
	const broker = ['mqtts://lab.example:8883', 'mqtts://10.0.0.5:1999'];
	process.env.SHOAL_JOIN = formatJoinLink({ broker, token: TOKEN, cert: [CERT, OTHER_CERT] });
	process.env.XDG_STATE_HOME = await makeFolder(t);
	for (const url of ['mqtts://lab.example:8883', 'mqtts://lab.example', 'mqtts://lab.example/']) {
		const { token, cert } = credentialsFor(url);
		assert.equal([token, cert], [TOKEN, CERT], url);
	}
	assert.is(credentialsFor('mqtts://10.0.0.5:1999').cert, OTHER_CERT);
	for (const url of [
		'mqtt://lab.example:8883',
		'wss://lab.example:8883',
		'mqtts://lab.example:8884',
		'mqtts://lab.example.org:8883',
		'mqtts://lab.example@10.0.0.6:8883',
		'mqtts://10.0.0.5:8883',
	]) {
		assert.equal(credentialsFor(url), {}, url);
	}
});

test.run();
