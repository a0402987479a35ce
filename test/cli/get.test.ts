import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { startBroker } from '../helpers/harness/broker.ts';
import { runShoal } from '../helpers/harness/plain-shoal.ts';
import { CONTENT, fileSharedHere } from '../helpers/harness/shared-here.ts';
import { Shoal } from '../helpers/harness/shoal.ts';
import { suite } from '../helpers/harness/suite.ts';

const test = suite('what get does with what it gets');

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

test('--check chunks leaves the digest of the whole out, and never shows one', async (t) => {
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

test('nobody has the seed: exit code 3 after five seconds', async (t) => {
	const { url } = await startBroker(t);
	const start = performance.now();
	const { code, stderr } = await runShoal(t, ['get', '0'.repeat(64), '--broker', url]);
	assert.is(code, 3);
	assert.match(stderr, /^shoal: nobody has the seed 0+; .*\(ERR_NOT_FOUND\)\n$/);
	assert.ok(performance.now() - start >= 5_000);
});

test.run();
