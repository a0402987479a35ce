import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import * as assert from 'uvu/assert';
import { encodeReceipt } from '../../node/channel/receipt-sender.ts';
import { CommandFailure } from '../../node/follow/failure.ts';
import { MOST_CHANNELS } from '../../node/web/page/channel-list.ts';
import {
	formatChannelLink,
	Link,
	parseJoinLink,
	type Receipt,
	Topics,
} from '../../protocol/index.ts';
import { startRelay } from '../helpers/adversaries/relay.ts';
import { makeChannel } from '../helpers/fixtures/channel-keys.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { seedId } from '../helpers/fixtures/registry.ts';
import { ChannelClient } from '../helpers/harness/channel-client.ts';
import { startNode } from '../helpers/harness/node.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';
import { openTab } from './chromium.ts';
import { inspect } from './inspect.ts';
import { spawnServed } from './served.ts';

const test = suite('channels on the page', { timeout: 300_000 });
const topics = new Topics();
const FOLLOWERS = 1_000;
/** Most ms that the page may be busy at once. */
const MOST_BUSY = 100;

const count = (page: Page, name: string) =>
	page.locator('.counts div', { hasText: name }).locator('dd');

/** Writes a file that is published. */
async function write(folder: string, text: string): Promise<string> {
	const path = join(folder, 'image.txt');
	await writeFile(path, text);
	return path;
}

test('a channel is added by its link, shows its followers live, and is remembered until it is removed', async (t) => {
	const folder = await makeFolder(t);
	const { url, page: address } = await spawnServed(t);
	const publisher = await startNode(t, url, { name: 'teacher' });
	const data = join(folder, 'keys');
	const first = await publisher.publish(await write(folder, 'one'), { channel: 'lab', data });
	const { page, trouble } = await openTab(t, `${address}/#channels`);
	await page.getByText('No channel is watched.').waitFor();
	const field = page.getByLabel('Link of a channel');
	await field.fill('shoal:join?broker=mqtt://a.test');
	await page.getByRole('button', { name: 'Watch a channel' }).click();
	await page.getByText('This is another kind of link.').waitFor();
	await field.fill(first.link);
	await page.keyboard.press('Enter');
	await page.getByRole('heading', { name: 'lab', exact: true }).waitFor();
	await page.getByText('No follower has sent a receipt yet.').waitFor();
	for (const [name, groups] of [
		['pc-1', ['room-a']],
		['pc-2', ['room-a', 'old']],
		['pc-3', []],
	] as const) {
		const node = await startNode(t, url, { name });
		const at = join(await makeFolder(t), name);
		const run = async (): Promise<void> => {
			if (name === 'pc-3') {
				throw new CommandFailure('EXIT_3', 'the command ended with exit code 3');
			}
		};
		const following = await node.follow(first.link, at, { groups, run, data: join(folder, name) });
		t.defer(() => following.stop());
	}
	const cells = page.locator('.cell');
	await count(page, 'Failed').getByText('1', { exact: true }).waitFor();
	await count(page, 'Up to date').getByText('2', { exact: true }).waitFor();
	assert.equal(await cells.locator('.name').allTextContents(), ['pc-3', 'pc-1', 'pc-2']);
	assert.is(await cells.nth(0).locator('.notes').textContent(), 'failed: EXIT_3');
	await page.getByText('everybody').waitFor();
	await page.getByRole('link', { name: 'image.txt' }).waitFor();
	// By keyboard: the followers are one stop, and the arrows lead from one to the next.
	await page.getByLabel('Group').focus();
	await page.keyboard.press('Tab');
	await page.getByText('Version 1 failed: EXIT_3.').waitFor();
	await page.keyboard.press('ArrowRight');
	await page.getByText('It has the version that it is to have.').waitFor();
	await page.getByLabel('Group').selectOption('old');
	await until('only one is shown', async () => (await cells.count()) === 1);
	await page.getByLabel('Group').selectOption('');
	await until('all are shown', async () => (await cells.count()) === 3);
	await inspect(page, 'channel');
	await publisher.publish(await write(folder, 'two'), { channel: 'lab', data });
	await page.locator('.facts-of dd').getByText('2', { exact: true }).waitFor();
	await count(page, 'Up to date').getByText('2', { exact: true }).waitFor();
	await publisher.closeChannel('lab', { data, life: 86_400_000 });
	await page.getByText('This channel is closed.').waitFor();
	await page.goto(`${address}/#channels`);
	await page.reload();
	await page.getByRole('link', { name: 'lab', exact: true }).waitFor();
	await inspect(page, 'channels');
	await page.getByRole('button', { name: 'Stop watching lab' }).click();
	await page.getByText('No channel is watched.').waitFor();
	await page.goto(`${address}/#channel=nonsense`);
	await page.getByText('This link cannot be read.').waitFor();
	await page.reload();
	await page.getByText('No channel is watched.').waitFor();
	// As many as the limits of the broker allow.
	const ids = Array.from({ length: MOST_CHANNELS + 1 }, (_, index) => seedId(index));
	await page.goto(`${address}/#channel=${ids.join('&channel=')}`);
	await page.getByText(`The page watches ${MOST_CHANNELS} channels at most`).waitFor();
	const unknown = page.getByText('This broker has no document of the channel.');
	await until('all are watched', async () => (await unknown.count()) === MOST_CHANNELS);
	assert.is(await page.locator('.card [role=alert]').count(), 0);
	assert.equal(trouble, []);
});

