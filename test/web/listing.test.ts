import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import * as assert from 'uvu/assert';
import { l, makeTree } from '../helpers/fixtures/trees.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { readZip } from '../helpers/harness/zip-files.ts';
import { findings } from './axe.ts';
import { openTab } from './chromium.ts';
import { spawnServed, spawnShare } from './served.ts';

const test = suite('the listing of a folder in a browser', { timeout: 300_000 });
const FILES = 2_000;
const ODD_NAMES = [
	'<script>alert(1)<',
	'"><img src=x onerror=alert(1)>',
	"' onmouseover='alert(1)",
	'javascript:alert(1)',
	'rtl\u200fname',
	'100%25 #1?.txt',
	'größe & co.txt',
	'x'.repeat(255),
];

async function start(t: Scope) {
	const numbered = Array.from({ length: FILES }, (_, number) => {
		return [`file-${String(number).padStart(4, '0')}.txt`, `${number}`];
	});
	const odd = ODD_NAMES.map((name) => [`odd/${name}`, name]);
	const leaves = Object.fromEntries([...numbered, ...odd, ['latest', l('file-1999.txt')]]);
	const { url, page } = await spawnServed(t);
	const id = await spawnShare(t, await makeTree(t, leaves, 'a folder'), '--broker', url);
	return { id, ...(await openTab(t, `${page}/files/${id}`)) };
}

/** Clicks a link that downloads a file. @returns the name and the bytes of the file */
async function download(page: Page, name: string): Promise<{ name: string; bytes: Buffer }> {
	const started = page.waitForEvent('download');
	await page.getByRole('link', { name, exact: true }).click();
	const file = await started;
	return { name: file.suggestedFilename(), bytes: await readFile(await file.path()) };
}

test('the listing is accessible, and its files can be downloaded, one file or all', async (t) => {
	const { id, page, trouble } = await start(t);
	assert.ok(page.url().endsWith(`/files/${id}/`), 'the request was redirected');
	assert.is(await page.title(), 'a folder');
	assert.is(await page.locator('tbody tr').count(), FILES + 2);
	assert.is(await page.getByRole('row', { name: /latest symbolic link/ }).count(), 1);
	for (const [scheme, width] of [
		['light', 1280],
		['dark', 360],
	] as const) {
		await page.emulateMedia({ colorScheme: scheme });
		await page.setViewportSize({ width, height: 800 });
		assert.equal(await findings(page), [], scheme);
		const wide = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
		assert.ok(wide <= 0, `${wide} px too wide`);
	}
	const last = await download(page, 'file-1999.txt');
	assert.equal([last.name, last.bytes.toString()], ['file-1999.txt', '1999']);
	const zip = await download(page, 'Download all as a zip file');
	assert.equal([zip.name, readZip(zip.bytes).length], ['a folder.zip', FILES + ODD_NAMES.length]);
	assert.equal(trouble, []);
});

test('odd names are shown unchanged or escaped, and their links lead to their files', async (t) => {
	const { page, trouble } = await start(t);
	await page.getByRole('link', { name: 'odd/' }).click();
	await page.getByRole('heading', { name: 'a folder/odd' }).waitFor();
	const rows = page.locator('tbody tr');
	assert.is(await rows.count(), ODD_NAMES.length);
	for (const name of ODD_NAMES) {
		const shown = name.replace('\u200f', '\\u{200f}');
		const { bytes } = await download(page, shown);
		assert.is(bytes.toString(), name);
	}
	const wide = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
	assert.ok(wide <= 0, `${wide} px too wide`);
	await page.getByRole('link', { name: 'a folder' }).click();
	await page.locator('tbody tr').nth(FILES).waitFor();
	assert.equal(trouble, []);
});

test.run();
