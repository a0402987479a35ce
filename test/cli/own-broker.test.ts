import { spawnSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { parseJoinLink, parseLink } from '../../protocol/index.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { makeFile } from '../helpers/harness/node.ts';
import { CACHELESS, Shoal } from '../helpers/harness/shoal.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';

const test = suite('a broker that commands of the same user find by themselves');

/** A user with new folders for state and configuration. */
async function user(t: Scope) {
	const home = await makeFolder(t);
	const { SHOAL_BROKER: _, SHOAL_JOIN: __, SHOAL_ADVERTISE: ___, ...rest } = CACHELESS;
	const env = {
		...rest,
		XDG_STATE_HOME: join(home, 'state'),
		XDG_CONFIG_HOME: join(home, 'config'),
	};
	const run = (...args: string[]): Shoal => new Shoal(t, args, env);
	const broker = async (...args: string[]): Promise<Shoal> => {
		const started = run('broker', '--port', '0', '--no-mdns', '--http', '0', ...args);
		await started.event('listening');
		return started;
	};
	return { home, run, broker, running: join(home, 'state', 'shoal', 'running') };
}

test('every command of the same user reaches a broker with TLS and token, wherever its data is', async (t) => {
	const { home, run, broker, running } = await user(t);
	const host = ['--lan', '--advertise', 'lab.example:443', '--data', join(home, 'elsewhere')];
	const started = await broker(...host);
	const share = run('share', await makeFile(t, 'content'));
	const { id, link } = await share.event('sharing');
	assert.is(parseLink(String(link)).broker, 'mqtts://lab.example:443', 'the advertised address');
	const got = run('get', String(id), '-o', join(home, 'copy'), '--no-linger');
	assert.is(await got.exit(), 0, got.stderr);
	assert.is(await readFile(join(home, 'copy'), 'utf8'), 'content');
	for (const args of [['ls'], ['who', String(id)]]) {
		const shoal = run(...args);
		assert.is(await shoal.exit(), 0, shoal.stderr);
	}
	await run('watch').event('tracker');
	await run('gateway', '--port', '0').event('listening');
	await run('tracker').event('standby');
	assert.is((await run('join').event('broker')).from, 'running');
	const stranger = (await user(t)).run('ls', '--broker', `mqtts://127.0.0.1:${portOf(started)}`);
	assert.is(await stranger.exit(), 4);
	started.signal('SIGTERM');
	assert.is(await started.exit(), 0);
	assert.equal(await readdir(running), []);
});

test('a joined broker is used even if a broker of the same user runs, and join prints it', async (t) => {
	const { home, run, broker } = await user(t);
	const other = new Shoal(t, [
		...['broker', '--port', '0', '--lan', '--no-mdns', '--http', '0'],
		...['--data', join(home, 'other'), '--advertise', '127.0.0.1'],
	]);
	const { link } = await other.event('join');
	assert.is(await run('join', String(link)).exit(), 0);
	await broker();
	const { broker: used, from } = await run('join').event('broker');
	assert.equal([used, from], [parseJoinLink(String(link)).broker, 'joined']);
});

test('the record of a killed broker is ignored, and if two brokers run, --broker has to name one', async (t) => {
	const { run, broker } = await user(t);
	const killed = await broker();
	killed.signal('SIGKILL');
	await killed.exit();
	assert.is((await run('join').event('broker')).from, 'none');
	const [one] = [await broker(), await broker('--tls')];
	const ls = run('ls');
	assert.is(await ls.exit(), 4);
	assert.match(String(ls.all('error')[0]?.message), '--broker');
	const named = run('ls', '--broker', `mqtt://localhost:${portOf(one)}`);
	assert.is(await named.exit(), 0, named.stderr);
});

test('every link has the advertised address, and an invalid address is wrong usage', async (t) => {
	const { home, broker, run } = await user(t);
	const data = join(home, 'data');
	const args = [
		'--lan',
		'--data',
		data,
		'--advertise',
		'lab.example:443',
		'--advertise',
		'fd00::2',
	];
	const started = await broker(...args);
	const { addresses, http } = await started.event('listening');
	const port = portOf(started);
	assert.equal(addresses, ['mqtts://lab.example:443', `mqtts://[fd00::2]:${port}`]);
	const { link, watch, page } = await started.event('join');
	for (const each of [link, watch]) {
		assert.is(parseJoinLink(String(each)).broker, 'mqtts://lab.example:443');
	}
	const { token } = parseJoinLink(String(link));
	assert.is(page, `https://lab.example:${new URL(String(http)).port}/#token=${token}`);
	const again = await run('token', '--data', data).event('join');
	assert.equal([again.link, again.page], [link, page]);
	for (const wrong of ['a/b', '0.0.0.0', 'fe80::1', 'lab:0']) {
		const refused = run('broker', '--port', '0', '--advertise', wrong);
		assert.is(await refused.exit(), 2, wrong);
	}
});

/**
 * The prefix of a command that runs it in a network namespace set up by `commands`; undefined
 * without the right to make one.
 */
function machine(commands: string): string[] | undefined {
	const within = ['unshare', '-n', 'sh', '-ec', `ip link set lo up\n${commands}\nexec "$@"`, 'sh'];
	const isUsable = spawnSync(within[0] as string, [...within.slice(1), 'true']).status === 0;
	if (!isUsable) {
		console.log('skipped: no right to make a network namespace');
	}
	return isUsable ? within : undefined;
}

async function startOn(t: Scope, within: readonly string[]) {
	const env = { ...CACHELESS, XDG_STATE_HOME: await makeFolder(t), SHOAL_ADVERTISE: '' };
	const args = ['broker', '--port', '1883', '--lan', '--no-mdns', '--data', await makeFolder(t)];
	const broker = new Shoal(t, args, env, within);
	return { broker, listening: await broker.event('listening') };
}

test('on a machine with only IPv6 the links have its address, and work', async (t) => {
	const within = machine(
		'ip link add d0 type bridge\nip link set d0 up\nip addr add fd00:5::1/64 dev d0 nodad',
	);
	if (within === undefined) {
		return;
	}
	const { broker, listening } = await startOn(t, within);
	assert.equal(listening.addresses, ['mqtts://[fd00:5::1]:1883']);
	const { link } = await broker.event('join');
	const env = { ...CACHELESS, SHOAL_JOIN: String(link), SHOAL_BROKER: '' };
	const ls = new Shoal(t, ['ls'], env, ['nsenter', '-n', '-t', String(broker.pid)]);
	assert.is(await ls.exit(), 0, ls.stderr);
});

test('of several interfaces the one of the default route comes first', async (t) => {
	const within = machine(
		'for at in 0 1; do ip link add d$at type bridge; ip addr add 10.$at.0.1/24 dev d$at; ip link set d$at up; done\nip route add default via 10.1.0.2',
	);
	if (within !== undefined) {
		const { listening } = await startOn(t, within);
		assert.equal(listening.addresses, ['mqtts://10.1.0.1:1883', 'mqtts://10.0.0.1:1883']);
	}
});

test('without an address no link is printed', async (t) => {
	const within = machine('');
	if (within !== undefined) {
		const { broker, listening } = await startOn(t, within);
		assert.equal(listening.addresses, []);
		broker.signal('SIGTERM');
		await broker.exit();
		assert.equal(broker.all('join'), []);
	}
});

function portOf(broker: Shoal): string {
	return new URL(String(broker.all('listening')[0]?.url)).port;
}

test.run();