/** The fates of the last followers; all others have the version. */
const FATES: Readonly<Record<number, Partial<Receipt>>> = {
	990: { state: 'failed', code: 'ERR_NO_SPACE' },
	991: { state: 'failed', code: 'EXIT_1' },
	992: { seed: seedId(9), seq: 3 },
	993: { state: 'waiting', percent: 0 },
	994: { state: 'got' },
	995: { kept: 2, paths: ['settings.ini', 'notes/übung.txt'] },
};

const receiptOf = (index: number, about: Partial<Receipt> = {}): Uint8Array =>
	encodeReceipt({
		...{ block: 0, seq: 7, seed: seedId(1), state: 'applied', percent: 100, kept: 0 },
		...{ at: '2026-01-02T03:04:05Z', groups: [`room-${index % 10}`] },
		name: `pc-${String(index).padStart(4, '0')}`,
		...FATES[index],
		...about,
	});

/** Publishes the receipts of many followers. @returns a link for each */
async function receipts(t: Scope, url: string, password: string, channel: string): Promise<Link[]> {
	const links: Link[] = [];
	for (let index = 0; index < FOLLOWERS; index += 1) {
		const id = `follower-${String(index).padStart(4, '0')}`;
		// Each sends its receipt and leaves, as the receipts outlive the connections.
		const link = await Link.open({ url, id, password: `${password}:${id}` });
		await link.retain(topics.receipt(channel, id), receiptOf(index));
		if (index < 20) {
			links.push(link);
			t.defer(() => link.close());
		} else {
			await link.close();
		}
	}
	return links;
}

test('if the clocks of the browser and of the broker differ, a document is not called expired', async (t) => {
	const { url, page: address } = await spawnServed(t);
	const channel = makeChannel();
	const ann = await ChannelClient.join(t, url);
	await ann.keys(channel.chain);
	await ann.document(channel.document({ seq: 1, seed: seedId(1) }));
	const port = Number(new URL(address).port);
	const relay = await startRelay(t, port);
	const at = `http://127.0.0.1:${relay.port}/#channel=${channel.chain.channel}`;
	const { page } = await openTab(t, at);
	await page.getByText('its publisher has not renewed it').waitFor();
	await page.route('**/about', async (route) => {
		const response = await route.fetch();
		const date = new Date(Date.now() - 3 * 86_400_000).toUTCString();
		await route.fulfill({ response, headers: { ...response.headers(), date } });
	});
	await page.reload();
	await page.getByText('differ by more than a day').waitFor();
	assert.is(await page.getByText('its publisher has not renewed it').count(), 0);
	await page.getByText('Valid until').waitFor();
	await page.unroute('**/about');
	// The clock is set while the page is open: it is compared again after a reconnect.
	await relay.stop();
	await startRelay(t, port, relay.port);
	await page.getByText('its publisher has not renewed it').waitFor();
});

