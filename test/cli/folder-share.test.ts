import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { makePhotos } from '../helpers/fixtures/photos.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { runShoal } from '../helpers/harness/plain-shoal.ts';
import { Shoal } from '../helpers/harness/shoal.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('sharing folders');

/**
 * A folder whose index is longer than 32 MiB: its paths have a thousand bytes. Made and removed by
 * calls that wait, as they take a third of the processor time.
 */
function makeTooLarge(t: Scope, folder: string): string {
	const root = join(folder, 'too large');
	const deep = join(root, ...['a', 'b', 'c', 'd'].map((letter) => letter.repeat(195)));
	mkdirSync(deep, { recursive: true });
	t.defer(() => rmSync(root, { recursive: true }));
	for (let index = 0; index < 32_000; index += 1) {
		closeSync(openSync(join(deep, `${index}`.padStart(195, '_')), 'w'));
	}
	return root;
}

test('a folder with too large an index is reported, and other files are shared', async (t) => {
	const { url } = await startBroker(t);
	const folder = await makeFolder(t);
	const [large, file] = [makeTooLarge(t, folder), join(folder, 'file')];
	writeFileSync(file, 'a file');
	const sharer = new Shoal(t, ['share', large, file, '--broker', url]);
	assert.is((await sharer.event('sharing')).name, 'file');
	const { code, message } = await sharer.event('error');
	assert.is(code, 'ERR_LIMIT');
	assert.match(String(message), /the folder is too large: its index has \d+ bytes/);
	assert.not.match(String(message), 'tracker');
	sharer.signal('SIGTERM');
	assert.is(await sharer.exit(), 1);
});

test('a folder is not shared if --exclude leaves out everything in it; an empty folder is', async (t) => {
	const { url } = await startBroker(t);
	const { path, beside } = await makePhotos(t);
	const empty = join(beside, 'empty');
	mkdirSync(empty);
	const sharer = new Shoal(t, ['share', path, empty, '--exclude', '*', '--broker', url]);
	assert.is((await sharer.event('sharing')).name, 'empty');
	const { code, message } = await sharer.event('error');
	assert.is(code, 'ERR_SEED');
	assert.match(String(message), '--exclude leaves out everything in');
	sharer.signal('SIGTERM');
	assert.is(await sharer.exit(), 1);
});

test('the advice matches the error: only for a damaged seed file it is to make a new one', async (t) => {
	const { path, beside } = await makePhotos(t);
	mkdirSync(join(path, 'back\\slash'));
	const { url } = await startBroker(t);
	const odd = await runShoal(t, ['share', path, '--broker', url]);
	assert.match(
		odd.stderr,
		/back.*slash" \(it has a backslash\).*--skip-odd or --exclude \(ERR_SEED\)/,
	);
	writeFileSync(join(beside, 'x.seed'), 'nonsense');
	const { stderr } = await runShoal(t, ['verify', join(beside, 'x.seed')]);
	assert.match(stderr, /this is no seed.*; make a new one with: shoal seed FILE \(ERR_SEED\)/);
});

test('of several folders and files those that cannot be shared are named, the others shared, and the exit code is 1', async (t) => {
	const { url } = await startBroker(t);
	const [first, second] = [await makePhotos(t), await makePhotos(t)];
	const file = join(first.beside, 'file');
	writeFileSync(file, 'a file');
	writeFileSync(join(second.path, 'more'), 'more');
	execFileSync('mkfifo', [join(first.path, 'pipe')]);
	const sharer = new Shoal(t, [
		...['share', first.path, join(first.beside, 'nothing'), file, second.path],
		...['--broker', url],
	]);
	await until('two are shared', () => sharer.all('sharing').length === 2);
	await until('two are not', () => sharer.all('error').length === 2);
	const shared = sharer.all('sharing').map(({ name, files }) => [name, files]);
	assert.equal(shared, [
		['file', undefined],
		['photos', 5],
	]);
	assert.equal(
		sharer.all('error').map(({ code }) => code),
		['ERR_NO_FILE', 'ERR_SEED'],
	);
	assert.match(String(sharer.all('error')[1]?.message), /"pipe" \(it is a pipe\).*--skip-odd/);
	sharer.signal('SIGTERM');
	assert.is(await sharer.exit(), 1);
});

