import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { makePhotos, PHOTOS } from '../helpers/fixtures/photos.ts';
import { runShoal } from '../helpers/harness/plain-shoal.ts';
import { Shoal } from '../helpers/harness/shoal.ts';
import { suite } from '../helpers/harness/suite.ts';

const test = suite('seeds of folders');

/** The shell command in the documents, which checks the folder `$2` against the index at `$1`. */
const CHECK = `cd "$2" && sed -nE 's/^([0-9a-f]{64}) [0-9]+ [fx] /\\1  /p' "$1" | sha256sum -c`;

test('seed writes seed and index; other programs check the folder with them', async (t) => {
	const { path } = await makePhotos(t);
	const shoal = new Shoal(t, ['seed', path]);
	assert.is(await shoal.exit(), 0);
	const seed = await shoal.event('seed');
	assert.equal([seed.path, seed.indexPath], [`${path}.seed`, `${path}.index`]);
	assert.equal([seed.name, seed.files, seed.remembered], ['photos', 4, false]);
	const index = readFileSync(`${path}.index`);
	assert.is(seed.index, index.length);
	const text = readFileSync(`${path}.seed`);
	const [name, lengths, digest] = text.toString().split('\n');
	assert.equal([name, lengths], ['photos', `${seed.length} ${index.length}`]);
	assert.is(digest, createHash('sha256').update(index).digest('hex'));
	const body = text.subarray(text.indexOf('\n') + 1);
	assert.is(seed.id, createHash('sha256').update(body).digest('hex'));
	const paths = index.toString().split('\n').slice(1, -1);
	assert.equal(
		paths.map((line) => line.replace(/^\S+ \d+ [fxdl] /, '')),
		PHOTOS,
	);
	const checked = execFileSync('sh', ['-c', CHECK, 'sh', `${path}.index`, path]).toString();
	assert.is(checked.match(/: OK$/gm)?.length, 4);
	writeFileSync(join(path, 'a b\u200e.txt'), 'hullo');
	assert.throws(
		() => execFileSync('sh', ['-c', CHECK, 'sh', `${path}.index`, path], { stdio: 'pipe' }),
		/1 computed checksum did NOT match/,
	);
});

test('-o names the seed or a folder, and - prints the seed only', async (t) => {
	const { path, beside } = await makePhotos(t);
	assert.is((await runShoal(t, ['seed', `${path}/`])).code, 0);
	const text = readFileSync(`${path}.seed`, 'utf8');
	await mkdir(join(beside, 'seeds'));
	assert.is((await runShoal(t, ['seed', '.', '-o', '../seeds'], { cwd: path })).code, 0);
	assert.is(readFileSync(join(beside, 'seeds', 'photos.seed'), 'utf8'), text);
	assert.is((await runShoal(t, ['seed', path, '-o', join(beside, 'x.txt')])).code, 0);
	assert.equal(readFileSync(join(beside, 'x.txt.index')), readFileSync(`${path}.index`));
	const printed = await runShoal(t, ['seed', path, '-o', '-', '--name', 'other']);
	assert.is(printed.text, text.replace(/^photos\n/, 'other\n'));
	assert.not(existsSync(join(beside, 'other.index')));
});

test('seed writes nothing if the seed or the index exists with other bytes', async (t) => {
	const { path } = await makePhotos(t);
	writeFileSync(`${path}.index`, 'something else');
	const { code, stderr } = await runShoal(t, ['seed', path]);
	assert.is(code, 1);
	assert.match(stderr, /photos\.index": there is a file of that name already.*\(ERR_EXISTS\)/);
	assert.not(existsSync(`${path}.seed`));
	assert.is(readFileSync(`${path}.index`, 'utf8'), 'something else');
});

test('--exclude and --skip-odd leave entries out, as with share; without them odd entries are an error', async (t) => {
	const { path } = await makePhotos(t);
	execFileSync('mkfifo', [join(path, 'pipe')]);
	const refused = await runShoal(t, ['seed', path]);
	assert.is(refused.code, 1);
	assert.match(refused.stderr, /"pipe" \(it is a pipe\); remove them, or leave them out/);
	const args = ['seed', path, '--exclude', '2024', '--exclude', 'empty'];
	const shoal = new Shoal(t, [...args, '--skip-odd']);
	assert.is(await shoal.exit(), 0);
	assert.is((await shoal.event('seed')).files, 1);
	assert.match(shoal.stderr, /left out of .*pipe.*\(it is a pipe\)/);
});

test('a seed that is written into the folder it describes causes a warning', async (t) => {
	const { path } = await makePhotos(t);
	const { code, stderr } = await runShoal(t, ['seed', path, '-o', path]);
	assert.is(code, 0);
	assert.match(stderr, /photos\/photos\.seed" is in the folder that it describes/);
});

test.run();
