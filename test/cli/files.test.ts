import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
	appendFileSync,
	closeSync,
	mkdirSync,
	openSync,
	readFileSync,
	writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { makeSeed } from '../../node/index.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { contentOf, seedOf } from '../helpers/fixtures/seeds.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { runShoal } from '../helpers/harness/plain-shoal.ts';
import { MAIN, Shoal } from '../helpers/harness/shoal.ts';
import { suite } from '../helpers/harness/suite.ts';

const test = suite('seed and verify');

test('the id is the digest of the seed without its first line', async (t) => {
	const folder = await makeFolder(t);
	const path = join(folder, 'file.bin');
	writeFileSync(path, contentOf(700_000));
	const shoal = new Shoal(t, ['seed', path]);
	assert.is(await shoal.exit(), 0);
	const seed = await shoal.event('seed');
	assert.is(seed.path, `${path}.seed`);
	const text = readFileSync(`${path}.seed`);
	const body = text.subarray(text.indexOf('\n') + 1);
	assert.is(seed.id, createHash('sha256').update(body).digest('hex'));
	assert.is(text.toString().split('\n')[0], 'file.bin');
	const printed = await runShoal(t, ['seed', path, '-o', '-', '--name', 'other name']);
	assert.is(printed.text.slice(printed.text.indexOf('\n') + 1), body.toString());
	assert.match(printed.text, /^other name\n/);
});

test('seed accepts an existing seed file only if it is the same seed', async (t) => {
	const folder = await makeFolder(t);
	const path = join(folder, 'file.bin');
	writeFileSync(path, 'one');
	writeFileSync(`${path}.seed`, (await makeSeed(path)).text());
	assert.is((await runShoal(t, ['seed', path])).code, 0);
	writeFileSync(path, 'two');
	const { code, stderr } = await runShoal(t, ['seed', path]);
	assert.is(code, 1);
	assert.match(stderr, 'ERR_EXISTS');
	mkdirSync(join(folder, 'seeds'));
	assert.is((await runShoal(t, ['seed', path, '-o', join(folder, 'seeds')])).code, 0);
	assert.match(readFileSync(join(folder, 'seeds', 'file.bin.seed'), 'utf8'), /^file.bin\n3\n/);
});

test('verify reports a right file, found by the name of the seed, by the name in it, or named itself', async (t) => {
	const folder = await makeFolder(t);
	const content = contentOf(4_259);
	const file = join(folder, 'file.bin');
	writeFileSync(file, content);
	writeFileSync(join(folder, 'file.bin.seed'), seedOf(content).text());
	writeFileSync(join(folder, 'else.seed'), seedOf(content).text());
	for (const args of [['file.bin.seed'], ['else.seed']]) {
		const { code, text } = await runShoal(t, ['verify', ...args], { cwd: folder });
		assert.is(code, 0);
		assert.match(text, /^right .*file\.bin/);
	}
	const shoal = new Shoal(t, ['verify', join(folder, 'else.seed'), file]);
	assert.is(await shoal.exit(), 0);
	const { ok, bad } = await shoal.event('verified');
	assert.equal([ok, bad], [true, []]);
});

test('verify names the bad chunks and their bytes', async (t) => {
	const folder = await makeFolder(t);
	const content = contentOf(4_259);
	const seed = join(folder, 'file.bin.seed');
	writeFileSync(seed, seedOf(content).text());
	for (const at of [600, 1_100, 4_258]) {
		content[at] = (content[at] as number) ^ 1;
	}
	writeFileSync(join(folder, 'file.bin'), content);
	const shoal = new Shoal(t, ['verify', seed]);
	assert.is(await shoal.exit(), 1);
	const { ok, bad } = await shoal.event('verified');
	assert.equal([ok, bad], [false, [1, 2, 8]]);
	assert.is(shoal.events.length, 1);
	const { code, text } = await runShoal(t, ['verify', seed]);
	assert.is(code, 1);
	assert.match(text, '3 of 9 chunks bad');
	assert.match(text, 'chunks 1-2, bytes 512-1535');
	assert.match(text, 'chunk 8, bytes 4096-4258');
});

test('large numbers of chunks are grouped', async (t) => {
	const folder = await makeFolder(t);
	const seed = join(folder, 'file.bin.seed');
	const content = contentOf(1_024 * 512);
	writeFileSync(seed, seedOf(content).text());
	writeFileSync(join(folder, 'file.bin'), new Uint8Array(content.length));
	const { text } = await runShoal(t, ['verify', seed]);
	assert.match(text, '  1,024 of 1,024 chunks bad:');
});

