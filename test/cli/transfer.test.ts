import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { makeSeed } from '../../node/index.ts';
import { isNodeId, parseLink } from '../../protocol/index.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { runShoal } from '../helpers/harness/plain-shoal.ts';
import { CONTENT, fileSharedHere } from '../helpers/harness/shared-here.ts';
import { Shoal, spawnBroker } from '../helpers/harness/shoal.ts';
import { suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('share and get');

test('share and get print the documented events', async (t) => {
	const folder = await makeFolder(t);
	writeFileSync(join(folder, 'file.bin'), CONTENT);
	const { url } = await spawnBroker(t);
	const sharer = new Shoal(t, ['share', join(folder, 'file.bin'), '--broker', url]);
	const sharing = await sharer.event('sharing');
	const { name, length, chunks, link } = sharing;
	const id = String(sharing.id);
	assert.equal([name, length, chunks], ['file.bin', CONTENT.length, 3]);
	assert.equal(parseLink(String(link)), { id, name: 'file.bin' });
	const path = join(folder, 'copy.bin');
	const getter = new Shoal(t, ['get', id, '-o', path, '--broker', url]);
	assert.is(await getter.exit(), 0);
	assert.equal(new Uint8Array(readFileSync(path)), CONTENT);
	const complete = await getter.event('complete');
	assert.equal([complete.id, complete.path, complete.length], [id, path, CONTENT.length]);
	assert.ok(Number.isInteger(complete.ms));
	const [source] = complete.sources as Array<Record<string, unknown>>;
	assert.ok(isNodeId(source?.node));
	assert.equal([source?.lane, source?.chunks, source?.bytes], ['direct', 3, CONTENT.length]);
	for (const progress of getter.all('progress')) {
		assert.is(progress.id, id);
		for (const field of ['have', 'length', 'rate', 'sources']) {
			assert.ok(Number.isInteger(progress[field]), field);
		}
	}
	const serving = await sharer.event('serving');
	assert.ok(Number.isInteger(serving.rate));
	const [warning = ''] = sharer.stderr.split('\n');
	assert.is(JSON.parse(warning).event, 'warning', 'the link names no broker');
	sharer.signal('SIGTERM');
	assert.is(await sharer.exit(), 0);
	assert.is(sharer.events.at(-1)?.event, 'stopped');
	assert.ok(Number(sharer.events.at(-1)?.sent) >= CONTENT.length);
});

test('get takes a link, an id in capitals or a seed file, and a folder as its output', async (t) => {
	const { folder, url, seed, id } = await fileSharedHere(t, 'it\'s a "naïve" 文件.bin');
	writeFileSync(join(folder, 'x.seed'), seed.text());
	const broker = encodeURIComponent(url);
	const ways = [`shoal:${id}?broker=${broker}`, id.toUpperCase(), join(folder, 'x.seed')];
	for (const [index, what] of ways.entries()) {
		const output = join(folder, `out-${index}`);
		mkdirSync(output);
		// The link names the broker.
		const flags = index === 0 ? [] : ['--broker', url];
		const getter = new Shoal(t, ['get', what, '-o', output, '--no-linger', ...flags]);
		assert.is(await getter.exit(), 0, getter.stderr);
		assert.equal(readdirSync(output), ['it\'s a "naïve" 文件.bin']);
	}
});

test('SHOAL_BROKER names the broker if nothing else does', async (t) => {
	const { folder, url, id } = await fileSharedHere(t);
	const options = { cwd: folder, env: { SHOAL_BROKER: url } };
	const { code, text } = await runShoal(t, ['get', id, '-o', 'copy.bin', '--no-linger'], options);
	assert.is(code, 0);
	assert.match(text, /^complete .*copy\.bin {2}700 kB in/);
	assert.match(text, /sha256 {2}[0-9a-f]{64} {2}verified/);
	assert.match(text, /from {4}\S+ {2}100 % {2}700 kB/);
});

test('several files are shared at once, the same content only once', async (t) => {
	const { folder, path, url } = await fileSharedHere(t);
	const [twin, other] = [join(folder, 'twin.bin'), join(folder, 'other.bin')];
	writeFileSync(twin, CONTENT);
	writeFileSync(other, 'other');
	const sharer = new Shoal(t, ['share', path, twin, other, '--broker', url]);
	await until('two are shared', () => sharer.all('sharing').length === 2);
	sharer.signal('SIGTERM');
	await sharer.exit();
	assert.match(sharer.stderr, 'shared once');
});

test('share of a missing file is ERR_NO_FILE', async (t) => {
	const folder = await makeFolder(t);
	const { url } = await startBroker(t);
	const missing = new Shoal(t, ['share', join(folder, 'missing'), '--broker', url]);
	assert.is(await missing.exit(), 1);
	assert.is(missing.events.at(-1)?.code, 'ERR_NO_FILE');
});

test('a share with the id of a connected node is refused', async (t) => {
	const { path, url } = await fileSharedHere(t, 'file.bin', { id: 'node-of-mine' });
	const second = new Shoal(t, ['share', path, '--broker', url, '--id', 'node-of-mine']);
	assert.is(await second.exit(), 1);
	assert.is(second.events.at(-1)?.code, 'ERR_ID_TAKEN');
});

test('with --keep get goes on sharing until it is stopped, and then ends with exit code 0', async (t) => {
	const { folder, url, id, node } = await fileSharedHere(t);
	const first = new Shoal(t, ['get', id, '-o', join(folder, 'one'), '--broker', url, '--keep']);
	await first.event('complete');
	await node.close();
	const second = new Shoal(t, [
		'get',
		id,
		'-o',
		join(folder, 'two'),
		'--broker',
		url,
		'--no-linger',
	]);
	assert.is(await second.exit(), 0);
	first.signal('SIGINT');
	assert.is(await first.exit(), 0);
	assert.ok(Number(first.events.at(-1)?.sent) >= CONTENT.length);
});

test('with --wait get waits for a file that is shared later', async (t) => {
	const folder = await makeFolder(t);
	const path = join(folder, 'file.bin');
	writeFileSync(path, CONTENT);
	const { id } = await makeSeed(path);
	const { url } = await startBroker(t);
	const output = join(folder, 'copy');
	const args = ['get', id, '-o', output, '--broker', url, '--wait', '--no-linger'];
	const getter = new Shoal(t, args);
	await getter.event('progress');
	new Shoal(t, ['share', path, '--broker', url]);
	assert.is(await getter.exit(), 0);
	assert.equal(new Uint8Array(readFileSync(output)), CONTENT);
});

test('files beyond the number that the tracker lists for one node are reported, and the others are shared', async (t) => {
	const { url } = await spawnBroker(t, '--limit', 'nodeAnnounces=3');
	const folder = await makeFolder(t);
	const paths = Array.from({ length: 10 }, (_, index) => join(folder, `file-${index}`));
	for (const path of paths) {
		writeFileSync(path, path);
	}
	const share = new Shoal(t, ['share', ...paths, '--broker', url]);
	const { code, message } = await share.event('error');
	assert.is(code, 'ERR_LIMIT');
	assert.match(String(message), '7 seeds');
	assert.match(String(message), 'nodeAnnounces');
	assert.is(share.all('sharing').length, 3);
	share.signal('SIGTERM');
	assert.is(await share.exit(), 1);
});

test.run();
