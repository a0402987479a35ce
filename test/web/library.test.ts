import { createHash } from 'node:crypto';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { ShoalNode } from '../../node/index.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { randomFile } from '../helpers/harness/shoal.ts';
import { suite } from '../helpers/harness/suite.ts';
import { openTab } from './chromium.ts';
import { buildApp } from './library-app.ts';
import { serveFolder } from './serve-folder.ts';
import { spawnServed } from './served.ts';

const test = suite('the library in a browser');

test('a page of another origin that the broker names is a node, and one it does not name is none', async (t) => {
	const folder = await makeFolder(t);
	const digest = await randomFile(join(folder, 'file.bin'), 3_000_000);
	const app = await serveFolder(t, await buildApp(t));
	const named = await spawnServed(t, '--http-origin', app);
	const { page, trouble } = await openTab(t, app);
	await page.waitForFunction('window.ask');
	const ask = (order: unknown) => page.evaluate<string>(`ask(${JSON.stringify(order)})`);
	const url = `${named.page.replace('http', 'ws')}/mqtt`;
	const node = await ShoalNode.start({ broker: named.url });
	t.defer(() => node.close());
	const { seed } = await node.share(join(folder, 'file.bin'));
	assert.is(await ask({ url, get: seed.id }), digest);
	const id = await ask({ url, share: 2_000_000 });
	const got = await node.get(id, { output: folder });
	assert.is(got.seed.digest, createHash('sha256').update(Buffer.alloc(2_000_000, 7)).digest('hex'));
	assert.equal(trouble, []);
	const other = await spawnServed(t);
	await page.reload();
	await page.waitForFunction('window.ask');
	assert.is(
		await ask({ url: `${other.page.replace('http', 'ws')}/mqtt`, get: seed.id }),
		'ERR_BROKER',
	);
});

test.run();
