import { createHash } from 'node:crypto';
import { copyFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build as esbuild } from 'esbuild';
import * as assert from 'uvu/assert';
import { build as viteBuild } from 'vite';
import { ShoalNode } from '../../node/index.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { plant } from '../helpers/fixtures/trees.ts';
import { randomFile } from '../helpers/harness/shoal.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { openTab } from './chromium.ts';
import { serveFolder } from './serve-folder.ts';
import { spawnServed } from './served.ts';
import { digestsOf } from './trees.ts';

const test = suite('the library in a browser');
// This file runs as dist/test/web/library.test.js.
const LIBRARY = fileURLToPath(new URL('../../node/web/index.js', import.meta.url));

// A program that uses the library: it downloads, shares, and reports errors and warnings.
const PROGRAM = `import { BrowserNode } from ${JSON.stringify(LIBRARY)};
	const hex = async (blob) => [...new Uint8Array(await crypto.subtle.digest('SHA-256', await blob.arrayBuffer()))]
		.map((byte) => byte.toString(16).padStart(2, '0')).join('');
	let node;
	const warnings = [];
	const obey = async (order) => {
		try {
			if (node === undefined) {
				node = await BrowserNode.start({ url: order.url });
				node.on('warning', (error) => warnings.push(String(error)));
			}
			if (order.warnings) {
				return warnings.join();
			}
			if (order.list !== undefined) {
				return (await node.list(order.list)).entries.map(({ path }) => path).join();
			}
			if (order.file !== undefined) {
				const { folder } = await node.get(order.get, { paths: [order.file] });
				return await hex(folder.file(order.file));
			}
			if (order.shareFolder !== undefined) {
				const files = order.shareFolder.map((path) => [path, new File([path], 'any')]);
				return (await node.shareFolder({ name: 'shared', files })).id;
			}
			if (order.get !== undefined) {
				return await hex((await node.get(order.get)).blob);
			}
			return (await node.share(new File([new Uint8Array(order.share).fill(7)], 'sevens.bin'))).id;
		} catch (error) {
			return String(error.code ?? error);
		}
	};`;

/**
 * Writes the page of an application that uses the library in a worker, or in the main thread.
 *
 * @returns its folder
 */
async function writeApp(t: Scope, isInWorker: boolean): Promise<string> {
	const root = await makeFolder(t);
	const page = '<link rel="icon" href="data:,"><script type="module" src="./app.js"></script>';
	await writeFile(join(root, 'index.html'), page);
	const asks = `const worker = new Worker(new URL('./work.js', import.meta.url), { type: 'module' });
		window.ask = (order) => new Promise((resolve) => {
			worker.onmessage = ({ data }) => resolve(data);
			worker.postMessage(order);
		});`;
	await writeFile(join(root, 'app.js'), isInWorker ? asks : `${PROGRAM} window.ask = obey;`);
	const works = `${PROGRAM} onmessage = async ({ data }) => postMessage(await obey(data));`;
	await writeFile(join(root, 'work.js'), works);
	return root;
}

/** Bundles the page in a folder. @returns the folder of the result */
type Bundler = (root: string) => Promise<string>;

const withVite: Bundler = async (root) => {
	const outDir = join(root, 'out');
	const quiet = { configFile: false, logLevel: 'silent' } as const;
	await viteBuild({ root, base: './', ...quiet, worker: { format: 'es' }, build: { outDir } });
	return outDir;
};

/** Bundles with esbuild without plugins, which does not change paths in `new URL`. */
function withEsbuild(format: 'esm' | 'iife', entries: readonly string[]): Bundler {
	return async (root) => {
		const outdir = join(root, 'out');
		const entryPoints = entries.map((each) => resolve(root, each));
		const quiet = { logLevel: 'silent' } as const;
		await esbuild({ entryPoints, bundle: true, format, outdir, entryNames: '[name]', ...quiet });
		await copyFile(join(root, 'index.html'), join(outdir, 'index.html'));
		return outdir;
	};
}

