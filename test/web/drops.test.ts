import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import * as assert from 'uvu/assert';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { listed, startNode } from '../helpers/harness/node.ts';
import { Shoal } from '../helpers/harness/shoal.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';
import { findings } from './axe.ts';
import { openTab, type Tab } from './chromium.ts';
import { drop } from './drop.ts';
import { spawnServed } from './served.ts';

const test = suite('drops on the page', { timeout: 300_000 });

/**
 * Opens the view My files, and makes an empty folder. `isSame` tells whether the page was not left.
 */
async function openFiles(
	t: Scope,
): Promise<Tab & { folder: string; url: string; isSame: () => Promise<boolean> }> {
	const folder = await makeFolder(t);
	const { url, page: address } = await spawnServed(t);
	const tab = await openTab(t, `${address}/#files`);
	await tab.page.getByText('connected', { exact: true }).waitFor();
	await tab.page.evaluate('window.isSame = true');
	return {
		...tab,
		folder,
		url,
		isSame: () => tab.page.evaluate<boolean>('window.isSame === true'),
	};
}

const shared = (page: Page) => page.locator('.mine.sharing');

test('all folders and files that are dropped together are shared', async (t) => {
	const tab = await openFiles(t);
	const { page, folder, url, trouble } = tab;
	await mkdir(join(folder, 'photos of 2026', 'empty'), { recursive: true });
	await mkdir(join(folder, 'drafts'));
	await writeFile(join(folder, 'photos of 2026', 'inside.jpg'), 'inside');
	await writeFile(join(folder, 'beside.txt'), 'beside');
	const files = ['photos of 2026', 'beside.txt', 'drafts'].map((name) => join(folder, name));
	await drop(tab, { files });
	await until('all are shared', async () => (await shared(page).count()) === files.length);
	await shared(page).filter({ hasText: 'photos of 2026' }).getByText('1 file,').waitFor();
	assert.equal(await findings(page), []);
	const seeds = await listed(await startNode(t, url));
	assert.equal(seeds.map(({ name, files: count }) => `${name}: ${count}`).sort(), [
		'beside.txt: undefined',
		'drafts: 0',
		'photos of 2026: 1',
	]);
	assert.equal(trouble, []);
});

test('a folder with names that cannot be shared is refused, and the error has five of them', async (t) => {
	const tab = await openFiles(t);
	const { page, folder, trouble } = tab;
	const path = join(folder, 'odd');
	await mkdir(path);
	for (const name of ['fine.txt', 'back\\slash', 'e\u0301', '\u00e9', ...'1234']) {
		await writeFile(join(path, name.length === 1 && name < '9' ? `zero\u200b${name}` : name), '');
	}
	await drop(tab, { files: [path] });
	const card = page.locator('.mine.failed');
	const text = (await card.getByRole('alert').textContent()) as string;
	assert.match(text, 'the folder "odd" has entries that cannot be shared: ');
	assert.match(text, /and 1 more; rename or remove them, and share the folder again$/);
	assert.match(text, 'another name differs from it only in its Unicode form');
	assert.is(text.match(/ \(/g)?.length, 5);
	await card.getByRole('button', { name: 'Remove' }).click();
	await page.getByText('Nothing yet.').waitFor();
	assert.equal(trouble, []);
});

test('twenty files, one of them empty, are shared when they are dropped outside the drop zone', async (t) => {
	const tab = await openFiles(t);
	const { page, folder, url, trouble, isSame } = tab;
	const files = Array.from({ length: 20 }, (_, index) => join(folder, `file ${index}.txt`));
	for (const [index, path] of files.entries()) {
		await writeFile(path, 'x'.repeat(index));
	}
	await page.getByRole('link', { name: 'Swarm' }).click();
	await page.getByRole('heading', { name: 'Swarm' }).waitFor();
	// The head of the page is not a drop zone.
	await drop(tab, { files }, 5, 5);
	await until('all are shared', async () => (await shared(page).count()) === files.length);
	await shared(page).filter({ hasText: 'file 0.txt' }).getByText('0 B').waitFor();
	const output = join(folder, 'got');
	await mkdir(output);
	const href = await shared(page)
		.filter({ hasText: 'file 0.txt' })
		.getByRole('link')
		.getAttribute('href');
	const got = new Shoal(t, ['get', (href as string).slice(1), '--broker', url, '-o', output]);
	await got.event('complete');
	assert.ok(await isSame(), 'the page was left');
	assert.equal(trouble, []);
});

test('a dropped link, picture or text does not leave the page, and text can be dropped into a field', async (t) => {
	const tab = await openFiles(t);
	const { page, trouble, isSame } = tab;
	const before = page.url();
	for (const items of [
		[{ mimeType: 'text/uri-list', data: 'http://127.0.0.1:9/elsewhere' }],
		[{ mimeType: 'text/plain', data: 'some text' }],
		[{ mimeType: 'text/html', data: '<img src=x onerror=alert(1)>' }],
	]) {
		await drop(tab, { items });
		const note = page
			.getByRole('alert')
			.filter({ hasText: 'Nothing is shared: what was dropped is a text or a link' });
		await note.getByRole('button', { name: 'Close' }).click();
		await note.waitFor({ state: 'detached' });
		assert.is(page.url(), before);
	}
	await page.getByRole('link', { name: 'Swarm' }).click();
	const find = page.getByLabel('Find');
	const { x, y } = (await find.boundingBox()) as { x: number; y: number };
	await drop(tab, { items: [{ mimeType: 'text/plain', data: 'some text' }] }, x + 20, y + 10);
	await until('the text is in the field', async () => (await find.inputValue()) === 'some text');
	assert.ok(await isSame(), 'the page was left');
	assert.equal(trouble, []);
});

test.run();
