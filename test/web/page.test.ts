import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { parseJoinLink } from '../../protocol/index.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { Member } from '../helpers/harness/member.ts';
import { CACHELESS, randomFile, Shoal } from '../helpers/harness/shoal.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { findings } from './axe.ts';
import { openTab } from './chromium.ts';
import { spawnServed, spawnShare } from './served.ts';

const test = suite('the page', { timeout: 300_000 });
/** The folder for pictures of the views; undefined: no pictures are taken. */
const PICTURES = process.env.SHOAL_PICTURES;

// Names cannot contain a slash, so these have none.
const MARKUP = [
	'<img src=x onerror=alert(1)>',
	'<script>alert(1)',
	'"><script>alert(1)',
	"' onmouseover='alert(1)",
	'<svg onload=alert(1)>',
	'<iframe srcdoc="<script>alert(1)">',
	'<a href=javascript:alert(1)>x',
	'<details open ontoggle=alert(1)>',
	'<video><source onerror=alert(1)>',
	'<input autofocus onfocus=alert(1)>',
	'<body onload=alert(1)>',
	'<style>@import "http:canary.test"',
	'<math><mi xlink:href="data:x,<script>alert(1)">',
	'<object data=javascript:alert(1)>',
	'<base href=http:canary.test>',
	'<meta http-equiv=refresh content=0>',
	'{{constructor.constructor("alert(1)")()}}',
	'$' + '{alert(1)}',
	'&lt;img src=x onerror=alert(1)&gt;',
	'\u202egnp.<img src=x onerror=alert(1)>',
];

/**
 * Starts a busy swarm of two seeders and four downloaders.
 *
 * @returns the URL of the page, and the id of a seed
 */
async function busySwarm(t: Scope): Promise<{ address: string; id: string }> {
	const folder = await makeFolder(t);
	const { url, page } = await spawnServed(t);
	const small: string[] = [];
	for (const [name, size] of [
		['lecture 07.mp4', 9_000_000],
		['weights-q4.gguf', 12_000_000],
		['worksheet.pdf', 240_000],
	] as const) {
		small.push(join(folder, name));
		await randomFile(join(folder, name), size);
	}
	const large = join(folder, 'lab-image.iso');
	// Slow enough to last until the last check; for pictures, at rates that look good.
	const [size, up, deskUp] =
		PICTURES === undefined ? [250_000_000, '2MB', '1500kB'] : [900_000_000, '14MB', '9MB'];
	await randomFile(large, size);
	await new Shoal(t, ['share', ...small, '--broker', url]).event('sharing');
	const id = await spawnShare(t, large, '--broker', url, '--max-up', up, '--id', 'teacher-desk');
	for (const session of ['desk-01-window', 'desk-02-window', 'desk-03-door', 'desk-04-door']) {
		await mkdir(join(folder, session));
		const lane = session.endsWith('door') ? 'broker' : 'auto';
		const args = ['--broker', url, '--id', session, '--lane', lane, '--max-up', deskUp];
		new Shoal(t, ['get', id, '-o', join(folder, session), ...args]);
	}
	return { address: page, id };
}

test('each view is accessible, is updated live, and sends no request to another host', async (t) => {
	const { address, id } = await busySwarm(t);
	for (const [name, options] of [
		['light', { scheme: 'light' }],
		['dark', { scheme: 'dark' }],
		['narrow', { width: 360, height: 740 }],
	] as const) {
		const { page, context, trouble } = await openTab(t, address, options);
		const picture = async (view: string): Promise<void> => {
			assert.equal(await findings(page), [], `${view}, ${name}`);
			const wide = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
			assert.ok(wide <= 0, `${view}, ${name}: ${wide} px too wide`);
			if (PICTURES !== undefined) {
				await page.screenshot({ path: join(PICTURES, `${view}-${name}.png`) });
			}
		};
		await page.getByRole('link', { name: 'lab-image.iso' }).first().waitFor();
		await page.getByText(/nodes receive [0-9.]+ MB\/s/).waitFor();
		// The pictures need curves with some data.
		await page.waitForTimeout(PICTURES === undefined ? 0 : 8_000);
		await picture('swarm');
		await page.getByRole('link', { name: 'lab-image.iso' }).first().click();
		await page.getByText('desk-01-window').waitFor();
		await picture('seed');
		await page.getByRole('link', { name: 'Nodes' }).click();
		await page
			.getByText(/teacher-desk [0-9.]+ [kM]?B\/s/)
			.first()
			.waitFor();
		await picture('nodes');
		await page.getByRole('link', { name: 'Swarm' }).click();
		await page.getByRole('button', { name: 'Get weights-q4.gguf' }).click();
		await page.locator('.mine.complete').waitFor();
		await page.goto(`${address}/#${id}`);
		await page.getByRole('button', { name: /^Get / }).click();
		await page.goto(`${address}/#files`);
		await page.locator('.mine.fetching').waitFor();
		await page.waitForTimeout(1_000);
		await picture('files');
		assert.equal(trouble, [], name);
		await context.close();
	}
});

test('T18: names with markup are shown as text in every view', async (t) => {
	const { url, page: address } = await spawnServed(t);
	const member = await Member.join(t, url);
	for (const [index, name] of MARKUP.entries()) {
		await member.share(String(index).padStart(64, '0'), 1, { name });
	}
	const { page, trouble } = await openTab(t, address);
	const links = page.locator('td.name a');
	await links.nth(MARKUP.length - 1).waitFor();
	assert.is(await links.count(), MARKUP.length);
	const shown = await links.allTextContents();
	// A character that changes the text direction is shown escaped.
	const expected = MARKUP.map((name) => name.replace('\u202e', '\\u{202e}'));
	assert.equal(shown.sort(), expected.sort());
	await page.goto(`${address}/#${'0'.repeat(64)}`);
	await page.getByRole('heading', { name: MARKUP[0] as string }).waitFor();
	await page.getByRole('button', { name: /^Get / }).click();
	await page.getByRole('link', { name: 'My files' }).click();
	await page.getByRole('link', { name: MARKUP[0] as string }).waitFor();
	assert.is(await page.locator('main img, main script, main svg[onload], main iframe').count(), 0);
	assert.equal(trouble, []);
});

