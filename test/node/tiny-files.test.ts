import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { startBroker } from '../helpers/broker.ts';
import { makeFolder } from '../helpers/folder.ts';
import { startNode } from '../helpers/node.ts';
import { Shoal } from '../helpers/shoal.ts';
import { type Scope, suite } from '../helpers/suite.ts';
import { until } from '../helpers/until.ts';

const test = suite('many tiny files', { timeout: 60_000 });
const COUNT = 500;
const SIZE = 8 * 1024;
/** One after the other, each with a round of 250 ms somewhere, they would take two minutes. */
const MOST_MS = 15_000;

async function makeFiles(t: Scope): Promise<string[]> {
	const folder = await makeFolder(t);
	const paths = Array.from({ length: COUNT }, (_, index) => join(folder, `${index}.bin`));
	await Promise.all(paths.map((path) => writeFile(path, randomBytes(SIZE))));
	return paths;
}

test('500 files are shared and fetched at the same time, and nobody is asked for too much', async (t) => {
	const { url } = await startBroker(t);
	const paths = await makeFiles(t);
	const seeder = await startNode(t, url);
	const node = await startNode(t, url);
	const warnings: unknown[] = [];
	for (const each of [seeder, node]) {
		each.on('warning', (error) => warnings.push(error));
	}
	const output = await makeFolder(t);
	const start = performance.now();
	const shares = await Promise.all(paths.map((path) => seeder.share(path)));
	const results = await Promise.all(shares.map(({ seed }) => node.get(seed.id, { output })));
	const ms = performance.now() - start;
	assert.ok(ms < MOST_MS, `${ms} ms`);
	assert.equal(warnings, []);
	for (const [index, { path }] of results.entries()) {
		assert.equal(await readFile(path), await readFile(paths[index] as string));
	}
});

test('the command line shares 500 files, and tells them in order', async (t) => {
	const { url } = await startBroker(t);
	const paths = await makeFiles(t);
	const start = performance.now();
	const shoal = new Shoal(t, ['share', ...paths, '--broker', url]);
	await until('all are shared', () => shoal.all('sharing').length === COUNT, MOST_MS);
	assert.ok(performance.now() - start < MOST_MS);
	assert.equal(
		shoal.all('sharing').map(({ name }) => name),
		paths.map((_, index) => `${index}.bin`),
	);
});

test.run();
