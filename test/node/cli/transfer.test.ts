import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { makeSeed, ShoalNode } from '../../../node/index.ts';
import { isNodeId, parseLink } from '../../../protocol/index.ts';
import { startBroker } from '../../helpers/broker.ts';
import { runShoal } from '../../helpers/plain-shoal.ts';
import { contentOf } from '../../helpers/seeds.ts';
import { Shoal, spawnBroker, temporaryFolder } from '../../helpers/shoal.ts';
import { type Scope, suite } from '../../helpers/suite.ts';
import { until } from '../../helpers/until.ts';

const test = suite('share and get', { timeout: 20_000 });

const CONTENT = contentOf(700_000);

/** A file that is shared by a process of its own. */
async function sharedFile(t: Scope, name = 'file.bin', ...flags: string[]) {
	const folder = await temporaryFolder(t);
	const path = join(folder, name);
	writeFileSync(path, CONTENT);
	const { url } = await spawnBroker(t);
	const sharer = new Shoal(t, ['share', path, '--broker', url, ...flags]);
	const sharing = await sharer.event('sharing');
	return { folder, path, url, sharer, sharing, id: String(sharing.id) };
}

/** A file that is shared by this process, where it does not matter who does. */
async function fileSharedHere(t: Scope, name = 'file.bin') {
	const folder = await temporaryFolder(t);
	const path = join(folder, name);
	writeFileSync(path, CONTENT);
	const { url } = await startBroker(t);
	const node = await ShoalNode.start({ broker: url });
	t.defer(() => node.close());
	const { seed } = await node.share(path);
	return { folder, path, url, seed, id: seed.id };
}