test('T19: a page of another origin can read nothing', async (t) => {
	const folder = await makeFolder(t);
	await writeFile(join(folder, 'secret.txt'), 'secret');
	const { url, page: address } = await spawnServed(t);
	const id = await spawnShare(t, join(folder, 'secret.txt'), '--broker', url);
	const evil = createServer((_request, response) => {
		response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>evil</title>');
	});
	await new Promise<void>((resolve) => evil.listen(0, '127.0.0.1', resolve));
	t.defer(() => evil.close());
	const { port } = evil.address() as AddressInfo;
	const { page } = await openTab(t, `http://127.0.0.1:${port}`);
	const got = await page.evaluate<string[]>(`Promise.all([
		...['/', '/about', '/seeds', '/files/${id}', '/metrics'].map((path) =>
			fetch('${address}' + path).then((response) => response.text(), () => 'nothing')),
		...['/', '/files/${id}'].map((path) =>
			fetch('${address}' + path, { mode: 'no-cors' }).then(({ type, status }) => type + status, () => 'nothing')),
		new Promise((resolve) => {
			const socket = new WebSocket('${address.replace('http', 'ws')}/mqtt', 'mqtt');
			socket.onopen = () => resolve('open');
			socket.onerror = () => resolve('nothing');
		}),
	])`);
	assert.equal(
		got,
		Array.from({ length: 8 }, () => 'nothing'),
	);
});

test('after the renewal of the tokens the page asks for the new token', async (t) => {
	const folder = await makeFolder(t);
	const data = join(folder, 'data');
	const { broker, page: address } = await spawnServed(t, '--lan', '--no-tls', '--data', data);
	const { link } = await broker.event('join');
	const { page } = await openTab(t, address.replace('[::]', '127.0.0.1'));
	const enter = async (with_: unknown): Promise<void> => {
		await page.getByLabel(/Token/).fill(with_ as string);
		await page.getByRole('button', { name: 'Enter' }).click();
		await page.getByText('connected', { exact: true }).waitFor();
	};
	await enter(link);
	const renewal = new Shoal(t, ['token', 'renew', '--data', data]);
	const { link: renewed } = await renewal.event('join');
	await page.getByText('The broker no longer accepts the token.').waitFor();
	await enter(renewed);
});

test('a link with a token in its fragment connects the page, which removes the token from the address bar', async (t) => {
	const data = await makeFolder(t);
	const args = ['--lan', '--no-tls', '--data', data, '--advertise', '127.0.0.1'];
	const { broker } = await spawnServed(t, ...args);
	const { page: link, watch } = await broker.event('join');
	const asked: string[] = [];
	const { page } = await openTab(t, 'about:blank');
	page.on('request', (request) => asked.push(request.url()));
	await page.goto(String(link));
	await page.getByText('connected', { exact: true }).waitFor();
	const [address = '', token = ''] = String(link).split('#token=');
	assert.is(page.url(), address);
	assert.is(asked.filter((url) => url.includes(token)).length <= 1, true, asked.join(' '));
	await page.reload();
	await page.getByText('connected', { exact: true }).waitFor();
	// Another link with another token is opened in the same tab.
	const other = `${address}#token=${parseJoinLink(String(watch)).token}`;
	await page.goto(other);
	await page.getByText('You are watching.').waitFor();
	assert.is(page.url(), address);
	await page.goto(`${address}#token=${'w'.repeat(22)}`);
	await page.getByText('The broker does not accept this token.').waitFor();
});

test("with the watchers' token the page shows everything, but cannot download or share", async (t) => {
	const folder = await makeFolder(t);
	await randomFile(join(folder, 'file.bin'), 100_000);
	const data = join(folder, 'data');
	const { broker, page: address } = await spawnServed(t, '--lan', '--no-tls', '--data', data);
	const { link, watch } = await broker.event('join');
	const joined = { ...CACHELESS, SHOAL_JOIN: link as string };
	await new Shoal(t, ['share', join(folder, 'file.bin')], joined).event('sharing');
	const near = address.replace('[::]', '127.0.0.1');
	const { page, trouble } = await openTab(t, near);
	await page.getByLabel(/Token/).fill(watch as string);
	await page.getByRole('button', { name: 'Enter' }).click();
	await page.getByRole('link', { name: 'file.bin' }).waitFor();
	await page.getByText('You are watching.').waitFor();
	assert.is(await page.getByRole('button', { name: /^Get/ }).count(), 0);
	await page.getByRole('link', { name: 'My files' }).click();
	assert.is(await page.locator('input[type=file]').count(), 0);
	assert.equal(trouble, []);
	const { token } = parseJoinLink(watch as string);
	const as = (path: string) =>
		fetch(`${near}${path}`, { headers: { Authorization: `Bearer ${token}` } });
	assert.is((await as('/seeds')).status, 200);
	const { seeds } = (await (await as('/seeds')).json()) as { seeds: Array<{ id: string }> };
	assert.is((await as(`/files/${seeds[0]?.id}`)).status, 401);
	assert.is((await fetch(`${near}/seeds`)).status, 401);
});

test.run();
