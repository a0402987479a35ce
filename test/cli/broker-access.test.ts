import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { DataFolder } from '../../broker/index.ts';
import { ShoalNode } from '../../node/index.ts';
import { formatJoinLink, type JoinLink, parseJoinLink } from '../../protocol/index.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { makeFile } from '../helpers/harness/node.ts';
import { rejects } from '../helpers/harness/rejects.ts';
import { CACHELESS, MAIN, Shoal } from '../helpers/harness/shoal.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { throwsCode } from '../helpers/harness/throws-code.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('access to shoal broker');

/** A broker that listens on all addresses and needs a token, and its join links for 127.0.0.1. */
async function openBroker(t: Scope, data: string) {
	const args = ['broker', '--host', '0.0.0.0', '--port', '0', '--data', data];
	const broker = new Shoal(t, [...args, '--advertise', '127.0.0.1']);
	const { url } = await broker.event('listening');
	const local = String(url).replace('0.0.0.0', '127.0.0.1');
	const read = (text: unknown): JoinLink => parseJoinLink(String(text));
	const links = async () => {
		const { link, watch } = await broker.event('join');
		return { node: read(link), watch: read(watch) };
	};
	return { broker, url: local, links };
}

/** An environment in which the broker of `link` is joined. */
async function joined(t: Scope, link: JoinLink): Promise<NodeJS.ProcessEnv> {
	const env = { ...CACHELESS, XDG_CONFIG_HOME: await makeFolder(t), SHOAL_BROKER: undefined };
	assert.is(await new Shoal(t, ['join', formatJoinLink(link)], env).exit(), 0);
	return env;
}

/** An environment in which SHOAL_JOIN names the broker, without a run of `shoal join`. */
function joinedBy(link: JoinLink): NodeJS.ProcessEnv {
	return { ...CACHELESS, SHOAL_BROKER: undefined, SHOAL_JOIN: formatJoinLink(link) };
}

const codeOf = (shoal: Shoal): unknown => shoal.all('error').at(-1)?.code;

test('P5: a broker on loopback accepts everybody; a broker on all addresses only those who have joined', async (t) => {
	const { url, links } = await openBroker(t, await makeFolder(t));
	const { node } = await links();
	const wrongPeer = new Shoal(t, ['ls', '--broker', url]);
	assert.is(await wrongPeer.exit(), 1);
	assert.is(codeOf(wrongPeer), 'ERR_REFUSED');
	const env = await joined(t, node);
	assert.is(await new Shoal(t, ['ls'], env).exit(), 0, 'no flag is needed');
	const path = await makeFile(t, 'what is shared');
	const sharer = new Shoal(t, ['share', path], env);
	const { id } = await sharer.event('sharing');
	const copy = join(await makeFolder(t), 'copy');
	const getter = new Shoal(t, ['get', String(id), '-o', copy, '--no-linger'], env);
	assert.is(await getter.exit(), 0);
	assert.is(await readFile(copy, 'utf8'), 'what is shared');
	const local = new Shoal(t, ['broker', '--port', '0']);
	const { url: loopback } = await local.event('listening');
	assert.is(await new Shoal(t, ['ls', '--broker', String(loopback)]).exit(), 0);
});

test('a token is sent only to the broker that was joined with it', async (t) => {
	const { links } = await openBroker(t, await makeFolder(t));
	const { node } = await links();
	const env = await joined(t, node);
	let seen = Buffer.alloc(0);
	const thief = createServer((socket) => {
		socket.on('data', (bytes) => {
			seen = Buffer.concat([seen, bytes]);
		});
		socket.on('error', () => {});
	});
	await new Promise<void>((resolve) => thief.listen(0, '127.0.0.1', resolve));
	t.defer(() => new Promise((resolve) => thief.close(resolve)));
	const { port } = thief.address() as { port: number };
	const link = `shoal:${'0'.repeat(64)}?broker=${encodeURIComponent(`mqtt://127.0.0.1:${port}`)}`;
	const getter = new Shoal(t, ['get', link], env);
	await until('it has sent CONNECT', () => seen.length > 10);
	await getter.end();
	assert.is(seen.includes(node.token), false);
});

