import {
	closeSync,
	mkdirSync,
	openSync,
	readdirSync,
	readFileSync,
	statSync,
	truncateSync,
	writeFileSync,
	writeSync,
} from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { ShoalNode } from '../../node/index.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { runShoal } from '../helpers/harness/plain-shoal.ts';
import { CONTENT, fileSharedHere } from '../helpers/harness/shared-here.ts';
import { Shoal, sha256, source } from '../helpers/harness/shoal.ts';
import { suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('outputs of shoal get');

test('with -o - standard output has the bytes, and standard error all else', async (t) => {
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

test('with --range only these bytes are written, and the last message says that chunks were verified', async (t) => {
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

test('get NAME --wait says for what it waits', async (t) => {
	const { url } = await startBroker(t);
	const get = new Shoal(t, ['get', 'later.bin', '--wait', '--broker', url]);
	await until('it says so', () => get.stderr.includes('\n'));
	const message = 'waiting for a node that shares "later.bin"';
	assert.equal(JSON.parse(get.stderr), { event: 'note', message });
	get.signal('SIGINT');
	assert.is(await get.exit(), 130);
});

test('--check chunks neither checks nor prints the digest of the whole', async (t) => {
	const { folder, url, id } = await fileSharedHere(t);
	const path = join(folder, 'copy.bin');
	const args = ['get', id, '--broker', url, '--no-linger', '--check'];
	const program = new Shoal(t, [...args, 'chunks', '-o', path]);
	const { digest, verified, kept } = await program.event('complete');
	assert.equal([digest, verified, kept], [null, 'chunks', 0]);
	assert.is(await program.exit(), 0);
	assert.equal(new Uint8Array(readFileSync(path)), CONTENT);
	const again = await runShoal(t, [...args, 'chunks', '-o', path]);
	assert.match(
		again.stdout.toString(),
		/is there already and right\n {2}every chunk is verified, the digest/,
	);
	const whole = new Shoal(t, [...args, 'whole', '-o', path]);
	assert.match(String((await whole.event('complete')).digest), /^[0-9a-f]{64}$/);
	assert.is((await runShoal(t, [...args, 'nothing', '-o', path])).code, 2);
	assert.is((await runShoal(t, [...args, 'chunks', '-o', '-'])).code, 2);
});

test('an existing file without a chunk of the seed is not replaced', async (t) => {
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

test('get reports a right file that exists already, and the bytes kept from an older version', async (t) => {
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
		/^complete .*older\.bin {2}700 kB in .*\n {2}reused {2}262 kB: 262 kB in their place/,
	);
	assert.equal(new Uint8Array(readFileSync(join(folder, 'older.bin'))), CONTENT);
});

test('get takes a name, prints the seed that it names, and reports names that are unknown or ambiguous', async (t) => {
	const { folder, url, id, node } = await fileSharedHere(t);
	const cwd = join(folder, 'here');
	mkdirSync(cwd);
	const get = (...args: string[]) =>
		runShoal(t, ['get', ...args, '--broker', url, '--no-linger'], { cwd });
	const first = await get('file.bin');
	assert.is(first.code, 0);
	assert.match(first.text, `"file.bin" is the seed ${id}\n`);
	assert.equal(new Uint8Array(readFileSync(join(cwd, 'file.bin'))), CONTENT);
	const again = await get('file.bin');
	assert.is(again.code, 0);
	assert.match(again.text, 'is there already and right');
	assert.is((await get(id.slice(0, 8), '-o', 'new/er/')).code, 0);
	assert.equal(readdirSync(join(cwd, 'new/er')), ['file.bin']);
	const who = await runShoal(t, ['who', `http://host/#/${id}`, '--broker', url]);
	assert.match(who.text, '1 seeder');
	writeFileSync(join(folder, 'other.bin'), 'other');
	const { seed } = await node.share(join(folder, 'other.bin'), { name: 'file.bin' });
	const several = await get('file.bin');
	assert.is(several.code, 1);
	assert.match(several.stderr, `"file.bin" names 2 files or folders here: `);
	assert.ok([id, seed.id].every((each) => several.stderr.includes(each)));
	const nothing = await get('file.bim');
	assert.is(nothing.code, 3);
	assert.match(
		nothing.stderr,
		/shoal: nobody shares a file or folder of the name "file.bim".*shoal ls/,
	);
	const noSeed = await get('file.bin.seed');
	assert.is(noSeed.code, 1);
	assert.match(noSeed.stderr, /there is no seed file "file.bin.seed".*\(ERR_NO_FILE\)/);
});

test('64 digits are an id, and ./ before them makes them a path', async (t) => {
	const { folder, url, id } = await fileSharedHere(t);
	const cwd = join(folder, 'here');
	mkdirSync(cwd);
	writeFileSync(join(cwd, id), 'not a seed');
	const get = (what: string) =>
		runShoal(t, ['get', what, '-o', 'x', '--broker', url, '--no-linger'], { cwd });
	assert.match((await get(`./${id}`)).stderr, 'ERR_SEED');
	assert.is((await get(id)).code, 0);
});

test('of three gets to one path one fetches the file, and the others find it complete', async (t) => {
	const { folder, url, id, node } = await fileSharedHere(t);
	node.limitRates(300_000, undefined);
	const path = join(folder, 'copy.bin');
	const args = ['get', id, '-o', path, '--broker', url];
	const gets = Array.from({ length: 3 }, () => new Shoal(t, args));
	assert.equal(await Promise.all(gets.map((get) => get.exit())), [0, 0, 0]);
	const ends = await Promise.all(gets.map((get) => get.event('complete')));
	assert.equal(ends.map(({ wasThere }) => wasThere).sort(), [false, true, true]);
	assert.ok(gets.some((get) => get.all('progress').some(({ phase }) => phase === 'waiting')));
	assert.equal(new Uint8Array(readFileSync(path)), CONTENT);
	assert.equal(readdirSync(folder).sort(), ['copy.bin', 'file.bin']);
});

test('when a get is killed, one that waits for it takes over and keeps its chunks', async (t) => {
	const { folder, path, digest } = await source(t, 40 * 1_048_576);
	const { url } = await startBroker(t);
	const node = await ShoalNode.start({ broker: url, maxUp: 2_000_000 });
	t.defer(() => node.close());
	const { seed } = await node.share(path);
	const copy = join(folder, 'copy.bin');
	const args = ['get', seed.id, '-o', copy, '--broker', url];
	const first = new Shoal(t, args);
	const has = (get: Shoal, most: number): boolean =>
		get.all('progress').some(({ phase, have }) => phase === 'fetching' && Number(have) > most);
	await until('the first has begun', () => has(first, 0));
	const second = new Shoal(t, args);
	await until('the second waits', () =>
		second.all('progress').some(({ phase }) => phase === 'waiting'),
	);
	const other = new Shoal(t, ['get', seed.id, '-o', copy, '--broker', url]);
	await until('the first has much', () => has(first, 2 * 1_048_576));
	first.signal('SIGKILL');
	node.limitRates(undefined, undefined);
	assert.equal([await second.exit(), await other.exit()], [0, 0]);
	const ends = [await second.event('complete'), await other.event('complete')];
	const [worked] = ends.filter(({ wasThere }) => wasThere === false);
	assert.ok(Number(worked?.kept) > 0, 'the chunks of the first get were not fetched again');
	assert.is(await sha256(copy), digest);
	assert.equal(readdirSync(folder).sort(), ['copy.bin', 'source.bin']);
});

test('a get of another content to a path that is being written is refused at once', async (t) => {
	const { folder, url, id, node } = await fileSharedHere(t);
	node.limitRates(100_000, undefined);
	writeFileSync(join(folder, 'other.bin'), 'other');
	const { seed } = await node.share(join(folder, 'other.bin'));
	const path = join(folder, 'copy.bin');
	const first = new Shoal(t, ['get', id, '-o', path, '--broker', url]);
	await until('the first has begun', () =>
		first.all('progress').some(({ phase }) => phase === 'fetching'),
	);
	const { code, stderr } = await runShoal(t, ['get', seed.id, '-o', path, '--broker', url]);
	assert.is(code, 1);
	assert.match(stderr, `process ${first.pid}) is writing another content to`);
	assert.match(stderr, id);
	node.limitRates(undefined, undefined);
	assert.is(await first.exit(), 0);
	assert.equal(new Uint8Array(readFileSync(path)), CONTENT);
});

test('the copy of a sparse file is sparse', async (t) => {
	const folder = await makeFolder(t);
	const path = join(folder, 'disk.img');
	const length = 64 * 1_048_576;
	writeFileSync(path, '');
	truncateSync(path, length);
	const file = openSync(path, 'r+');
	for (let at = 0; at < length; at += 8 * 1_048_576) {
		writeSync(file, CONTENT, 0, 4_096, at);
	}
	closeSync(file);
	const { url } = await startBroker(t);
	const node = await ShoalNode.start({ broker: url });
	t.defer(() => node.close());
	const { seed } = await node.share(path);
	const copy = join(folder, 'copy.img');
	const { code } = await runShoal(t, ['get', seed.id, '-o', copy, '--broker', url, '--no-linger']);
	assert.is(code, 0);
	assert.is(await sha256(copy), await sha256(path));
	const taken = (of: string): number => statSync(of).blocks * 512;
	if (taken(path) < length / 8) {
		assert.ok(taken(copy) < length / 8, `${taken(copy)} of ${length} bytes`);
	}
});

test('get ends with exit code 3 after five seconds if nobody has the seed', async (t) => {
	const { url } = await startBroker(t);
	const start = performance.now();
	const { code, stderr } = await runShoal(t, ['get', '0'.repeat(64), '--broker', url]);
	assert.is(code, 3);
	assert.match(stderr, /^shoal: nobody has the seed 0+; .*\(ERR_NOT_FOUND\)\n$/);
	assert.ok(performance.now() - start >= 5_000);
});

test.run();