test('a page of another origin can be a node only if the broker allows its origin', async (t) => {
	const folder = await makeFolder(t);
	const digest = await randomFile(join(folder, 'file.bin'), 3_000_000);
	const app = await serveFolder(t, await withVite(await writeApp(t, true)));
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
	// A list: a broker that refuses the page, one that does not exist, and one that can be used.
	assert.is(await ask({ url: [] }), 'ERR_USAGE');
	const list = [`${other.page.replace('http', 'ws')}/mqtt`, 'ws://127.0.0.1:1/mqtt', url];
	assert.is(await ask({ url: list, get: seed.id }), digest);
});

/** With these headers a page has shared memory, from which browsers refuse to decode text. */
const ISOLATED = {
	'Cross-Origin-Opener-Policy': 'same-origin',
	'Cross-Origin-Embedder-Policy': 'require-corp',
};

test('a page lists a folder, downloads one file of it, and shares a folder, with and without cross-origin isolation', async (t) => {
	const path = join(await makeFolder(t), 'folder');
	await plant(path, { 'a/b.txt': 'b', 'c.txt': 'c' });
	const out = await withVite(await writeApp(t, true));
	for (const headers of [{}, ISOLATED]) {
		const app = await serveFolder(t, out, headers);
		const served = await spawnServed(t, '--http-origin', app);
		const node = await ShoalNode.start({ broker: served.url });
		t.defer(() => node.close());
		const { seed } = await node.share(path);
		const { page, trouble } = await openTab(t, app);
		await page.waitForFunction('window.ask');
		assert.is(await page.evaluate('crossOriginIsolated'), headers === ISOLATED);
		const url = `${served.page.replace('http', 'ws')}/mqtt`;
		const ask = (order: object) =>
			page.evaluate<string>(`ask(${JSON.stringify({ url, ...order })})`);
		assert.is(await ask({ list: seed.id }), 'a/b.txt,c.txt');
		const { 'a/b.txt': digest } = await digestsOf(path);
		assert.is(await ask({ get: seed.id, file: 'a/b.txt' }), digest);
		const id = await ask({ shareFolder: ['x.txt', 'y/z.txt'] });
		const { entries } = await node.list(id);
		assert.equal(
			entries.map((entry) => entry.path),
			['x.txt', 'y/z.txt'],
		);
		assert.equal(trouble, []);
	}
});

const THREAD = join(dirname(LIBRARY), 'worker', 'hash-thread.js');
const SEVENS = createHash('sha256').update(Buffer.alloc(2_000_000, 7)).digest('hex');

/**
 * Downloads and shares with a page from `bundler`.
 *
 * @returns the warnings of the node, and the errors in the tab
 */
async function tryApp(t: Scope, bundler: Bundler, isInWorker: boolean) {
	const folder = await makeFolder(t);
	const digest = await randomFile(join(folder, 'file.bin'), 3_000_000);
	const app = await serveFolder(t, await bundler(await writeApp(t, isInWorker)));
	const served = await spawnServed(t, '--http-origin', app);
	const node = await ShoalNode.start({ broker: served.url });
	t.defer(() => node.close());
	const { seed } = await node.share(join(folder, 'file.bin'));
	const { page, trouble } = await openTab(t, app);
	await page.waitForFunction('window.ask');
	const url = `${served.page.replace('http', 'ws')}/mqtt`;
	const ask = (order: object) => page.evaluate<string>(`ask(${JSON.stringify({ url, ...order })})`);
	assert.is(await ask({ get: seed.id }), digest);
	const got = await node.get(await ask({ share: 2_000_000 }), { output: folder });
	assert.is(got.seed.digest, SEVENS);
	return { warnings: await ask({ warnings: true }), trouble };
}

test('bundled by vite without a worker, the library works and hashes in a thread', async (t) => {
	assert.equal(await tryApp(t, withVite, false), { warnings: '', trouble: [] });
});

for (const format of ['esm', 'iife'] as const) {
	test(`bundled by esbuild as ${format}, the library works, hashes without a separate thread, and warns of that`, async (t) => {
		const { warnings } = await tryApp(t, withEsbuild(format, ['app.js']), false);
		assert.match(warnings, 'files are hashed without a thread of their own');
	});
}

test('bundled by esbuild together with the script of the hash thread, the library hashes in that thread', async (t) => {
	const bundler = withEsbuild('esm', ['app.js', 'work.js', THREAD]);
	assert.equal(await tryApp(t, bundler, true), { warnings: '', trouble: [] });
});

test.run();