test('T20: only the owner can read the data of a broker; its token stays after a restart, and is unique', async (t) => {
	const data = join(await makeFolder(t), 'data');
	const first = await openBroker(t, data);
	const { node } = await first.links();
	for (const name of ['.', ...(await readdir(data))]) {
		const { mode } = await stat(join(data, name));
		assert.is(mode & 0o077, 0, name);
	}
	first.broker.signal('SIGTERM');
	assert.is(await first.broker.exit(), 0);
	const again = await openBroker(t, data);
	const back = await ShoalNode.start({ broker: again.url, token: node.token });
	await back.close();
	assert.equal(again.broker.all('join'), [], 'the links are printed only once');
	const other = await openBroker(t, await makeFolder(t));
	assert.is.not((await other.links()).node.token, node.token);
	const refused = await rejects(ShoalNode.start({ broker: other.url, token: node.token }));
	assert.is(refused.code, 'ERR_REFUSED');
});

test('when the token is renewed, clients with the old token are disconnected at once', async (t) => {
	const data = await makeFolder(t);
	const { url, links } = await openBroker(t, data);
	const { node } = await links();
	const member = await ShoalNode.start({ broker: url, token: node.token });
	t.defer(() => member.close());
	let isOut = false;
	member.on('down', () => {
		isOut = true;
	});
	const renew = new Shoal(t, ['token', 'renew', '--data', data]);
	const { link } = await renew.event('join');
	await until('it is out', () => isOut);
	const refused = await rejects(ShoalNode.start({ broker: url, token: node.token }));
	assert.is(refused.code, 'ERR_REFUSED');
	const { token } = parseJoinLink(String(link));
	await (await ShoalNode.start({ broker: url, token })).close();
});

test('a command whose token was renewed says that it does not go on by itself', async (t) => {
	const data = await makeFolder(t);
	const { links } = await openBroker(t, data);
	const env = joinedBy((await links()).node);
	const share = spawn(process.execPath, [MAIN, 'share', await makeFile(t, 'shared')], { env });
	t.defer(() => share.kill('SIGKILL'));
	let text = '';
	share.stdout.on('data', (bytes) => {
		text += bytes;
	});
	await until('it shares', () => /sharing/.test(text));
	await new Shoal(t, ['token', 'renew', '--data', data]).exit();
	await until('it says so', () => /was lost; .*\n.*does not go on by itself: .*link/.test(text));
});

test('a token file that is damaged is a warning while the broker runs, and an error at the next start', async (t) => {
	const data = await makeFolder(t);
	const { broker, url, links } = await openBroker(t, data);
	const { node } = await links();
	for (const damaged of ['', 'null', '{"version":2}', '{"version":1,"tokens":{"node":5}}']) {
		await writeFile(join(data, 'broker.json'), damaged);
		throwsCode('ERR_IO', () => new DataFolder(data).tokens);
	}
	await until('the warning ERR_IO', () => /ERR_IO/.test(broker.stderr));
	await (await ShoalNode.start({ broker: url, token: node.token })).close();
	broker.signal('SIGTERM');
	await broker.exit();
	const again = new Shoal(t, ['broker', '--host', '0.0.0.0', '--port', '0', '--data', data]);
	assert.is(await again.exit(), 1);
	assert.is(codeOf(again), 'ERR_IO');
});

test('a client with the watch token receives the control topics, but cannot get a file', async (t) => {
	const data = await makeFolder(t);
	const { url, links } = await openBroker(t, data);
	const { node, watch } = await links();
	const seeder = await ShoalNode.start({ broker: url, token: node.token });
	t.defer(() => seeder.close());
	const { seed } = await seeder.share(await makeFile(t, 'content'));
	const env = joinedBy(watch);
	const watcher = new Shoal(t, ['watch'], env);
	assert.is((await watcher.event('announce')).seed, seed.id);
	const getter = new Shoal(t, ['get', seed.id, '-o', join(await makeFolder(t), 'copy')], env);
	assert.is.not(await getter.exit(), 0);
	assert.is(codeOf(getter), 'ERR_REFUSED');
	const log = await readFile(join(data, 'audit.jsonl'), 'utf8');
	const lines = log
		.trim()
		.split('\n')
		.map((line) => JSON.parse(line) as Record<string, string>);
	const refused = lines.find(({ about }) => about?.startsWith('subscribe shoal/1/inbox/'));
	assert.is(refused?.reason, 'filter', 'T23: the refusal is in the audit log');
	assert.match(String(refused?.address), '127.0.0.1');
	assert.ok(Date.parse(String(refused?.time)) > 0);
});