test('a file that is longer or shorter is not right', async (t) => {
	const folder = await makeFolder(t);
	const content = contentOf(1_024);
	const seed = join(folder, 'file.bin.seed');
	writeFileSync(seed, seedOf(content).text());
	writeFileSync(join(folder, 'file.bin'), Buffer.concat([content, Buffer.from('more')]));
	const longer = await runShoal(t, ['verify', seed]);
	assert.is(longer.code, 1);
	assert.match(longer.text, 'it has 1,028 bytes, the seed says 1,024');
	writeFileSync(join(folder, 'file.bin'), content.subarray(0, 512));
	const shorter = new Shoal(t, ['verify', seed]);
	assert.is(await shorter.exit(), 1);
	assert.equal((await shorter.event('verified')).bad, [1]);
});

test('a seed with MD5 digests is checked with a warning', async (t) => {
	const folder = await makeFolder(t);
	const content = contentOf(4_259);
	const seed = join(folder, 'README.md.seed');
	writeFileSync(join(folder, 'README.md'), content);
	writeFileSync(seed, seedOf(content, { kind: 'md5', name: 'README.md' }).text());
	const { code, text, stderr } = await runShoal(t, ['verify', seed]);
	assert.is(code, 0);
	assert.match(text, 'md5');
	assert.match(stderr, /^warning: .*MD5 .*proves nothing against an attacker\n$/);
});

test('a seed with a wrong digest of the whole is ERR_SEED_LIES', async (t) => {
	const folder = await makeFolder(t);
	const content = contentOf(4_259);
	const seed = join(folder, 'file.bin.seed');
	const lines = Buffer.from(seedOf(content).text()).toString().split('\n');
	lines[2] = '0'.repeat(64);
	writeFileSync(join(folder, 'file.bin'), content);
	writeFileSync(seed, lines.join('\n'));
	const shoal = new Shoal(t, ['verify', seed]);
	assert.is(await shoal.exit(), 1);
	assert.is(shoal.events.at(-1)?.code, 'ERR_SEED_LIES');
});

test('each path that is no seed, is missing or is a folder has its own error code', async (t) => {
	const folder = await makeFolder(t);
	const file = join(folder, 'x.seed');
	writeFileSync(file, 'nonsense');
	const cases = [
		[file, 'ERR_SEED'],
		[join(folder, 'missing.seed'), 'ERR_NO_FILE'],
		[folder, 'ERR_FOLDER'],
	] as const;
	for (const [path, code] of cases) {
		const shoal = new Shoal(t, ['verify', path]);
		assert.is(await shoal.exit(), 1);
		assert.is(shoal.events.at(-1)?.code, code);
	}
	writeFileSync(file, seedOf(contentOf(5)).text());
	const { stderr } = await runShoal(t, ['verify', file]);
	assert.match(stderr, /name the file: shoal verify FILE.seed FILE/);
});

test('no chunk of a file that has grown is bad, but the file is not right', async (t) => {
	const folder = await makeFolder(t);
	const path = join(folder, 'file.bin');
	writeFileSync(path, contentOf(700_000));
	writeFileSync(`${path}.seed`, (await makeSeed(path)).text());
	appendFileSync(path, 'more');
	const shoal = new Shoal(t, ['verify', `${path}.seed`]);
	assert.is(await shoal.exit(), 1);
	const { ok, bad } = await shoal.event('verified');
	assert.equal([ok, bad], [false, []]);
});

test('a pipe is refused before it is opened, as opening it could wait for ever', async (t) => {
	const { url } = await startBroker(t);
	const folder = await makeFolder(t);
	const pipe = join(folder, 'pipe');
	execFileSync('mkfifo', [pipe]);
	for (const args of [
		['share', pipe],
		['get', pipe],
		['verify', pipe],
		['seed', pipe],
	]) {
		const { code, stderr } = await runShoal(t, args, { env: { SHOAL_BROKER: url } });
		assert.is(code, 1);
		assert.match(stderr, 'no ordinary file');
	}
});

test('standard output to a full disk is ERR_NO_SPACE', async (t) => {
	const folder = await makeFolder(t);
	const path = join(folder, 'file.bin');
	writeFileSync(path, contentOf(700_000));
	const full = openSync('/dev/full', 'w');
	t.defer(() => closeSync(full));
	const child = spawn(process.execPath, [MAIN, 'seed', path, '-o', '-'], {
		stdio: ['ignore', full, 'pipe'],
	});
	let stderr = '';
	child.stderr?.on('data', (data) => {
		stderr += data;
	});
	const [code] = await once(child, 'close');
	assert.is(code, 1);
	assert.match(stderr, /the disk is full; make room and start again \(ERR_NO_SPACE\)\n$/);
});

test.run();
