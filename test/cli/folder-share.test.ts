import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { makePhotos } from '../helpers/fixtures/photos.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { runShoal } from '../helpers/harness/plain-shoal.ts';
import { Shoal } from '../helpers/harness/shoal.ts';
import { suite } from '../helpers/harness/suite.ts';

const test = suite('sharing folders');

/** A folder whose index is longer than 32 MiB: its paths have a thousand bytes. */
async function makeTooLarge(folder: string): Promise<string> {
	const root = join(folder, 'too large');
	const deep = join(root, ...['a', 'b', 'c', 'd'].map((letter) => letter.repeat(195)));
	await mkdir(deep, { recursive: true });
	for (let first = 0; first < 32_000; first += 500) {
		const names = Array.from({ length: 500 }, (_, index) => `${first + index}`.padStart(195, '_'));
		await Promise.all(names.map((name) => writeFile(join(deep, name), '')));
	}
	return root;
}

test('a folder with too much in it is named, and the rest is shared', async (t) => {
	const { url } = await startBroker(t);
	const folder = await makeFolder(t);
	const [large, file] = [await makeTooLarge(folder), join(folder, 'file')];
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

test('the advice fits to what is wrong: only a damaged seed file is made again', async (t) => {
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

test.run();