test('--strict shares nothing if something in a folder cannot be shared', async (t) => {
	const { url } = await startBroker(t);
	const watch = new Shoal(t, ['watch', '--broker', url]);
	await watch.event('tracker');
	const { path, beside } = await makePhotos(t);
	const file = join(beside, 'file');
	writeFileSync(file, 'a file');
	const args = ['share', file, path, '--strict', '--broker', url];
	const sharer = new Shoal(t, args);
	await until('both are shared', () => sharer.all('sharing').length === 2);
	await sharer.end();
	await watch.event('announce');
	execFileSync('mkfifo', [join(path, 'pipe')]);
	const before = watch.all('announce').length;
	const refused = new Shoal(t, args);
	assert.is(await refused.exit(), 1);
	assert.equal(
		refused.events.map(({ event, code }) => [event, code]),
		[['error', 'ERR_SEED']],
	);
	assert.is(watch.all('announce').length, before);
	const skipping = new Shoal(t, [...args, '--skip-odd']);
	await until('both are shared', () => skipping.all('sharing').length === 2);
});

test('with --strict nothing is shared if the tracker does not list all seeds', async (t) => {
	const { url } = await startBroker(t, { limits: { nodeAnnounces: 1 } });
	const { path, beside } = await makePhotos(t);
	const file = join(beside, 'file');
	writeFileSync(file, 'a file');
	const strict = new Shoal(t, ['share', file, path, '--strict', '--broker', url]);
	assert.is(await strict.exit(), 1);
	assert.equal(
		strict.events.map(({ event, code }) => [event, code]),
		[['error', 'ERR_LIMIT']],
	);
	const mild = new Shoal(t, ['share', file, path, '--broker', url]);
	assert.is((await mild.event('sharing')).name, 'file');
	assert.match(String((await mild.event('error')).message), /does not list one seed .*"photos"/);
});

test('--skip-odd reports the entries left out, --exclude leaves out more, and --name names one folder', async (t) => {
	const { url } = await startBroker(t);
	const { path } = await makePhotos(t);
	execFileSync('mkfifo', [join(path, 'pipe')]);
	const args = ['share', path, '--broker', url, '--skip-odd', '--exclude', '2024/raw'];
	const sharer = new Shoal(t, [...args, '--name', 'holidays']);
	const { name, files } = await sharer.event('sharing');
	assert.equal([name, files], ['holidays', 3]);
	assert.match(sharer.stderr, /left out of .*photos.*pipe.*\(it is a pipe\)/);
	const two = await runShoal(t, ['share', path, path, '--name', 'x', '--broker', url]);
	assert.is(two.code, 2);
	const bad = await runShoal(t, ['share', path, '--skip-odd', '--name', 'a/b', '--broker', url]);
	assert.match(bad.stderr, /cannot be the name of a file: it holds a path separator/);
});

test('names that other systems cannot store cause warnings', async (t) => {
	const { url } = await startBroker(t);
	const { path } = await makePhotos(t);
	mkdirSync(join(path, 'EMPTY'));
	for (const name of ['what?.txt', 'aux', 'EMPTY/a', 'EMPTY/A']) {
		writeFileSync(join(path, name), '');
	}
	const sharer = new Shoal(t, ['share', path, '--broker', url]);
	await sharer.event('sharing');
	await until('the warnings', () => sharer.stderr.includes('Windows cannot store'));
	assert.match(sharer.stderr, /EMPTY\/A.*and .*EMPTY\/a.* differ only in case \(and 1 more pair\)/);
	assert.match(sharer.stderr, /Windows cannot store .*aux.* \(and 1 more name of that kind\)/);
});

test('a folder is withdrawn and the changed file named when a file changes, and shared again if its bytes are the same', async (t) => {
	const { url } = await startBroker(t);
	const { path } = await makePhotos(t);
	const sharer = new Shoal(t, ['share', path, '--broker', url]);
	await sharer.event('sharing');
	const watch = new Shoal(t, ['watch', '--broker', url]);
	await watch.event('announce');
	await writeFile(join(path, '2024/run.sh'), 'echo\n');
	await watch.event('withdrawn');
	await until('it is shared again', () => watch.all('announce').length === 2);
	assert.match(sharer.stderr, /2024\/run\.sh.* has changed since the seed of its folder was made/);
	await writeFile(join(path, '2024/run.sh'), 'ohce\n');
	assert.is(await sharer.exit(), 1);
	assert.is(sharer.events.at(-1)?.code, 'ERR_CHANGED');
});

test.run();
