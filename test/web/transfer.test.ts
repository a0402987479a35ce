import { stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { WebSocketServer } from 'ws';
import { Link, makeNodeId, parseJoinLink, Topics } from '../../protocol/index.ts';
import { startRelay } from '../helpers/adversaries/relay.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { CACHELESS, randomFile, Shoal, sha256 } from '../helpers/harness/shoal.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { judge } from '../helpers/harness/timing.ts';
import { until } from '../helpers/harness/until.ts';
import { openTab } from './chromium.ts';
import { get, share } from './downloads.ts';
import { ownAddress, spawnServed, spawnShare } from './served.ts';
import { stopReports } from './worker-traffic.ts';

const test = suite('transfers of a browser', { timeout: 600_000 });
const SIZE = 100 * 1024 * 1024;
const MESSAGE = 256 * 1024;

/**
 * Returns the ms in which a worker of the browser receives `bytes` bytes over a WebSocket and drops
 * them.
 */
async function bareTime(t: Scope, bytes: number): Promise<number> {
	const server = createServer((_request, response) => {
		response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>bare</title>');
	});
	const message = Buffer.alloc(MESSAGE, 'bare');
	new WebSocketServer({ server, perMessageDeflate: false }).on('connection', (socket) => {
		let sent = 0;
		const push = (): void => {
			while (sent < bytes && socket.bufferedAmount < 4 * 1024 * 1024) {
				sent += MESSAGE;
				socket.send(message, push);
			}
		};
		push();
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	t.defer(() => server.close());
	const { port } = server.address() as AddressInfo;
	const { page, context } = await openTab(t, `http://127.0.0.1:${port}`, { keepsReports: true });
	const ms = await page.evaluate<number>(`new Promise((resolve) => {
		const code = \`
			const start = performance.now();
			let received = 0;
			const socket = new WebSocket('ws://127.0.0.1:${port}');
			socket.binaryType = 'arraybuffer';
			socket.onmessage = ({ data }) => {
				received += data.byteLength;
				if (received >= ${bytes}) postMessage(performance.now() - start);
			};\`;
		const worker = new Worker(URL.createObjectURL(new Blob([code])));
		worker.onmessage = ({ data }) => resolve(data);
	})`);
	await context.close();
	return ms;
}

test('a browser downloads 100 MiB at a quarter of the rate of a bare WebSocket or faster, and shares 100 MiB', async (t) => {
	const folder = await makeFolder(t);
	const digest = await randomFile(join(folder, 'down.bin'), SIZE);
	const upDigest = await randomFile(join(folder, 'up.bin'), SIZE);
	const { url, page: address } = await spawnServed(t);
	await spawnShare(t, join(folder, 'down.bin'), '--broker', url);
	// The bound applies to both with the reports of the browser.
	const options = { keepsReports: true };
	let first = await openTab(t, address, options);
	// It is about 0.6 on an idle machine.
	await judge('share of the rate of a bare WebSocket', { unit: '', least: 0.25 }, async () => {
		await first.context.close();
		const bare = await bareTime(t, SIZE);
		first = await openTab(t, address, options);
		const down = await get(first.page, 'down.bin');
		assert.is(down.digest, digest);
		return bare / down.ms;
	});
	await Promise.all(first.page.workers().map(stopReports));

	const id = await share(first.page, join(folder, 'up.bin'), 'up.bin');
	const out = join(folder, 'out');
	const node = new Shoal(t, ['get', id, '--broker', url, '-o', out, '--no-linger']);
	const { ms } = await node.event('complete');
	console.log(`a node got ${SIZE} bytes from the browser in ${ms} ms`);
	assert.is(await sha256(out), upDigest);
	const second = await openTab(t, address);
	assert.is((await get(second.page, 'up.bin')).digest, upDigest);
	assert.equal([...first.trouble, ...second.trouble], []);
});

test('files with names that are escaped when shown can be saved, and empty files can be shared', async (t) => {
	const folder = await makeFolder(t);
	const family = '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}.bin';
	await randomFile(join(folder, family), 100_000);
	await writeFile(join(folder, 'empty.txt'), '');
	const { url, page: address } = await spawnServed(t);
	await spawnShare(t, join(folder, family), '--broker', url);
	const { page, trouble } = await openTab(t, address);
	const saved = page.waitForEvent('download');
	await page.getByRole('button', { name: /^Get .*bin$/ }).click();
	const download = await saved;
	// Chromium replaces joiners in file names.
	assert.is(download.suggestedFilename(), family.replaceAll('\u200d', '_'));
	assert.is(await sha256(await download.path()), await sha256(join(folder, family)));
	const id = await share(page, join(folder, 'empty.txt'), 'empty.txt');
	// A second time: the file is already shared, which is not an error.
	await page.getByLabel(/Share files/).setInputFiles(join(folder, 'empty.txt'));
	const out = join(folder, 'out');
	await new Shoal(t, ['get', id, '--broker', url, '-o', out]).event('complete');
	assert.is((await stat(out)).size, 0);
	await page.waitForTimeout(500);
	assert.is(await page.locator('.mine').count(), 2);
	assert.is(await page.locator('.mine.failed').count(), 0);
	assert.equal(trouble, []);
});

/** The announces of the content `name` that a broker has got so far: `announced`, `withdrawn`. */
async function announcesAt(t: Scope, url: string, name: string): Promise<() => string[]> {
	const link = await Link.open({ url, id: makeNodeId() });
	t.defer(() => link.close());
	const got: { topic: string; text: string }[] = [];
	link.on('message', ({ topic, payload }) => {
		got.push({ topic, text: Buffer.from(payload).toString() });
	});
	await link.subscribe(`${new Topics().root}/announce/+/+`);
	return () => {
		const { topic } = got.find(({ text }) => text.includes(`"${name}"`)) ?? {};
		const states = got.filter((each) => each.topic === topic).map(({ text }) => text === '');
		const changes = states.filter((isOver, at) => isOver !== states[at - 1]);
		return changes.map((isOver) => (isOver ? 'withdrawn' : 'announced'));
	};
}

test('a share that is removed while it is announced is not shared afterwards', async (t) => {
	const folder = await makeFolder(t);
	await randomFile(join(folder, 'file.bin'), 1_000_000);
	await randomFile(join(folder, 'other.bin'), 1_000);
	const { url, page: address } = await spawnServed(t);
	const relay = await startRelay(t, Number(new URL(address).port));
	const { page, trouble } = await openTab(t, `http://127.0.0.1:${relay.port}/#files`);
	await share(page, join(folder, 'other.bin'), 'other.bin');
	const announced = await announcesAt(t, url, 'file.bin');
	const goOn = relay.hold();
	await page.getByLabel(/Share files/).setInputFiles(join(folder, 'file.bin'));
	await until('the broker has the announce', () => announced().length === 1);
	await page.locator('.mine.hashing').waitFor();
	await page.getByRole('button', { name: 'Stop: file.bin' }).click();
	goOn();
	await page.getByText('file.bin', { exact: true }).waitFor({ state: 'detached' });
	await until('it is withdrawn', () => announced().length === 2);
	assert.equal(announced(), ['announced', 'withdrawn']);
	await page.getByRole('link', { name: 'Swarm' }).click();
	await page.getByRole('link', { name: 'other.bin' }).first().waitFor();
	const rows = page.locator('table.seeds tbody').getByRole('link');
	await until('only the other is listed', async () => {
		return (await rows.allTextContents()).join() === 'other.bin';
	});
	assert.equal(trouble, []);
});

test('without TLS a page asks for the token, and downloads and shares in memory', async (t) => {
	const host = ownAddress();
	assert.ok(host !== undefined, 'this machine has an address beside loopback');
	const folder = await makeFolder(t);
	const digest = await randomFile(join(folder, 'file.bin'), SIZE);
	const upDigest = await randomFile(join(folder, 'up.bin'), SIZE);
	const data = join(folder, 'data');
	const { broker, page: address } = await spawnServed(t, '--host', host, '--data', data);
	const { link } = await broker.event('join');
	const { token } = parseJoinLink(link as string);
	const joined = { ...CACHELESS, SHOAL_JOIN: link as string };
	const seeder = new Shoal(t, ['share', join(folder, 'file.bin')], joined);
	await seeder.event('sharing');
	const { page, trouble } = await openTab(t, address);
	assert.is(await page.evaluate('isSecureContext'), false);
	await page.getByLabel(/Token/).fill('guess');
	await page.getByRole('button', { name: 'Enter' }).click();
	await page.getByText('The broker does not accept this token.').waitFor();
	await page.getByLabel(/Token/).fill(token as string);
	await page.getByRole('button', { name: 'Enter' }).click();
	assert.is((await get(page, 'file.bin')).digest, digest);
	await page.getByText('This page came without TLS').waitFor();
	const id = await share(page, join(folder, 'up.bin'), 'up.bin');
	const out = join(folder, 'out');
	const node = new Shoal(t, ['get', id, '-o', out, '--no-linger'], joined);
	await node.event('complete');
	assert.is(await sha256(out), upDigest);
	assert.equal(trouble, []);
});

test.run();
