import { readdirSync, writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { LARGE, makePhotos } from '../helpers/fixtures/photos.ts';
import { contentOf } from '../helpers/fixtures/seeds.ts';
import { linesIn } from '../helpers/fixtures/trees.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { runShoal } from '../helpers/harness/plain-shoal.ts';
import { CACHELESS, randomFile, Shoal } from '../helpers/harness/shoal.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('getting folders');

/** The paths of all entries below a folder. */
function below(folder: string): string[] {
	return readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
}

/** A folder and a file, shared by a process. `env` puts the state of downloads beside both. */
async function shared(t: Scope, ...options: string[]) {
	const { url } = await startBroker(t);
	const photos = await makePhotos(t);
	const file = join(photos.beside, 'file.bin');
	writeFileSync(file, 'a file');
	const sharer = new Shoal(t, ['share', photos.path, file, '--broker', url, ...options]);
	await until('both are shared', () => sharer.all('sharing').length === 2);
	const [id = '', fileId = ''] = sharer.all('sharing').map((event) => String(event.id));
	const env = { ...CACHELESS, SHOAL_BROKER: url, XDG_STATE_HOME: join(photos.beside, 'state') };
	return { ...photos, id, fileId, env };
}

test('a folder is copied to the path after -o, or under its name into an existing folder at that path', async (t) => {
	const { id, env, path, beside } = await shared(t);
	await mkdir(join(beside, 'there'));
	for (const [to, at] of [
		['there', 'there/photos'],
		['new', 'new'],
		['newer/', 'newer/photos'],
	] as const) {
		const getter = new Shoal(t, ['get', id, '-o', join(beside, to), '--no-linger'], env);
		assert.is(await getter.exit(), 0);
		const complete = await getter.event('complete');
		assert.is(complete.path, join(beside, at));
		assert.equal([complete.files, complete.filesDone, complete.partial], [4, 4, undefined]);
		assert.equal(await linesIn(join(beside, at)), await linesIn(path));
		assert.ok(getter.all('progress').every(({ files = 4 }) => files === 4));
	}
	const again = await runShoal(t, ['get', 'photos', '-o', join(beside, 'new/')], {
		env,
		cwd: beside,
	});
	assert.match(again.text, /complete .*new\/photos {2}4 files, 701 kB in/);
	const same = await runShoal(t, ['get', 'photos', '-o', join(beside, 'there')], { env });
	assert.match(same.text, /there\/photos {2}4 files, 701 kB {2}is there already and right\n/);
});

test('--only and --exclude get some files of a folder, and the second time all of these exist already', async (t) => {
	const { id, env, beside } = await shared(t);
	await mkdir(join(beside, 'there'));
	const args = ['get', id, '-o', join(beside, 'there'), '--no-linger', '--only', '2024'];
	const first = new Shoal(t, [...args, '--exclude', 'raw'], env);
	assert.is(await first.exit(), 0);
	const complete = await first.event('complete');
	assert.equal([complete.files, complete.partial, complete.wasThere], [1, true, false]);
	// The link is got, but not the file to which it leads.
	const photos = join(beside, 'there', 'photos');
	assert.equal(below(photos), ['2024', '2024/latest', '2024/run.sh']);
	const again = new Shoal(t, [...args, '--exclude', 'raw'], env);
	assert.is(await again.exit(), 0);
	assert.is((await again.event('complete')).wasThere, true);
	const more = new Shoal(t, args, env);
	assert.is(await more.exit(), 0);
	assert.ok(below(photos).includes('2024/raw/large.bin'));
	const nothing = await runShoal(t, [...args, '--exclude', '*'], { env });
	assert.is(nothing.code, 3);
	assert.match(nothing.stderr, /nothing in the folder matches.*shoal ls ID/);
});

test('--only is refused for a file', async (t) => {
	const { fileId, env, beside } = await shared(t);
	for (const output of ['-', join(beside, 'copy')]) {
		const getter = await runShoal(t, ['get', fileId, '-o', output, '--only', 'x'], { env });
		assert.is(getter.code, 2);
		assert.match(getter.stderr, /--only and --exclude are for folders, and this is a file/);
	}
});

test('an interrupted get of a folder says where its files are, and the next one resumes', async (t) => {
	const { url } = await startBroker(t);
	const { path, beside } = await makePhotos(t);
	await randomFile(join(path, 'more.bin'), 6_000_000);
	const env = { ...CACHELESS, SHOAL_BROKER: url };
	const sharer = new Shoal(t, ['share', path], env);
	const { id } = await sharer.event('sharing');
	const args = ['get', String(id), '-o', join(beside, 'copy'), '--no-linger'];
	const getter = new Shoal(t, [...args, '--max-down', '1MB'], env);
	await until('some files are done', () =>
		getter
			.all('progress')
			.some(({ have, filesDone }) => Number(have) > 1e6 && Number(filesDone) > 0),
	);
	getter.signal('SIGINT');
	assert.is(await getter.exit(), 130);
	assert.match(
		String(getter.events.at(-1)?.message),
		/^interrupted; what is verified is kept in a \.part folder, run the same command again to go on$/,
	);
	assert.ok(readdirSync(beside).some((name) => /^copy\..*\.part$/.test(name)));
	const again = new Shoal(t, args, env);
	assert.is(await again.exit(), 0);
	const { kept, files } = await again.event('complete');
	assert.ok(Number(kept) > 500_000, `${kept} bytes were kept`);
	assert.is(files, 5);
	assert.equal(await linesIn(join(beside, 'copy')), await linesIn(path));
	assert.equal(readdirSync(beside).sort(), ['copy', 'photos']);
});

test('one file of a folder can be written to standard output, a folder cannot', async (t) => {
	const { id, env, beside, path } = await shared(t);
	const folder = await runShoal(t, ['get', id, '-o', '-'], { env });
	assert.is(folder.code, 1);
	assert.is(folder.stdout.length, 0);
	assert.match(
		folder.stderr,
		/a folder cannot be written to standard output.*--only PATH.*ERR_FOLDER/,
	);
	assert.is((await runShoal(t, ['seed', path])).code, 0);
	// This needs no broker.
	const offline = { ...env, SHOAL_BROKER: 'mqtt://127.0.0.1:1' };
	const ofSeed = await runShoal(t, ['get', `${path}.seed`, '-o', '-'], { env: offline });
	assert.match(ofSeed.stderr, 'ERR_FOLDER');
	const args = ['get', id, '-o', '-', '--only'];
	const one = await runShoal(t, [...args, 'a b\u200e.txt'], { env });
	assert.equal([one.code, one.text], [0, 'hello']);
	assert.match(
		one.stderr,
		/^complete photos\/a b\\u\{200e\}\.txt {2}5 B in .*\n {2}sha256 {2}2cf24dba/,
	);
	const program = await runShoal(t, [...args, '2024/run.sh', '--json'], { env });
	const { file, length, digest } = JSON.parse(program.stderr.trim().split('\n').at(-1) as string);
	assert.equal([file, length], ['2024/run.sh', 5]);
	assert.match(digest, /^[0-9a-f]{64}$/);
	const range = await runShoal(t, [...args, 'large.bin', '--range', '100-199'], { env });
	assert.equal(new Uint8Array(range.stdout), contentOf(LARGE).slice(100, 200));
	assert.match(range.stderr, /bytes {3}100 to 199 of 700000.*\n {2}from {4}\S+ {2}100 %/);
	const several = await runShoal(t, [...args, '*.*'], { env });
	assert.is(several.code, 2);
	assert.match(several.stderr, /-o - takes one file, and 3 files of "photos" match: /);
	const none = await runShoal(t, [...args, 'nothing'], { env });
	assert.is(none.code, 3);
	await rm(join(beside, 'photos.seed'));
});

test('folders and files are got at the same time', async (t) => {
	const { id, fileId, env, beside, path } = await shared(t);
	const getter = await runShoal(t, ['get', id, fileId, '-o', join(beside, 'in/')], { env });
	assert.is(getter.code, 0);
	assert.equal(readdirSync(join(beside, 'in')).sort(), ['file.bin', 'photos']);
	assert.equal(await linesIn(join(beside, 'in', 'photos')), await linesIn(path));
	const refused = await runShoal(t, ['get', id, fileId, '-o', join(beside, 'in/x')], { env });
	assert.is(refused.code, 2);
});

test.run();
