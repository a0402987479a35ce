import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { startNode } from '../helpers/harness/node.ts';
import { Shoal } from '../helpers/harness/shoal.ts';
import type { Scope } from '../helpers/harness/suite.ts';
import { judge, timingSuite } from '../helpers/harness/timing.ts';
import { until } from '../helpers/harness/until.ts';

const test = await timingSuite('500 tiny files');
const COUNT = 500;
/** With a wait of 250 ms for each, one after the other, the files would take two minutes. */
const SOON = { unit: 's', most: 15 };

async function makeFiles(t: Scope): Promise<string[]> {
	const folder = await makeFolder(t);
	const paths = Array.from({ length: COUNT }, (_, index) => join(folder, `${index}.bin`));
	await Promise.all(paths.map((path) => writeFile(path, randomBytes(8 * 1024))));
	return paths;
}

test('a node shares, and another one fetches, all files at the same time', async (t) => {
	const paths = await makeFiles(t);
	await judge('shared and fetched', SOON, async () => {
		const { url } = await startBroker(t);
		const seeder = await startNode(t, url);
		const node = await startNode(t, url);
		const output = await makeFolder(t);
		const begun = performance.now();
		const shares = await Promise.all(paths.map((path) => seeder.share(path)));
		await Promise.all(shares.map(({ seed }) => node.get(seed.id, { output })));
		return (performance.now() - begun) / 1_000;
	});
});

test('the command line shares and fetches all files', async (t) => {
	const paths = await makeFiles(t);
	await judge('the longer of sharing and fetching', SOON, async () => {
		const { url } = await startBroker(t);
		const begun = performance.now();
		const share = new Shoal(t, ['share', ...paths, '--broker', url]);
		await until('all are shared', () => share.all('sharing').length === COUNT);
		const shared = performance.now();
		const ids = share.all('sharing').map(({ id }) => String(id));
		const output = await makeFolder(t);
		const get = new Shoal(t, ['get', ...ids, '-o', output, '--broker', url, '--no-linger']);
		assert.is(await get.exit(60_000), 0);
		await share.end();
		return Math.max(shared - begun, performance.now() - shared) / 1_000;
	});
});

test.run();
