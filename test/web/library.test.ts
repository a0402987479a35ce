import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { build } from 'vite';
import { ShoalNode } from '../../node/index.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { randomFile } from '../helpers/harness/shoal.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { openTab } from './chromium.ts';
import { serveFolder } from './serve-folder.ts';
import { spawnServed } from './served.ts';

const test = suite('the library in a browser');
// This file runs as dist/test/web/library.test.js.
const LIBRARY = fileURLToPath(new URL('../../node/web/index.js', import.meta.url));

/** A page of somebody else that has the library in a worker. @returns the folder it was built to */
async function buildApp(t: Scope): Promise<string> {
	const root = await makeFolder(t);
	await writeFile(
		join(root, 'index.html'),
		'<link rel="icon" href="data:,"><script type="module" src="./app.js"></script>',
	);
	await writeFile(
		join(root, 'app.js'),
		`const worker = new Worker(new URL('./work.js', import.meta.url), { type: 'module' });
		window.ask = (order) => new Promise((resolve) => {
			worker.onmessage = ({ data }) => resolve(data);
			worker.postMessage(order);
		});`,
	);
	await writeFile(
		join(root, 'work.js'),
		`import { BrowserNode } from ${JSON.stringify(LIBRARY)};
		const hex = async (blob) => [...new Uint8Array(await crypto.subtle.digest('SHA-256', await blob.arrayBuffer()))]
			.map((byte) => byte.toString(16).padStart(2, '0')).join('');
		let node;
		onmessage = async ({ data }) => {
			try {
				node ??= await BrowserNode.start({ url: data.url });
				if (data.get !== undefined) {
					const { blob } = await node.get(data.get);
					postMessage(await hex(blob));
				} else {
					const seed = await node.share(new File([new Uint8Array(data.share).fill(7)], 'sevens.bin'));
					postMessage(seed.id);
				}
			} catch (error) {
				postMessage(String(error.code ?? error));
			}
		};`,
	);
	const outDir = join(root, 'out');
	const worker = { format: 'es' as const };
	await build({
		root,
		base: './',
		configFile: false,
		logLevel: 'silent',
		worker,
		build: { outDir },
	});
	return outDir;
}

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
