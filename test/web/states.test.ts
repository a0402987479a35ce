import { join } from 'node:path';
import type { Page } from 'playwright-core';
import * as assert from 'uvu/assert';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { listed, startNode } from '../helpers/harness/node.ts';
import { randomFile, Shoal, sha256 } from '../helpers/harness/shoal.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';
import { openTab, untilNothingIsKept } from './chromium.ts';
import { inspect } from './inspect.ts';
import { ownAddress, spawnServed, spawnShare } from './served.ts';

const test = suite('states of the page', { timeout: 300_000 });
const SIZE = 20_000_000;
const NAME = 'file.bin';

/** Starts a broker with a page, and a node that shares one file, slowly with `--max-up`. */
async function start(t: Scope, ...shareArgs: string[]) {
	const path = join(await makeFolder(t), NAME);
	await randomFile(path, SIZE);
	const served = await spawnServed(t);
	const id = await spawnShare(t, path, '--broker', served.url, ...shareArgs);
	return { ...served, id, path };
}

/** Starts the broker again at the same ports. */
async function restart(t: Scope, { url, page }: { url: string; page: string }): Promise<void> {
	const ports = ['--port', new URL(url).port, '--http', new URL(page).port, '--no-mdns'];
	await new Shoal(t, ['broker', ...ports]).event('listening');
}

/** The bytes of its download that the page shows. */
async function have(page: Page): Promise<number> {
	return Number(await page.locator('.mine progress').getAttribute('value'));
}

async function getSome(page: Page): Promise<void> {
	await page.getByRole('button', { name: `Get ${NAME}` }).click();
	await page.locator('.mine.fetching').waitFor();
	await until('some of it is there', async () => (await have(page)) > SIZE / 10);
}

test('without the broker each view says so and keeps its data, until the broker is back', async (t) => {
	const { broker, id, ...served } = await start(t);
	const { page } = await openTab(t, served.page);
	const row = page.getByRole('link', { name: NAME }).first();
	const cutOff = page.getByText(/Not connected to the broker since \d/);
	await row.waitFor();
	await page.getByText('connected', { exact: true }).waitFor();
	await broker.end();
	await cutOff.waitFor();
	const looks = async (view: string): Promise<void> => {
		await cutOff.waitFor();
		assert.is(await page.getByText(/Nobody share/).count(), 0, view);
		await inspect(page, `away-${view}`);
	};
	const fact = (name: string) => page.locator('.totals div', { hasText: name }).locator('dd');
	await row.waitFor();
	assert.is(await fact('Seeds').textContent(), '1');
	await looks('swarm');
	await row.click();
	await page.locator('.holders li').waitFor();
	assert.is(await fact('Seeders').textContent(), '1');
	await looks('seed');
	await page.getByRole('link', { name: 'Nodes' }).click();
	await page.locator('table.nodes tbody tr').first().waitFor();
	await looks('nodes');
	await page.getByRole('link', { name: 'Swarm' }).click();
	await row.waitFor();
	await restart(t, served);
	await page.getByText('connected', { exact: true }).waitFor();
	assert.is(await cutOff.count(), 0);
	assert.is(await row.count(), 1, 'the list did not disappear');
	const node = await startNode(t, served.url);
	await until('the seeder is back', async () => (await listed(node)).length === 1);
	await page.reload();
	await row.waitFor();
	assert.is(await page.locator(`td.name a[href="#${id}"]`).count(), 1);
});

test('after a restart of the broker the page says connected, and a download continues', async (t) => {
	const { broker, ...served } = await start(t, '--max-up', '1500kB');
	const { page } = await openTab(t, served.page);
	await getSome(page);
	await page.getByRole('link', { name: 'Swarm' }).click();
	await broker.end();
	await page.getByText(/Not connected to the broker since/).waitFor();
	await page.getByRole('link', { name: 'My files' }).click();
	await page.getByText('waiting for the broker, and goes on when it is back').waitFor();
	const before = await have(page);
	await restart(t, served);
	await until('more comes', async () => (await have(page)) > before);
	await page.getByText('connected', { exact: true }).waitFor();
});

