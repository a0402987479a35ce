import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import * as assert from 'uvu/assert';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { startNode } from '../helpers/harness/node.ts';
import { Shoal } from '../helpers/harness/shoal.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('many tiny files');
const SIZE = 8 * 1024;

async function makeFiles(t: Scope, count: number): Promise<string[]> {
	const folder = await makeFolder(t);
	const paths = Array.from({ length: count }, (_, index) => join(folder, `${index}.bin`));
	await Promise.all(paths.map((path) => writeFile(path, randomBytes(SIZE))));
	return paths;
}

test('a file that is shorter than the text of its seed is got by its id on each lane', async (t) => {
	const { url } = await startBroker(t);
	const path = join(await makeFolder(t), 'tiny.txt');
	await writeFile(path, 'hello');
	for (const lane of ['broker', 'auto'] as const) {
		const seeder = await startNode(t, url, { lane });
		const { seed } = await seeder.share(path);
		const node = await startNode(t, url, { lane });
		const copy = await node.get(seed.id, { output: join(await makeFolder(t), 'copy') });
		assert.is(await readFile(copy.path, 'utf8'), 'hello');
		await seeder.close();
		await node.close();
	}
});

test('500 files are shared and fetched at the same time, without warnings of refused requests', async (t) => {
	const { url } = await startBroker(t);
	const paths = await makeFiles(t, 500);
	const seeder = await startNode(t, url);
	const node = await startNode(t, url);
	const warnings: unknown[] = [];
	for (const each of [seeder, node]) {
		each.on('warning', (error) => warnings.push(error));
	}
	const output = await makeFolder(t);
	const shares = await Promise.all(paths.map((path) => seeder.share(path)));
	const results = await Promise.all(shares.map(({ seed }) => node.get(seed.id, { output })));
	assert.equal(warnings, []);
	for (const [index, { path }] of results.entries()) {
		assert.equal(await readFile(path), await readFile(paths[index] as string));
	}
});

test('the command line shares 100 files, lists them in order, and fetches them at the same time', async (t) => {
	const { url } = await startBroker(t);
	const paths = await makeFiles(t, 100);
	const shoal = new Shoal(t, ['share', ...paths, '--broker', url]);
	await until('all are shared', () => shoal.all('sharing').length === paths.length);
	assert.equal(
		shoal.all('sharing').map(({ name }) => name),
		paths.map((_, index) => `${index}.bin`),
	);
	const output = await makeFolder(t);
	const ids = shoal.all('sharing').map(({ id }) => String(id));
	const get = new Shoal(t, ['get', ...ids, '-o', output, '--broker', url, '--no-linger']);
	assert.is(await get.exit(), 0);
	assert.is(get.all('complete').length, paths.length);
	for (const { name, path } of get.all('complete')) {
		const original = paths.find((each) => basename(each) === name) as string;
		assert.equal(await readFile(String(path)), await readFile(original));
	}
});

test('if one of several files fails, the others are still completed', async (t) => {
	const { url } = await startBroker(t);
	const [first, second] = (await makeFiles(t, 2)) as [string, string];
	const seeder = await startNode(t, url);
	const ids = [(await seeder.share(first)).seed.id, (await seeder.share(second)).seed.id] as const;
	const output = await makeFolder(t);
	await writeFile(join(output, basename(first)), 'in the way');
	const get = new Shoal(t, ['get', ...ids, '-o', output, '--broker', url, '--no-linger']);
	assert.is(await get.exit(), 1);
	assert.equal(
		get.all('complete').map(({ id }) => id),
		[ids[1]],
	);
	assert.equal(
		get.all('error').map(({ code }) => code),
		['ERR_EXISTS'],
	);
	const file = new Shoal(t, ['get', ...ids, '-o', join(output, 'x'), '--broker', url]);
	assert.is(await file.exit(), 2);
});

test.run();
