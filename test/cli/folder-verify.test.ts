import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { appendFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { makePhotos } from '../helpers/fixtures/photos.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { runShoal } from '../helpers/harness/plain-shoal.ts';
import { CACHELESS, type CliEvent, Shoal } from '../helpers/harness/shoal.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';

const test = suite('verify of folders');

/** What `shoal seed` wrote for the folder of these tests: the same bytes each time. */
let written: { readonly seed: Buffer; readonly index: Buffer } | undefined;

/** A folder with its seed and its index beside it. */
async function seeded(t: Scope) {
	const photos = await makePhotos(t);
	const [seed, index] = [`${photos.path}.seed`, `${photos.path}.index`];
	if (written === undefined) {
		assert.is((await runShoal(t, ['seed', photos.path])).code, 0);
		written = { seed: readFileSync(seed), index: readFileSync(index) };
	} else {
		writeFileSync(seed, written.seed);
		writeFileSync(index, written.index);
	}
	return { ...photos, seed, index };
}

/** Changes one file, removes an empty folder, and adds a file. */
async function spoil(path: string): Promise<void> {
	await appendFile(join(path, '2024/run.sh'), '#');
	await rm(join(path, 'empty'));
	await writeFile(join(path, 'new\u200f'), 'new');
}

const SPOILED = { bad: ['2024/run.sh'], missing: ['empty'], extra: ['new\u200f'] };

async function verified(
	t: Scope,
	args: readonly string[],
	env: NodeJS.ProcessEnv = CACHELESS,
): Promise<{ readonly code: unknown; readonly event: CliEvent }> {
	const shoal = new Shoal(t, ['verify', ...args], env);
	const code = await shoal.exit();
	return { code, event: await shoal.event('verified') };
}

test('verify names bad, missing and extra paths if the index is beside the seed', async (t) => {
	const { seed, path } = await seeded(t);
	const right = await verified(t, [seed]);
	assert.is(right.code, 0);
	const { ok, bad, missing, extra, files } = right.event;
	assert.equal([ok, bad, missing, extra, files], [true, [], [], [], 4]);
	await spoil(path);
	const wrong = await verified(t, [seed, path]);
	assert.is(wrong.code, 1);
	assert.is(wrong.event.ok, false);
	assert.equal(
		{ bad: wrong.event.bad, missing: wrong.event.missing, extra: wrong.event.extra },
		SPOILED,
	);
	const { code, text } = await runShoal(t, ['verify', seed]);
	assert.is(code, 1);
	assert.match(text, /^wrong .*photos\n {2}bad {6}2024\/run\.sh\n {2}missing {2}empty\n/);
	assert.match(text, '\n  extra    new\\u{200f}\n');
	assert.match(text, /\n {2}get it again: move it away, then shoal get [0-9a-f]{64}\n$/);
});

test('extra paths can be excluded, and cause no advice to get the folder again', async (t) => {
	const { seed, path } = await seeded(t);
	await writeFile(join(path, 'notes.tmp'), 'new');
	execFileSync('mkfifo', [join(path, 'pipe')]);
	const { code, text } = await runShoal(t, ['verify', seed]);
	assert.is(code, 1);
	assert.match(text, /extra {4}notes\.tmp\n {2}extra {4}pipe\n {2}all files of the seed are right/);
	const without = await verified(t, [seed, '--exclude', '*.tmp', '--exclude', 'pipe']);
	assert.equal([without.code, without.event.ok], [0, true]);
});

test('verify says how many files it has checked, and how many --exclude left out', async (t) => {
	const { seed, path, beside } = await seeded(t);
	await appendFile(join(path, '2024/run.sh'), '#');
	const args = [seed, path, '--exclude', '2024'];
	const { code, event } = await verified(t, args);
	assert.equal([code, event.ok, event.files, event.leftOut], [0, true, 4, 2]);
	const { text } = await runShoal(t, ['verify', ...args]);
	assert.match(text, /^right .*photos {2}2 files, 5 B; 2 files left out\n/);
	assert.match(text, /the digest of each of these files is right\n$/);
	const none = await runShoal(t, ['verify', seed, path, '--exclude', '*']);
	assert.is(none.code, 2);
	assert.match(none.stderr, '--exclude leaves out everything in "photos"');
	const whole = await verified(t, [seed, path, '--exclude', '*.tmp']);
	assert.equal([whole.event.files, whole.event.leftOut], [4, 0]);
	const file = join(beside, 'one.bin');
	await writeFile(file, 'one');
	await runShoal(t, ['seed', file]);
	const plain = await runShoal(t, ['verify', `${file}.seed`, '--exclude', '*']);
	assert.is(plain.code, 2);
	assert.match(plain.stderr, '--exclude is for folders, and no folder is named');
});

test('an index that is not on this machine is fetched from the swarm', async (t) => {
	const { url } = await startBroker(t);
	const { seed, index, path, beside } = await seeded(t);
	await new Shoal(t, ['share', path, '--broker', url]).event('sharing');
	renameSync(index, `${index}.away`);
	const copy = join(beside, 'copy');
	execFileSync('cp', ['-a', path, copy]);
	await spoil(copy);
	const { code, event } = await verified(t, [seed, copy, '--broker', url]);
	assert.is(code, 1);
	assert.equal({ bad: event.bad, missing: event.missing, extra: event.extra }, SPOILED);
	const known = { ...CACHELESS, SHOAL_BROKER: url };
	assert.equal((await verified(t, [seed, copy], known)).event.bad, SPOILED.bad);
	// Nobody listens on this port.
	const typed = await runShoal(t, ['verify', seed, copy, '--broker', 'mqtt://127.0.0.1:1']);
	assert.is(typed.code, 4);
	assert.match(typed.stderr, 'ERR_BROKER');
});

test('the index is taken from the cache if the folder was shared or got', async (t) => {
	const { path, beside } = await makePhotos(t);
	const env = { ...CACHELESS, XDG_CACHE_HOME: join(beside, 'cache') };
	await new Promise((resolve) => setTimeout(resolve, 2_600));
	assert.is(await new Shoal(t, ['seed', path], env).exit(), 0);
	await rm(`${path}.index`);
	await spoil(path);
	const { event } = await verified(t, [`${path}.seed`, path], env);
	assert.equal({ bad: event.bad, missing: event.missing, extra: event.extra }, SPOILED);
});

test('without the index verify reports only whether the folder is right, and says so', async (t) => {
	const { seed, index, path, beside } = await seeded(t);
	renameSync(index, join(beside, 'away'));
	const right = await verified(t, [seed]);
	assert.equal([right.code, right.event.ok, right.event.bad], [0, true, []]);
	await spoil(path);
	const wrong = await verified(t, [seed]);
	const { ok, bad, missing, extra } = wrong.event;
	assert.equal([wrong.code, ok, bad, missing, extra], [1, false, null, null, null]);
	const { text } = await runShoal(t, ['verify', seed]);
	assert.match(
		text,
		/^wrong .*photos\n.*only with the index.*\n.*no broker is known\n.*--broker URL\n$/,
	);
	const unknown = { ...CACHELESS, SHOAL_BROKER: 'mqtt://127.0.0.1:1' };
	assert.is((await verified(t, [seed], unknown)).event.ok, false);
	assert.match(
		(await runShoal(t, ['verify', seed], { env: unknown })).text,
		/cannot be fetched: the broker at mqtt:\/\/127\.0\.0\.1:1 cannot be reached/,
	);
});

test('a pipe in the folder is reported as extra, even without the index', async (t) => {
	const { seed, index, path } = await seeded(t);
	await rm(index);
	execFileSync('mkfifo', [join(path, 'pipe')]);
	const { code, event } = await verified(t, [seed]);
	assert.equal([code, event.bad, event.missing, event.extra], [1, [], [], ['pipe']]);
});

test('a damaged index, or the index of another seed, is ignored with a warning', async (t) => {
	const { seed, index, path } = await seeded(t);
	const sound = readFileSync(index, 'utf8');
	for (const text of ['something else', sound.replace(' 5 x ', ' 6 x ')]) {
		writeFileSync(index, text);
		const { code, stderr } = await runShoal(t, ['verify', seed, path]);
		assert.is(code, 0);
		assert.match(stderr, /photos\.index" is not the index of this seed, and is ignored/);
	}
});

test('the seed of a folder is refused for a file, and the seed of a file for a folder', async (t) => {
	const { seed, path, beside } = await seeded(t);
	const file = join(beside, 'file');
	writeFileSync(file, 'a file');
	const ofFile = await runShoal(t, ['verify', seed, file]);
	assert.match(
		ofFile.stderr,
		/is a file, and .*photos\.seed" is the seed of a folder \(ERR_FOLDER\)/,
	);
	assert.is((await runShoal(t, ['seed', file])).code, 0);
	const ofFolder = await runShoal(t, ['verify', `${file}.seed`, path]);
	assert.match(
		ofFolder.stderr,
		/it is a folder; a file is expected.*ERR_FOLDER|is a folder; a file is expected/,
	);
	mkdirSync(join(beside, 'else'));
	copyFileSync(seed, join(beside, 'else', 'photos.seed'));
	const missing = await runShoal(t, ['verify', join(beside, 'else', 'photos.seed')]);
	assert.match(missing.stderr, /name the folder: shoal verify X\.seed FOLDER \(ERR_NO_FILE\)/);
});

test('a folder seed with wrong chunk digests is ERR_SEED_LIES', async (t) => {
	const { seed, index } = await seeded(t);
	await rm(index);
	const lines = readFileSync(seed, 'utf8').split('\n');
	lines[4] = '0'.repeat(64);
	writeFileSync(seed, lines.join('\n'));
	const { code, stderr } = await runShoal(t, ['verify', seed]);
	assert.is(code, 1);
	assert.match(
		stderr,
		/the digests of the chunks are not: the seed itself is wrong \(ERR_SEED_LIES\)/,
	);
});

test('after twenty paths of a kind the others are only counted, but --json has all', async (t) => {
	const { seed, path } = await seeded(t);
	for (let number = 0; number < 30; number += 1) {
		writeFileSync(join(path, `more-${number}`), '');
	}
	const { text } = await runShoal(t, ['verify', seed]);
	assert.match(text, '\n  extra    10 more paths; --json names all\n');
	assert.is(((await verified(t, [seed])).event.extra as string[]).length, 30);
});

test.run();