test('when the last node with the missing chunks leaves, the download says what it waits for', async (t) => {
	const path = join(await makeFolder(t), NAME);
	await randomFile(path, SIZE);
	const served = await spawnServed(t);
	const seeder = new Shoal(t, ['share', path, '--broker', served.url, '--max-up', '1500kB']);
	await seeder.event('sharing');
	const { page } = await openTab(t, served.page);
	await getSome(page);
	await seeder.end();
	const wait = page.getByText('no node has the missing chunks; waiting for one that has them');
	await wait.waitFor();
	assert.match((await page.locator('.mine').textContent()) ?? '', /% of 20 MB/);
	await inspect(page, 'waits');
	await spawnShare(t, path, '--broker', served.url);
	await page.locator('.mine.complete').waitFor();
	assert.is(await wait.count(), 0);
});

test('a download that is requested without the broker begins when the broker is back', async (t) => {
	const { broker, path: _, ...served } = await start(t);
	const { page } = await openTab(t, served.page);
	await page.getByRole('link', { name: NAME }).first().waitFor();
	await broker.end();
	await page.getByText(/Not connected to the broker since/).waitFor();
	const saved = page.waitForEvent('download');
	await page.getByRole('button', { name: `Get ${NAME}` }).click();
	await page.getByText('waiting for the broker').waitFor();
	await restart(t, served);
	await saved;
	await page.locator('.mine.complete').waitFor();
});

/** The number of downloaders that the page shows for the file. */
async function shownDownloaders(page: Page): Promise<number> {
	return Number(await page.locator('td.downloaders').first().textContent());
}

test('a page that is reloaded, left or closed leaves no downloader in the lists of other pages, of the tracker and of watch', async (t) => {
	const { url, page: address, id } = await start(t, '--max-up', '500kB');
	const first = await openTab(t, address, { keepsPages: true });
	const watch = new Shoal(t, ['watch', '--broker', url]);
	const other = await openTab(t, address);
	await getSome(first.page);
	const node = await startNode(t, url);
	const downloaders = async () => (await listed(node))[0]?.downloaders;
	const says = (many: number) =>
		until(`every list has ${many} downloaders`, async () => {
			return (await downloaders()) === many && (await shownDownloaders(other.page)) === many;
		});
	await says(1);
	for (let index = 0; index < 2; index += 1) {
		await first.page.reload();
		await first.page.locator('.mine.fetching').waitFor();
	}
	await says(1);
	// A new client receives what the broker has retained.
	const late = await openTab(t, address);
	await until('a new page sees one', async () => (await shownDownloaders(late.page)) === 1);
	await late.context.close();
	await first.page.goto('about:blank');
	await says(0);
	await first.page.goBack({ waitUntil: 'commit' });
	await first.page.locator('.mine.fetching').waitFor();
	await says(1);
	await first.page.close();
	await says(0);
	const states = watch.all('state').filter(({ name }) => name === 'Chromium on Linux');
	assert.ok(states.length > 0, 'a page says which browser it is');
	assert.ok(
		watch.all('state').some(({ state }) => state === 'disconnected'),
		'the page says that it disconnects',
	);
	assert.is((await node.who(id)).downloaders, 0);
});

test('Stop keeps the fetched chunks, also after a reload, Go on resumes, and only Remove removes them', async (t) => {
	const { page: address } = await start(t, '--max-up', '4MB');
	const { page, trouble } = await openTab(t, address);
	await getSome(page);
	// By keyboard, as a user without a mouse does.
	await page.getByRole('button', { name: 'Stop' }).focus();
	await page.keyboard.press('Enter');
	await page.locator('.mine.stopped').waitFor();
	await page.getByText(/^stopped at \d+ % of 20 MB/).waitFor();
	assert.is(await page.evaluate('document.activeElement.textContent'), 'Go on');
	await inspect(page, 'stopped');
	const before = await have(page);
	assert.ok(before >= SIZE / 10);
	await page.reload();
	await page.locator('.mine.stopped').waitFor();
	assert.ok((await have(page)) >= before);
	const saved = page.waitForEvent('download');
	await page.getByRole('button', { name: 'Go on' }).click();
	await page.locator('.mine.fetching').waitFor();
	assert.ok((await have(page)) >= before - 1_000_000, 'it goes on from where it was');
	await page.getByRole('button', { name: 'Stop' }).click();
	await page.getByRole('button', { name: 'Go on' }).click();
	await saved;
	await page.getByRole('button', { name: 'Remove' }).click();
	await page.getByText('Nothing yet.').waitFor();
	await untilNothingIsKept(page);
	await page.reload();
	await page.getByText('Nothing yet.').waitFor();
	assert.equal(trouble, []);
});

