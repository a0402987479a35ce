import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { ContentStore } from '../../node/storage/content-store.ts';
import { lyingFolder } from '../helpers/adversaries/lying-folder.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { plant } from '../helpers/fixtures/trees.ts';
import { startNode } from '../helpers/harness/node.ts';
import { Shoal, sha256 } from '../helpers/harness/shoal.ts';
import { suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';
import { openTab } from './chromium.ts';
import { ownAddress, spawnServed, spawnShare } from './served.ts';
import { below, digestsOf, run, someTree } from './trees.ts';

const test = suite('downloads of folders in a browser', { timeout: 300_000 });

test('a folder with a wrong file digest, or with padding that is not zeros, is refused and not stored', async (t) => {
	const { url, page: address } = await spawnServed(t);
	const node = await startNode(t, url);
	const { contents } = Reflect.get(node, 'context') as { contents: ContentStore };
	const { page, trouble } = await openTab(t, address);
	for (const [lie, text] of [
		[{ isWrong: true }, 'but the digest of the whole is not: the seed itself is wrong'],
		[
			{ hasPadding: false },
			'the bytes between the files of this folder must be zeros, and are not',
		],
	] as const) {
		const content = lyingFolder(lie);
		contents.add(content);
		await page.goto(`${address}/#${content.seed.id}`);
		await page.getByRole('button', { name: /^Get / }).click();
		await page.getByRole('alert').filter({ hasText: text }).waitFor();
		assert.equal(
			await page.evaluate(`(async () => {
				const root = await navigator.storage.getDirectory();
				const folder = await root.getDirectoryHandle('shoal');
				return await Array.fromAsync(folder.keys());
			})()`),
			[],
		);
		await page.getByRole('button', { name: 'Remove' }).click();
	}
	// Another file of the folder with the wrong digest can still be downloaded.
	const { seed } = lyingFolder({ isWrong: true });
	await page.goto(`${address}/#${seed.id}/files`);
	const saved = page.waitForEvent('download');
	await page.getByRole('button', { name: 'Get a.txt' }).click();
	assert.is((await readFile(await (await saved).path())).toString(), 'right');
	assert.equal(trouble, []);
});

test('a page without TLS keeps some files of a folder, then all of them, in memory, and can share a folder', async (t) => {
	const host = ownAddress();
	assert.ok(host !== undefined, 'this machine has an address beside loopback');
	const folder = await makeFolder(t);
	const path = join(folder, 'summer');
	await plant(path, someTree());
	const expected = await digestsOf(path);
	const { url, page: address } = await spawnServed(t, '--host', host, '--insecure-anonymous');
	const id = await spawnShare(t, path, '--broker', url);
	const { page, trouble } = await openTab(t, `${address}/#${id}/files`);
	assert.is(await page.evaluate('isSecureContext'), false);
	const first = page.waitForEvent('download');
	await page.getByRole('button', { name: 'Get photos/one.jpg' }).click();
	assert.is(await sha256(await (await first).path()), expected['photos/one.jpg']);
	await page.getByRole('button', { name: /^Get all/ }).click();
	await page.getByText('· 6 files').waitFor();
	await page.getByText('complete and verified').waitFor();
	const saved = page.waitForEvent('download');
	await page.getByRole('button', { name: 'Save as zip' }).click();
	await run('unzip', ['-q', await (await saved).path(), '-d', join(folder, 'unzipped')]);
	assert.equal(await digestsOf(join(folder, 'unzipped')), below('summer', expected));
	assert.is(await page.getByRole('button', { name: 'Save into a folder' }).count(), 0);

	// A file input for folders skips empty folders.
	const { 'nothing here': _, ...files } = expected;
	await page.goto(`${address}/#files`);
	await page.getByRole('button', { name: 'Remove' }).click();
	await page.getByLabel(/Share a folder/).setInputFiles(path);
	const href = await page.locator('.mine.sharing').getByRole('link').first().getAttribute('href');
	const out = join(folder, 'out');
	const get = ['get', (href as string).slice(1), '--broker', url, '-o', out];
	await new Shoal(t, get).event('complete');
	assert.equal(await digestsOf(out), files);
	assert.equal(trouble, []);
});

test('a download of a folder that is stopped or reloaded resumes where it was', async (t) => {
	const path = join(await makeFolder(t), 'slow');
	const tree = { 'a.bin': randomBytes(9_000_000), 'b/c.bin': randomBytes(9_000_000) };
	await plant(path, tree);
	const { url, page: address } = await spawnServed(t);
	const id = await spawnShare(t, path, '--broker', url, '--max-up', '4MB');
	const { page, trouble } = await openTab(t, `${address}/#${id}`);
	const have = async (): Promise<number> =>
		Number(await page.locator('.mine progress').getAttribute('value'));
	await page.getByRole('button', { name: /^Get / }).click();
	await until('some of it is there', async () => (await have()) > 3_000_000);
	await page.getByText(/ · [01] of 2 files/).waitFor();
	await page.getByRole('button', { name: 'Stop' }).click();
	await page.locator('.mine.stopped').waitFor();
	const before = await have();
	await page.reload();
	await page.locator('.mine.stopped').waitFor();
	assert.ok((await have()) >= before, 'the fetched bytes are there after a reload');
	await page.getByRole('button', { name: 'Go on' }).click();
	await page.locator('.mine.fetching').waitFor();
	assert.ok((await have()) >= before - 1_000_000, 'it goes on from where it was');
	await page.reload();
	await page.getByText('complete and verified').waitFor();
	await page.getByText('· 2 files').waitFor();
	await page.getByRole('link', { name: 'Look inside' }).click();
	const saved = page.waitForEvent('download');
	await page.getByRole('button', { name: 'Save b/c.bin' }).click();
	assert.is(await sha256(await (await saved).path()), (await digestsOf(path))['b/c.bin']);
	assert.equal(trouble, []);
});

test('files that are requested while an earlier one is being downloaded are all saved', async (t) => {
	const path = join(await makeFolder(t), 'slow');
	const names = ['a.bin', 'b.bin', 'c.bin'];
	const tree = [...names, 'd.bin'].map((name) => [name, randomBytes(2_000_000)]);
	await plant(path, Object.fromEntries(tree));
	const { url, page: address } = await spawnServed(t);
	const id = await spawnShare(t, path, '--broker', url, '--max-up', '2MB');
	const { page, trouble } = await openTab(t, `${address}/#${id}/files`);
	const saved = new Map<string, Promise<string>>();
	page.on('download', (download) => saved.set(download.suggestedFilename(), download.path()));
	for (const name of names) {
		await page.getByRole('button', { name: `Get ${name}` }).click();
		await page.getByRole('button', { name: `Coming ${name}` }).waitFor();
	}
	await page.getByText('complete and verified').waitFor();
	await page.getByText('only 3 files').waitFor();
	await until('all are saved', () => saved.size === names.length);
	const digests = await digestsOf(path);
	for (const [name, file] of saved) {
		assert.is(await sha256(await file), digests[name], name);
	}
	assert.equal(trouble, []);
});

test.run();