test("with the watchers' token, a thousand followers are shown and updated without a delay; older, doubled and expired documents are reported", async (t) => {
	const data = await makeFolder(t);
	const { broker, url, page: address } = await spawnServed(t, '--lan', '--no-tls', '--data', data);
	const { link: join_, watch } = await broker.event('join');
	const { token } = parseJoinLink(String(join_));
	const near = url.replace('[::]', '127.0.0.1');
	const channel = makeChannel();
	const id = channel.chain.channel;
	const ann = await ChannelClient.join(t, near, { password: `${token}:ann-secret` });
	await ann.keys(channel.chain);
	const to = [
		{ group: 'room-1', percent: 100 },
		{ group: '*', percent: 25 },
	];
	await ann.document(channel.document({ seq: 7, seed: seedId(1), to, others: seedId(1) }));
	const links = await receipts(t, near, String(token), id);
	const site = address.replace('[::]', '127.0.0.1');
	const named = encodeURIComponent(formatChannelLink({ id, name: 'lab', broker: url }));
	const { page, trouble } = await openTab(
		t,
		`${site}/#token=${parseJoinLink(String(watch)).token}`,
	);
	await page.getByText('connected', { exact: true }).waitFor();
	await page.goto(`${site}/#channel=${named}`);
	const start = performance.now();
	await count(page, 'Followers').getByText(String(FOLLOWERS), { exact: true }).waitFor();
	console.log(`1,000 followers after ${Math.round(performance.now() - start)} ms`);
	await page.getByText('the group room-1, 25 % of all; others get an older version').waitFor();
	await page.getByText('The document has expired').waitFor();
	await ann.document(channel.document({ seq: 6 }));
	await page.getByText(/^1 older document from .* was refused: a newer one is known/).waitFor();
	await ann.document(
		channel.document({ seq: 7, seed: seedId(1), to, others: seedId(1), base: [seedId(2)] }),
	);
	await page.getByText('Two publishers have signed different documents').waitFor();
	const drawn = await page.locator('.cell').count();
	assert.ok(drawn > 20 && drawn < 300, `${drawn} cells are in the document`);
	await page.evaluate(`globalThis.busy = [];
		new PerformanceObserver((list) => busy.push(...list.getEntries().map(({ duration }) => duration)))
			.observe({ type: 'longtask' })`);
	const moving = page.locator('[data-node="follower-0019"]');
	await moving.focus();
	for (let percent = 0; percent < 60; percent += 10) {
		for (const [index, link] of links.entries()) {
			const about = { state: 'fetching', percent, rate: 1_000_000, left: 9_000_000 } as const;
			await link.retain(topics.receipt(id, link.id), receiptOf(index, about));
		}
		await page
			.locator('.cell.fetching .notes')
			.getByText(`fetching ${percent} %`)
			.first()
			.waitFor();
	}
	assert.is(await moving.getAttribute('class'), 'cell fetching');
	assert.is(await page.evaluate('document.activeElement.dataset.node'), 'follower-0019');
	assert.equal((await page.locator('.cell .notes').allTextContents()).slice(0, 4), [
		'failed: ERR_NO_SPACE',
		'failed: EXIT_1',
		'reported version 3',
		'waiting',
	]);
	await page.evaluate('scrollTo(0, document.body.scrollHeight)');
	const last = page.locator(`li[aria-posinset="${FOLLOWERS}"] .cell`);
	await last.click();
	await page.getByText('Receipt of version 7').waitFor();
	const busy = await page.evaluate<number[]>('busy');
	console.log(`long tasks: ${busy.map(Math.round).join(' ')} ms`);
	assert.ok(Math.max(0, ...busy) < MOST_BUSY, `the page was busy for ${Math.max(...busy)} ms`);
	await page.evaluate('scrollTo(0, 0)');
	await inspect(page, 'fleet');
	await page.getByLabel('Group').selectOption('room-3');
	await page.locator('li[aria-setsize="100"]').first().waitFor();
	await broker.end();
	await page.getByText(/Not connected to the broker since/).waitFor();
	await page.waitForTimeout(1_000);
	assert.is(await count(page, 'Followers').textContent(), String(FOLLOWERS));
	assert.is((await page.locator('li[aria-setsize="100"]').count()) > 20, true);
	assert.equal(trouble, []);
});

test.run();