test('a page without TLS keeps a stopped download in memory', async (t) => {
	const host = ownAddress();
	assert.ok(host !== undefined, 'this machine has an address beside loopback');
	const path = join(await makeFolder(t), NAME);
	const digest = await randomFile(path, SIZE);
	const served = await spawnServed(t, '--host', host, '--insecure-anonymous');
	await spawnShare(t, path, '--broker', served.url, '--max-up', '4MB');
	const { page } = await openTab(t, served.page);
	assert.is(await page.evaluate('isSecureContext'), false);
	await getSome(page);
	await page.getByRole('button', { name: 'Stop' }).click();
	await page.locator('.mine.stopped').waitFor();
	const before = await have(page);
	const saved = page.waitForEvent('download');
	await page.getByRole('button', { name: 'Go on' }).click();
	await page.locator('.mine.fetching').waitFor();
	assert.ok((await have(page)) >= before - 1_000_000, 'it goes on from where it was');
	assert.is(await sha256(await (await saved).path()), digest);
});

test('a second tab says that another tab has the download, and takes it over when that tab is closed', async (t) => {
	const path = join(await makeFolder(t), NAME);
	// The download must not be complete before it is stopped, however long the rest takes.
	await randomFile(path, 5 * SIZE);
	const { url, page: address } = await spawnServed(t);
	await spawnShare(t, path, '--broker', url, '--max-up', '1MB');
	const { page, context } = await openTab(t, address);
	await getSome(page);
	const open = async (): Promise<Page> => {
		const tab = await context.newPage();
		await tab.goto(`${address}/#files`);
		await tab.locator('.mine.elsewhere').waitFor();
		return tab;
	};
	const second = await open();
	await second.getByText('in another tab of this browser').waitFor();
	assert.is(await second.locator('.mine.failed').count(), 0);
	await inspect(second, 'elsewhere');
	// Stop and Remove in one tab take effect in the other.
	await page.getByRole('button', { name: 'Stop' }).click();
	await second.locator('.mine.stopped').waitFor();
	await second.getByRole('button', { name: 'Go on' }).click();
	await second.locator('.mine.fetching').waitFor();
	await page.getByRole('button', { name: 'Go on' }).click();
	await page.locator('.mine.elsewhere').waitFor();
	const before = await have(second);
	await second.close();
	await page.locator('.mine.fetching').waitFor();
	assert.ok((await have(page)) >= before - 1_000_000, 'it goes on from where the other was');
	const third = await open();
	await page.getByRole('button', { name: 'Stop' }).click();
	await third.locator('.mine.stopped').waitFor();
	await page.getByRole('button', { name: 'Remove' }).click();
	await page.getByText('Nothing yet.').waitFor();
	await third.getByRole('button', { name: 'Remove' }).click();
	await third.getByText('Nothing yet.').waitFor();
	await untilNothingIsKept(page);
	await page.reload();
	await page.getByText('Nothing yet.').waitFor();
});

test('nodes are shown with the names that they announce, and pages with the name of the browser', async (t) => {
	const {
		page: address,
		url,
		id,
	} = await start(t, '--node-name', 'lab pc \u202e1', '--max-up', '1MB');
	const { page } = await openTab(t, address);
	await getSome(page);
	await page.goto(`${address}/#${id}`);
	await page.locator('.holders').getByText('lab pc \\u{202e}1').waitFor();
	await page.locator('.holders').getByText('Chromium on Linux').waitFor();
	await inspect(page, 'names-seed');
	await page.getByRole('link', { name: 'Nodes' }).click();
	await page.locator('table.nodes').getByText('Chromium on Linux').waitFor();
	await inspect(page, 'names-nodes');
	await page.getByText(/lab pc .*1 .{4} [0-9.]+ [kM]?B\/s/).waitFor();
	const who = new Shoal(t, ['who', id, '--broker', url]);
	assert.is(await who.exit(), 0);
	const names = who.all('node').map(({ name }) => name);
	assert.equal(names.sort(), ['Chromium on Linux', 'lab pc \\u{202e}1']);
});

test.run();
