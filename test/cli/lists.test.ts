import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { ShoalNode } from '../../node/index.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { startPlainBroker } from '../helpers/harness/plain-broker.ts';
import { runShoal } from '../helpers/harness/plain-shoal.ts';
import { Shoal } from '../helpers/harness/shoal.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('broker, tracker, ls, who and watch');

const NAME = 'evil\u202egnp 文件.exe';

/** Starts a broker, and shares one file for each of `names` from this process. */
async function shareHere(t: Scope, ...names: string[]) {
	const { url } = await startBroker(t);
	const node = await ShoalNode.start({ broker: url });
	t.defer(() => node.close());
	const folder = await makeFolder(t);
	const ids: string[] = [];
	for (const [index, name] of names.entries()) {
		const path = join(folder, `file-${index}`);
		writeFileSync(path, `content of ${name}`);
		ids.push((await node.share(path, { name })).seed.id);
	}
	return { url, ids, node };
}

/** Shares a file from a new process. */
async function share(t: Scope, url: string, name = 'file.bin') {
	const path = join(await makeFolder(t), 'file.bin');
	writeFileSync(path, `content of ${name}`);
	const sharer = new Shoal(t, ['share', path, '--name', name, '--broker', url]);
	const { id } = await sharer.event('sharing');
	return { sharer, id: String(id) };
}

test('ls lists every seed, with names in printable form', async (t) => {
	const { url, ids } = await shareHere(t, NAME, 'b');
	const [id = '', second = ''] = ids;
	const shoal = new Shoal(t, ['ls', '--broker', url]);
	assert.is(await shoal.exit(), 0);
	const found = shoal.all('seed').find((seed) => seed.id === id);
	assert.equal(
		[found?.name, found?.length, found?.seeders, found?.downloaders],
		[NAME, Buffer.byteLength(`content of ${NAME}`), 1, 0],
	);
	const { text } = await runShoal(t, ['ls', '--broker', url]);
	const lines = text.trimEnd().split('\n');
	assert.is(lines.length, 3);
	assert.match(lines[0] as string, /^NAME +SIZE +FILES +SEEDERS +DOWNLOADERS +ID$/);
	assert.ok(lines.some((line) => line.includes('evil\\u{202e}gnp 文件.exe') && line.endsWith(id)));
	assert.ok(lines.some((line) => line.endsWith(second)));
	assert.not.match(text, '\u202e');
	assert.not.match(text, '\u001b');
});

test('ls says so if nobody shares anything', async (t) => {
	const { url } = await startBroker(t);
	const { code, text } = await runShoal(t, ['ls', '--broker', url]);
	assert.is(code, 0);
	assert.match(text, /^nobody shares anything/);
});

test('who lists the nodes of a seed, by id or link', async (t) => {
	const { url, ids, node: sharer } = await shareHere(t, 'file.bin');
	const [id = ''] = ids;
	const shoal = new Shoal(t, ['who', id, '--broker', url]);
	assert.is(await shoal.exit(), 0);
	const { node, have, chunks, addresses, reach } = await shoal.event('node');
	assert.equal([node, have, chunks, reach], [sharer.id, 1, 1, 'direct']);
	const [address = ''] = addresses as string[];
	assert.match(address, /^mqtt:\/\/127\.0\.0\.1:\d+$/);
	const link = `shoal:${id}?broker=${encodeURIComponent(url)}`;
	const { text } = await runShoal(t, ['who', link]);
	assert.match(text, new RegExp(`^${node} +100 % +1 of 1 +directly +${address}$`, 'm'));
	assert.match(text, /^1 seeder, 0 downloaders$/m);
	const nobody = await runShoal(t, ['who', '0'.repeat(64), '--broker', url]);
	assert.is(nobody.code, 3);
});

test('watch prints states, announces, events and loads', async (t) => {
	const { url } = await startBroker(t);
	const watch = new Shoal(t, ['watch', '--broker', url]);
	assert.is((await watch.event('tracker')).state, 'ready');
	const { id, sharer } = await share(t, url, NAME);
	const announce = await watch.event('announce');
	assert.equal([announce.seed, announce.name, announce.have, announce.chunks], [id, NAME, 1, 1]);
	assert.match(String(announce.map), /^f{64}$/);
	assert.is((await watch.event('seed-added')).seed, id);
	const isStateThere = () => watch.all('state').some(({ state }) => state === 'ready');
	await until('the state of the node', isStateThere);
	// The first load may be from before the other client connected.
	const isSeen = () => watch.all('load').some(({ clients }) => Number(clients) >= 2);
	await until('the load of the broker', isSeen);
	sharer.signal('SIGTERM');
	await watch.event('withdrawn');
	await watch.event('node-left');
	assert.is(watch.stderr, '');
});

test('a port in use is an error that names --port', async (t) => {
	const { url } = await startBroker(t);
	const { port } = new URL(url);
	const { code, stderr } = await runShoal(t, ['broker', '--port', port]);
	assert.is(code, 1);
	assert.match(stderr, /in use.*--port.*\(ERR_PORT\)\n$/);
});

test('a broker on all addresses prints its addresses, and --limit changes its limits', async (t) => {
	const args = ['broker', '--port', '0', '--host', '0.0.0.0', '--insecure-anonymous'];
	args.push('--limit', 'clients=1');
	const broker = new Shoal(t, args);
	const { url, addresses } = await broker.event('listening');
	assert.match(String(url), /^mqtt:\/\/0\.0\.0\.0:\d+$/);
	assert.ok(Array.isArray(addresses));
	const local = String(url).replace('0.0.0.0', '127.0.0.1');
	const watch = new Shoal(t, ['watch', '--broker', local]);
	await watch.event('tracker');
	const second = new Shoal(t, ['ls', '--broker', local]);
	assert.is(await second.exit(), 1);
	assert.is(second.events.at(-1)?.code, 'ERR_REFUSED');
});

test('shoal tracker works on another MQTT broker, and a second tracker stands by', async (t) => {
	const { url } = await startPlainBroker(t);
	const tracker = new Shoal(t, ['tracker', '--broker', url]);
	const lonely = new Shoal(t, ['ls', '--broker', url]);
	await tracker.event('ready');
	assert.is(await lonely.exit(), 0);
	const { id } = await share(t, url);
	const shoal = new Shoal(t, ['ls', '--broker', url]);
	assert.is(await shoal.exit(), 0);
	assert.is((await shoal.event('seed')).id, id);
	const second = new Shoal(t, ['tracker', '--broker', url]);
	await second.event('standby');
	tracker.signal('SIGTERM');
	assert.is(await tracker.exit(), 0);
	await second.event('ready');
});

test.run();
