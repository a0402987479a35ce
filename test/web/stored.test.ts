import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { randomFile, sha256 } from '../helpers/harness/shoal.ts';
import { suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';
import { openTab, untilNothingIsKept } from './chromium.ts';
import { get } from './downloads.ts';
import { spawnServed, spawnShare } from './served.ts';

const test = suite('files that a browser stores', { timeout: 600_000 });

test('a download resumes after a reload, and a complete file is still there after a reload', async (t) => {
	const folder = await makeFolder(t);
	const digest = await randomFile(join(folder, 'file.bin'), 40_000_000);
	const { url, page: address } = await spawnServed(t);
	await spawnShare(t, join(folder, 'file.bin'), '--broker', url, '--max-up', '6MB');
	const { page, trouble } = await openTab(t, address);
	await page.getByRole('button', { name: 'Get file.bin' }).click();
	const have = async (): Promise<number> =>
		Number(await page.locator('.mine progress').getAttribute('value'));
	await until('a quarter is there', async () => (await have()) > 10_000_000);
	const before = await have();
	const saved = page.waitForEvent('download');
	await page.reload();
	await page.locator('.mine.fetching').waitFor();
	const after = await have();
	assert.ok(after >= before - 4_000_000, `${before} before, ${after} after`);
	const download = await saved;
	assert.is(await sha256(await download.path()), digest);
	await page.reload();
	await page.locator('.mine.complete').waitFor();
	const again = page.waitForEvent('download');
	await page.getByRole('button', { name: 'Save' }).click();
	assert.is(await sha256(await (await again).path()), digest);
	await page.getByRole('button', { name: 'Remove' }).click();
	await untilNothingIsKept(page);
	await page.reload();
	await page.getByText('Nothing yet.').waitFor();
	assert.equal(trouble, []);
});

test('with any room, a download is complete, or fails because the browser has no room left', async (t) => {
	const folder = await makeFolder(t);
	await randomFile(join(folder, 'file.bin'), 3_000_000);
	const { url, page: address } = await spawnServed(t);
	await spawnShare(t, join(folder, 'file.bin'), '--broker', url);
	const { page, context, trouble } = await openTab(t, address);
	const devTools = await context.newCDPSession(page);
	const { origin } = new URL(address);
	const outcomes = new Set<string>();
	for (let quotaSize = 1_000_000; quotaSize <= 10_000_000; quotaSize += 500_000) {
		await devTools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize });
		await page.getByRole('link', { name: 'Swarm' }).click();
		await page.getByRole('button', { name: 'Get file.bin' }).click();
		const card = page.locator('.mine.complete, .mine.failed');
		const text = (await card.textContent()) ?? '';
		const [outcome = ''] = /complete|the browser has (no )?room/.exec(text) ?? [];
		assert.is.not(outcome, '', `${quotaSize}: ${text}`);
		outcomes.add(outcome);
		await page.getByRole('button', { name: 'Remove' }).click();
		await page.getByText('Nothing yet.').waitFor();
	}
	assert.equal([...outcomes].at(-1), 'complete');
	assert.ok(outcomes.size > 1, 'there was too little room at first');
	await page.getByText('connected', { exact: true }).waitFor();
	assert.equal(trouble, []);
});

test('a tab that has stopped a download does not remove the file that another tab has completed', async (t) => {
	const folder = await makeFolder(t);
	const digest = await randomFile(join(folder, 'file.bin'), 20_000_000);
	const { url, page: address } = await spawnServed(t);
	await spawnShare(t, join(folder, 'file.bin'), '--broker', url, '--max-up', '6MB');
	const { page: first, context } = await openTab(t, address);
	await first.getByRole('button', { name: 'Get file.bin' }).click();
	await first.locator('.mine.fetching').waitFor();
	await first.getByRole('button', { name: 'Stop' }).click();
	await first.locator('.mine.stopped').waitFor();
	const second = await context.newPage();
	await second.goto(`${address}/#files`);
	await second.getByRole('button', { name: 'Go on' }).click();
	await second.locator('.mine.complete').waitFor();
	await first.getByRole('button', { name: 'Remove' }).click();
	await first.getByText('Nothing yet.').waitFor();
	// The tab waits for the other one for up to a second.
	await first.waitForTimeout(1_500);
	const saved = second.waitForEvent('download');
	await second.getByRole('button', { name: 'Save' }).click();
	assert.is(await sha256(await (await saved).path()), digest);
	await second.reload();
	await second.locator('.mine.complete').waitFor();
});

test('a file that is stopped during its check and then removed leaves nothing, and can be downloaded again', async (t) => {
	const folder = await makeFolder(t);
	const digest = await randomFile(join(folder, 'file.bin'), 120_000_000);
	const { url, page: address } = await spawnServed(t);
	await spawnShare(t, join(folder, 'file.bin'), '--broker', url);
	const { page, trouble } = await openTab(t, address);
	await get(page, 'file.bin');
	await page.reload();
	await page.getByRole('button', { name: 'Stop' }).click();
	// Both outcomes are right, because the check may have ended before Stop.
	await page.getByText('stopped at 100 %').or(page.locator('.mine.complete')).waitFor();
	await page.getByRole('button', { name: 'Remove' }).click();
	await page.getByText('Nothing yet.').waitFor();
	await untilNothingIsKept(page);
	await page.getByRole('link', { name: 'Swarm' }).click();
	assert.is((await get(page, 'file.bin')).digest, digest);
	assert.equal(trouble, []);
});

test('a tab does not change a file of another tab', async (t) => {
	const folder = await makeFolder(t);
	const digest = await randomFile(join(folder, 'file.bin'), 3_000_000);
	const { url, page: address } = await spawnServed(t);
	await spawnShare(t, join(folder, 'file.bin'), '--broker', url);
	const { page, context } = await openTab(t, address);
	await get(page, 'file.bin');
	const other = await context.newPage();
	await other.goto(`${address}/#files`);
	await other.getByText('in another tab of this browser').waitFor();
	await other.getByRole('button', { name: 'Hide here' }).click();
	await other.getByText('Nothing yet.').waitFor();
	const again = page.waitForEvent('download');
	await page.getByRole('button', { name: 'Save' }).click();
	assert.is(await sha256(await (await again).path()), digest);
});

test.run();
