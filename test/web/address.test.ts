import type { Page } from 'playwright-core';
import * as assert from 'uvu/assert';
import { seedId } from '../helpers/fixtures/registry.ts';
import { Member } from '../helpers/harness/member.ts';
import { suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';
import { findings } from './axe.ts';
import { openTab } from './chromium.ts';
import { announceMany } from './listed.ts';
import { spawnServed } from './served.ts';

const test = suite('the address of the page', { timeout: 300_000 });
const SEEDS = 200;

const hash = (page: Page): Promise<string> => page.evaluate('location.hash');
const scrolled = (page: Page): Promise<number> => page.evaluate('scrollY');

test('after going back from a file, the list has the same position and search', async (t) => {
	const { url, page: address } = await spawnServed(t);
	await announceMany(t, url, SEEDS);
	for (const width of [1_280, 360]) {
		const { page, context, trouble } = await openTab(t, address, { width, height: 740 });
		await page.locator(`table[aria-rowcount="${SEEDS + 1}"]`).waitFor();
		await page.evaluate('scrollTo(0, 5_000)');
		// The row in the middle of the screen.
		let index: string | undefined;
		await until('rows are in sight', async () => {
			index = await page.evaluate<string | undefined>(
				"document.elementFromPoint(100, 400)?.closest('tr')?.getAttribute('aria-rowindex') ?? undefined",
			);
			return index !== undefined && (await scrolled(page)) === 5_000;
		});
		const first = page.locator(`tr[aria-rowindex="${index}"]`).getByRole('link');
		// If the middle of a name is left out, the whole name is in the hidden element.
		const name = (await first.locator('.hidden').or(first).last().textContent()) as string;
		const top = await first.boundingBox();
		await first.click();
		await page.getByRole('heading', { name, exact: true }).waitFor();
		assert.is(await scrolled(page), 0, 'a file is shown from its start');
		await page.goBack();
		await until('the list is where it was', async () => (await scrolled(page)) === 5_000);
		const link = page.getByRole('link', { name, exact: true }).first();
		await link.waitFor();
		await until('the file is where it was', async () => (await link.boundingBox())?.y === top?.y);
		await page.reload();
		await until('the list is there after a reload', async () => (await scrolled(page)) === 5_000);

		await page.getByRole('link', { name: 'Swarm' }).click();
		await page.evaluate('scrollTo(0, 0)');
		const find = page.getByLabel('Find');
		await find.fill('shard-01');
		await page.locator('table[aria-rowcount="18"]').waitFor();
		assert.is(await hash(page), '#seeds?find=shard-01');
		await page.locator('tr[aria-rowindex="3"] a').click();
		await page.getByRole('heading', { name: /shard-01/ }).waitFor();
		await page.goBack();
		await page.locator('table[aria-rowcount="18"]').waitFor();
		assert.is(await find.inputValue(), 'shard-01');
		// The address of a search also works when it is opened directly.
		await page.goto(`${address}/#seeds?find=shard-00&sort=length`);
		await page.locator('tr[aria-rowindex="2"] a').getByText(/0097/).first().waitFor();
		assert.is(await find.inputValue(), 'shard-00');
		await page.getByRole('link', { name: 'Swarm' }).click();
		await page.locator(`table[aria-rowcount="${SEEDS + 1}"]`).waitFor();
		assert.is(await find.inputValue(), '');
		assert.equal(trouble, []);
		await context.close();
	}
});

test('the page of an id without a seeder says so, and shows the file when a node shares it', async (t) => {
	const { url, page: address } = await spawnServed(t);
	const member = await Member.join(t, url);
	const id = seedId(0xabc);
	const { page, trouble } = await openTab(t, `${address}/#/seed/${id.toUpperCase()}`);
	await page.getByText(`No node shares a file with the id ${id} now.`).waitFor();
	await page.getByRole('button', { name: 'Get it as soon as somebody has it' }).waitFor();
	assert.equal(await findings(page), []);
	await member.share(id, 3, { name: 'late.bin' });
	await page.getByRole('heading', { name: 'late.bin' }).waitFor();
	await page.getByRole('button', { name: 'Get 1.5 kB' }).waitFor();
	await member.withdraw(id);
	await page.getByText(`No node shares a file with the id ${id} now.`).waitFor();
	await page.getByRole('link', { name: 'All files of the swarm' }).click();
	await page.getByRole('heading', { name: 'Swarm' }).waitFor();
	assert.equal(trouble, []);
});

test('an unknown address says so and has a link to the list; part of an id has a link to a search', async (t) => {
	const { url, page: address } = await spawnServed(t);
	const member = await Member.join(t, url);
	const id = `deadbeef${seedId(1).slice(8)}`;
	await member.share(id, 3, { name: 'found.bin' });
	const { page, trouble } = await openTab(t, `${address}/#deadbeef0000`);
	await page.getByText('an id has 64 hexadecimal digits, and this has 12').waitFor();
	assert.equal(await findings(page), []);
	await page.getByRole('link', { name: 'Find files whose id begins like that' }).click();
	await page.getByRole('link', { name: 'found.bin' }).first().click();
	await page.getByRole('heading', { name: 'found.bin' }).waitFor();
	for (const nonsense of [
		'%E0%A4%A',
		'<img src=x onerror=alert(1)>',
		'nodes/../..',
		'x'.repeat(5_000),
		'\u202egnp',
		'__proto__',
		'app',
	]) {
		await page.goto(`${address}/#${nonsense}`);
		await page.getByRole('heading', { name: 'Nothing at this address' }).waitFor();
		assert.ok(
			(await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')) <= 0,
		);
		await page.getByRole('link', { name: 'All files of the swarm' }).click();
		await page.getByRole('link', { name: 'found.bin' }).first().waitFor();
	}
	assert.equal(trouble, []);
});

test('the link to a file and the command that downloads it can be copied', async (t) => {
	const { url, page: address } = await spawnServed(t);
	const member = await Member.join(t, url);
	const id = seedId(7);
	await member.share(id, 3, { name: 'copied.bin' });
	const { page, context, trouble } = await openTab(t, `${address}/#${id}`);
	await context.grantPermissions(['clipboard-read', 'clipboard-write']);
	const clipboard = (): Promise<string> => page.evaluate('navigator.clipboard.readText()');
	await page.getByRole('button', { name: 'Copy link' }).click();
	await page.getByText('Copied.', { exact: true }).waitFor();
	assert.is(await clipboard(), `${address}/#${id}`);
	await page.getByRole('button', { name: 'Copy command' }).click();
	await until('the command is copied', async () =>
		(await clipboard()).startsWith(`shoal get ${id}`),
	);
	assert.is(await hash(page), `#${id}`);
	assert.equal(trouble, []);
});

test.run();
