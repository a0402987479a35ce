import * as assert from 'uvu/assert';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { makeFile } from '../helpers/harness/node.ts';
import { CACHELESS, Shoal } from '../helpers/harness/shoal.ts';
import { suite } from '../helpers/harness/suite.ts';

const test = suite('a fixed id');

test('T9: a second process with the same id is refused, and after a crash the id can be used again', async (t) => {
	const env = { ...CACHELESS, XDG_CONFIG_HOME: await makeFolder(t) };
	const path = await makeFile(t, 'what is shared');
	const { url } = await startBroker(t);
	const args = ['share', path, '--broker', url, '--id', 'node-of-mine'];
	const first = new Shoal(t, args, env);
	await first.event('sharing');
	const second = new Shoal(t, args, env);
	assert.is(await second.exit(), 1);
	assert.is(second.events.at(-1)?.code, 'ERR_ID_TAKEN');
	assert.equal(first.all('offline'), []);
	first.signal('SIGKILL');
	await first.exit();
	await new Shoal(t, args, env).event('sharing');
});

test.run();