test('share and get tell what the contract says', async (t) => {
	const { folder, url, sharer, sharing, id } = await sharedFile(t);
	const { name, length, chunks, link } = sharing;
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

test('get takes a link, an id in capitals and a seed file, and a folder to put it in', async (t) => {
	const { folder, url, seed, id } = await fileSharedHere(t, 'it\'s a "naïve" 文件.bin');
	writeFileSync(join(folder, 'x.seed'), seed.text());
	const broker = encodeURIComponent(url);
	const ways = [`shoal:${id}?broker=${broker}`, id.toUpperCase(), join(folder, 'x.seed')];
	for (const [index, what] of ways.entries()) {
		const output = join(folder, `out-${index}`);
		mkdirSync(output);
		// The first finds its broker in the link.
		const flags = index === 0 ? [] : ['--broker', url];
		const getter = new Shoal(t, ['get', what, '-o', output, '--no-linger', ...flags]);
		assert.is(await getter.exit(), 0, getter.stderr);
		assert.equal(readdirSync(output), ['it\'s a "naïve" 文件.bin']);
	}
});

test('SHOAL_BROKER names the broker where nothing else does', async (t) => {
	const { folder, url, id } = await fileSharedHere(t);
	const options = { cwd: folder, env: { SHOAL_BROKER: url } };
	const { code, text } = await runShoal(t, ['get', id, '-o', 'copy.bin', '--no-linger'], options);
	assert.is(code, 0);
	assert.match(text, /^complete .*copy\.bin {2}700 kB in/);
	assert.match(text, /sha256 {2}[0-9a-f]{64} {2}verified/);
	assert.match(text, /from {4}\S+ {2}100 % {2}700 kB/);
});

test('with -o - the bytes are on standard output and all else on standard error', async (t) => {
	const { url, id } = await fileSharedHere(t);
	const people = await runShoal(t, ['get', id, '-o', '-', '--broker', url]);
	assert.is(people.code, 0);
	assert.equal(new Uint8Array(people.stdout), CONTENT);
	assert.match(people.stderr, /^complete/);
	const programs = await runShoal(t, ['get', id, '-o', '-', '--broker', url, '--json']);
	assert.equal(new Uint8Array(programs.stdout), CONTENT);
	const events = programs.stderr
		.trim()
		.split('\n')
		.map((line) => JSON.parse(line));
	assert.equal([events.at(-1).event, events.at(-1).path], ['complete', '-']);
	assert.is(events.at(-1).sources[0].bytes, CONTENT.length);
});

test('with --range only those bytes are fetched and written, and the end says what was verified', async (t) => {
	const { url, id } = await fileSharedHere(t);
	const args = ['get', id, '-o', '-', '--broker', url, '--range'];
	const people = await runShoal(t, [...args, '10-19']);
	assert.is(people.code, 0);
	assert.equal(new Uint8Array(people.stdout), CONTENT.slice(10, 20));
	assert.match(
		people.stderr,
		/bytes {3}10 to 19 of 700000: every chunk verified, the whole cannot/,
	);
	const programs = await runShoal(t, [...args, '-5', '--json']);
	assert.equal(new Uint8Array(programs.stdout), CONTENT.slice(-5));
	const { start, length, verified } = JSON.parse(programs.stderr.trim().split('\n').at(-1) ?? '');
	assert.equal([start, length, verified], [CONTENT.length - 5, 5, 'chunks']);
	assert.is((await runShoal(t, [...args, '5-4'])).code, 2);
	assert.is((await runShoal(t, ['get', id, '--range', '0-4', '--broker', url])).code, 2);
});

test('a file that has nothing of the seed is not replaced', async (t) => {
	const { folder, path, url, id } = await fileSharedHere(t);
	writeFileSync(join(folder, 'mine.bin'), 'mine');
	const args = ['get', id, '-o', join(folder, 'mine.bin'), '--broker', url];
	const { code, stderr } = await runShoal(t, args);
	assert.is(code, 1);
	assert.match(stderr, /another with -o.*\(ERR_EXISTS\)\n$/);
	assert.is(readFileSync(join(folder, 'mine.bin'), 'utf8'), 'mine');
	const below = new Shoal(t, ['get', id, '-o', join(path, 'x'), '--broker', url]);
	assert.is(await below.exit(), 1);
	assert.is(below.events.at(-1)?.code, 'ERR_NO_FILE');
});

test('a file that is there and right is told so, and of an older version is told what was kept', async (t) => {
	const { folder, url, id } = await fileSharedHere(t);
	writeFileSync(join(folder, 'same.bin'), CONTENT);
	const args = (name: string) => [
		'get',
		id,
		'-o',
		join(folder, name),
		'--broker',
		url,
		'--no-linger',
	];
	const same = await runShoal(t, args('same.bin'));
	assert.is(same.code, 0);
	assert.match(
		same.text,
		/same\.bin {2}700 kB {2}is there already and right\n {2}sha256 .* verified\n$/,
	);
	const program = new Shoal(t, args('same.bin'));
	assert.is(await program.exit(), 0);
	const { sources, kept, wasThere } = await program.event('complete');
	assert.equal({ sources, kept, wasThere }, { sources: [], kept: CONTENT.length, wasThere: true });
	writeFileSync(join(folder, 'older.bin'), CONTENT.subarray(0, 300_000));
	const older = await runShoal(t, args('older.bin'));
	assert.match(
		older.text,
		/^complete .*older\.bin {2}700 kB in .*\n {2}kept {4}262 kB that were there/,
	);
	assert.equal(new Uint8Array(readFileSync(join(folder, 'older.bin'))), CONTENT);
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

test('a folder, or what is not there, is not shared, and says what to do', async (t) => {
	const folder = await temporaryFolder(t);
	const { url } = await startBroker(t);
	const shared = await runShoal(t, ['share', folder, '--broker', url]);
	assert.is(shared.code, 1);
	assert.match(shared.stderr, /tar -cf .*\(ERR_FOLDER\)\n$/);
	const missing = new Shoal(t, ['share', join(folder, 'missing'), '--broker', url]);
	assert.is(await missing.exit(), 1);
	assert.is(missing.events.at(-1)?.code, 'ERR_NO_FILE');
});

test('a node id that is taken is refused', async (t) => {
	const { path, url } = await sharedFile(t, 'file.bin', '--id', 'node-of-mine');
	const second = new Shoal(t, ['share', path, '--broker', url, '--id', 'node-of-mine']);
	assert.is(await second.exit(), 1);
	assert.is(second.events.at(-1)?.code, 'ERR_ID_TAKEN');
});

test('--keep serves on until it is stopped, which is its normal end', async (t) => {
	const { folder, url, id, sharer } = await sharedFile(t);
	const first = new Shoal(t, ['get', id, '-o', join(folder, 'one'), '--broker', url, '--keep']);
	await first.event('complete');
	sharer.signal('SIGTERM');
	await sharer.exit();
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

test('--wait gets what is shared later', async (t) => {
	const folder = await temporaryFolder(t);
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

test('nobody has the seed: exit code 3 after five seconds', async (t) => {
	const { url } = await startBroker(t);
	const start = performance.now();
	const { code, stderr } = await runShoal(t, ['get', '0'.repeat(64), '--broker', url]);
	assert.is(code, 3);
	assert.match(stderr, /^shoal: nobody has the seed 0+; .*\(ERR_NOT_FOUND\)\n$/);
	assert.ok(performance.now() - start >= 5_000);
});

test.run();
