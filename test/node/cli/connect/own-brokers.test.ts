import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { DataFolder } from '../../../../broker/index.ts';
import { credentialsFor } from '../../../../node/cli/connect/credentials.ts';
import {
	leaveWord,
	type OwnBroker,
	ownBroker,
	ownBrokers,
	publicUrls,
} from '../../../../node/cli/connect/own-brokers.ts';
import { makeFolder } from '../../../helpers/fixtures/folder.ts';
import { type Scope, suite } from '../../../helpers/harness/suite.ts';
import { throwsCode } from '../../../helpers/harness/throws-code.ts';

const test = suite('brokers that a user runs');
const CERT = 'a'.repeat(64);
const own: OwnBroker = {
	broker: 'mqtts://10.0.0.5:1999',
	near: 'mqtts://127.0.0.1:1999',
	urls: ['mqtts://lab.example:443'],
	cert: CERT,
};

/**
 * Makes brokers write their records below a temporary folder.
 *
 * @returns the folder of the records
 */
async function useState(t: Scope): Promise<string> {
	const state = await makeFolder(t);
	const before = { ...process.env };
	Object.assign(process.env, { XDG_STATE_HOME: state, XDG_CONFIG_HOME: state });
	t.defer(() => {
		for (const name of ['XDG_STATE_HOME', 'XDG_CONFIG_HOME'] as const) {
			before[name] === undefined ? delete process.env[name] : Object.assign(process.env, before);
		}
	});
	return join(state, 'shoal', 'running');
}

test('a record is readable only by its owner, is found while its process runs, and is removed at the end', async (t) => {
	const folder = await useState(t);
	assert.equal(ownBrokers(), []);
	const takeBack = leaveWord(own);
	const [name = ''] = await readdir(folder);
	for (const path of [folder, join(folder, name)]) {
		assert.is((await stat(path)).mode & 0o077, 0);
	}
	assert.match({ ...ownBroker() }.broker ?? '', own.broker);
	takeBack();
	assert.equal(await readdir(folder), []);
	assert.is(ownBroker(), undefined);
});

test('T32: a record that another user has written is not used', async (t) => {
	await useState(t);
	t.defer(leaveWord(own));
	assert.is(ownBrokers().length, 1);
	const { getuid } = process;
	if (getuid !== undefined) {
		t.defer(() => {
			process.getuid = getuid;
		});
		process.getuid = () => getuid() + 1;
		assert.equal(ownBrokers(), []);
	}
});

test('a record contains no token; the present token is read from the data folder of the broker', async (t) => {
	const folder = await useState(t);
	const data = new DataFolder(await makeFolder(t));
	const { node } = data.renewTokens();
	t.defer(leaveWord({ ...own, data: data.path }));
	const [name = ''] = await readdir(folder);
	assert.not((await readFile(join(folder, name), 'utf8')).includes(node));
	for (const url of [
		own.broker,
		own.near,
		...own.urls,
		'mqtts://localhost:1999',
		'mqtts://[::1]:1999',
		'mqtts://LocalHost:1999',
		'mqtts://LAB.example:443',
	]) {
		assert.equal(credentialsFor(url), { token: node, cert: CERT }, url);
	}
	for (const other of ['mqtt://10.0.0.5:1999', 'mqtts://10.0.0.5:2000', 'mqtts://10.0.0.6:1999']) {
		assert.equal(credentialsFor(other), {}, other);
	}
	const renewed = data.renewTokens().node;
	assert.is(credentialsFor(own.near).token, renewed);
	assert.equal(publicUrls([own.broker, 'mqtt://10.9.9.9:1']), [own.urls[0], 'mqtt://10.9.9.9:1']);
});

test('of several brokers the one at the default port is used; without it, the choice is an error', async (t) => {
	const folder = await useState(t);
	t.defer(leaveWord(own));
	const [name = ''] = await readdir(folder);
	const text = await readFile(join(folder, name), 'utf8');
	const second = { ...JSON.parse(text), broker: 'mqtt://127.0.0.1:2000' };
	await writeFile(join(folder, '1.json'), JSON.stringify(second), { mode: 0o600 });
	throwsCode('ERR_BROKER', () => ownBroker());
	await writeFile(
		join(folder, '1.json'),
		JSON.stringify({ ...second, broker: 'mqtt://127.0.0.1' }),
	);
	assert.is(ownBroker()?.broker, 'mqtt://127.0.0.1');
});

test('records of killed processes, of other machines and damaged ones are ignored; the next broker removes those of killed processes', async (t) => {
	const folder = await useState(t);
	const takeBack = leaveWord(own);
	const [name = ''] = await readdir(folder);
	const text = await readFile(join(folder, name), 'utf8');
	takeBack();
	const record = JSON.parse(text);
	await mkdir(folder, { recursive: true });
	const stale = { ...record, process: { ...record.process, pid: 2 ** 22 + 1 } };
	const reused = { ...record, process: { ...record.process, start: '1' } };
	const elsewhere = { ...record, process: { ...record.process, host: 'another' } };
	await writeFile(join(folder, '1.json'), JSON.stringify(stale));
	await writeFile(join(folder, '2.json'), JSON.stringify(reused));
	await writeFile(join(folder, '3.json'), JSON.stringify(elsewhere));
	await writeFile(join(folder, '4.json'), text.slice(0, 30));
	await writeFile(join(folder, '5.json'), JSON.stringify({ ...record, version: 2 }));
	await writeFile(join(folder, '6.json'), JSON.stringify({ ...record, broker: 'http://evil' }));
	assert.equal(ownBrokers(), []);
	assert.equal(credentialsFor(own.near), {});
	t.defer(leaveWord(own));
	const left = await readdir(folder);
	assert.not(left.includes('1.json'));
	assert.ok(left.includes('3.json'), 'its process may run on that machine');
});

test('if the record cannot be written, there is none, and no error', async (t) => {
	await useState(t);
	process.env.XDG_STATE_HOME = import.meta.filename;
	leaveWord(own)();
	assert.equal(ownBrokers(), []);
});

test.run();