test('with --insecure-anonymous a broker on all addresses accepts everybody, and warns', async (t) => {
	const args = ['broker', '--host', '0.0.0.0', '--port', '0', '--insecure-anonymous'];
	const broker = new Shoal(t, args);
	const { url } = await broker.event('listening');
	const local = String(url).replace('0.0.0.0', '127.0.0.1');
	assert.is(await new Shoal(t, ['ls', '--broker', local]).exit(), 0);
	await until('it warns', () => /"warning".*ERR_INSECURE/.test(broker.stderr));
});

test('with --lan, a broker listens at the address that --host names', async (t) => {
	// Only the resolver of names knows that this is 127.0.0.1, so it is not refused.
	const args = ['broker', '--lan', '--host', '127.1', '--port', '0', '--http', '0'];
	const broker = new Shoal(t, [...args, '--no-mdns', '--data', await makeFolder(t)]);
	const { url, http } = await broker.event('listening');
	assert.match(String(url), /^mqtts:\/\/127\.0\.0\.1:/);
	assert.match(String(http), /^https:\/\/127\.0\.0\.1:/);
});

test('a join link has the fingerprint of the certificate of the broker, and another one is refused', async (t) => {
	const data = await makeFolder(t);
	const args = ['broker', '--host', '0.0.0.0', '--port', '0', '--data', data, '--tls'];
	const broker = new Shoal(t, [...args, '--advertise', '127.0.0.1']);
	const { url } = await broker.event('listening');
	assert.match(String(url), /^mqtts:/);
	const { link } = await broker.event('join');
	const local = parseJoinLink(String(link));
	assert.is(await new Shoal(t, ['ls'], await joined(t, local)).exit(), 0);
	const forged = new Shoal(t, ['ls'], joinedBy({ ...local, cert: '0'.repeat(64) }));
	assert.is.not(await forged.exit(), 0);
	const [error] = forged.all('error');
	assert.match(String(error?.message), 'ask the operator of the broker for its fingerprint');
	assert.is(error?.hint, undefined);
});

test('join connects first: a wrong link changes nothing, and the event of a right one has its role', async (t) => {
	const { url, links } = await openBroker(t, await makeFolder(t));
	const { node, watch } = await links();
	const env = await joined(t, node);
	const wrong = new Shoal(t, ['join', formatJoinLink({ ...node, token: 'w'.repeat(24) })], env);
	assert.is.not(await wrong.exit(), 0);
	assert.equal(wrong.all('joined'), []);
	const away = new Shoal(
		t,
		['join', formatJoinLink({ ...node, broker: 'mqtt://127.0.0.1:1' })],
		env,
	);
	assert.is(await away.exit(), 4);
	const which = new Shoal(t, ['join'], env);
	assert.is(await which.exit(), 0);
	const { broker, from } = await which.event('broker');
	assert.equal([broker, from], [url, 'joined']);
	assert.is(await new Shoal(t, ['ls'], env).exit(), 0, 'the first broker is still joined');
	const watcher = new Shoal(t, ['join', formatJoinLink(watch)], env);
	assert.is((await watcher.event('joined')).role, 'watch');
	const leave = new Shoal(t, ['leave'], env);
	assert.is((await leave.event('left')).joined, true);
	const none = new Shoal(t, ['join'], env);
	assert.is((await none.event('broker')).from, 'none');
});

test('a user without a home, or a folder in place of the file of the joined broker, is no internal error', async (t) => {
	const { url } = await startBroker(t);
	const config = await makeFolder(t);
	await mkdir(join(config, 'shoal', 'joined'), { recursive: true });
	const { HOME: _, XDG_CONFIG_HOME: __, XDG_CACHE_HOME: ___, ...homeless } = CACHELESS;
	for (const env of [homeless, { ...CACHELESS, XDG_CONFIG_HOME: config }]) {
		const ls = new Shoal(t, ['ls', '--broker', url], { ...env, SHOAL_BROKER: undefined });
		assert.is(await ls.exit(), 0, ls.stderr);
	}
});

test('the help prints no error when its reader closes the pipe', async (t) => {
	const child = spawn('sh', ['-c', `"${process.execPath}" "${MAIN}" --help | true`]);
	t.defer(() => child.kill('SIGKILL'));
	let text = '';
	child.stderr.on('data', (data) => {
		text += data;
	});
	await new Promise((resolve) => child.once('close', resolve));
	assert.is(text, '');
});

test.run();
