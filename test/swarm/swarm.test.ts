import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { Broker } from '../../broker/index.ts';
import { type Progress, ShoalNode, type ShoalNodeOptions } from '../../node/index.ts';
import { startBroker } from '../helpers/broker.ts';
import { randomFile, sha256, temporaryFolder } from '../helpers/shoal.ts';
import { type Scope, suite } from '../helpers/suite.ts';
import { until } from '../helpers/until.ts';

const test = suite('swarm', { timeout: 30_000 });
const MIB = 1024 * 1024;

async function startNode(
	t: Scope,
	broker: string,
	options: ShoalNodeOptions = {},
): Promise<ShoalNode> {
	const node = await ShoalNode.start({ broker, ...options });
	t.defer(() => node.close());
	return node;
}

/** A file of random bytes in a folder that is removed when the test ends. */
async function source(
	t: Scope,
	length: number,
): Promise<{ folder: string; path: string; digest: string }> {
	const folder = await temporaryFolder(t);
	const path = join(folder, 'source.bin');
	return { folder, path, digest: await randomFile(path, length) };
}

test('three seeders share the work', async (t) => {
	const { url } = await startBroker(t);
	const { folder, path, digest } = await source(t, 32 * MIB);
	for (let index = 0; index < 3; index += 1) {
		await (await startNode(t, url, { maxUp: 40_000_000 })).share(path);
	}
	const node = await startNode(t, url);
	const [first] = await listed(node);
	assert.is(first?.seeders, 3);
	const result = await node.get(first?.seed as string, { output: join(folder, 'copy') });
	assert.is(await sha256(result.path), digest);
	assert.is(result.sources.length, 3);
	assert.ok(result.sources.every(({ chunks }) => chunks > 10));
});

test('a node gives what it has while it is still getting the rest', async (t) => {
	const { url } = await startBroker(t);
	const { folder, path, digest } = await source(t, 24 * MIB);
	const seeder = await startNode(t, url, { maxUp: 12_000_000 });
	const { seed } = await seeder.share(path);
	const first = await startNode(t, url);
	const second = await startNode(t, url);
	const paths = [join(folder, 'first'), join(folder, 'second')];
	const [one, two] = await Promise.all([
		first.get(seed.id, { output: paths[0] }),
		second.get(seed.id, { output: paths[1] }),
	]);
	for (const copy of paths) {
		assert.is(await sha256(copy), digest);
	}
	const exchanged = [...one.sources, ...two.sources].filter(({ node }) => node !== seeder.id);
	assert.ok(exchanged.length > 0, 'they gave each other chunks');
	assert.ok(seeder.sent.total < 2 * 24 * MIB, 'and the seeder sent less than two copies');
});

test('what several want through the broker leaves the seeder about once', async (t) => {
	const { url } = await startBroker(t);
	const { folder, path, digest } = await source(t, 32 * MIB);
	const seeder = await startNode(t, url, { maxUp: 20_000_000, lane: 'broker' });
	const { seed } = await seeder.share(path);
	const nodes = [];
	for (let index = 0; index < 4; index += 1) {
		nodes.push(await startNode(t, url, { lane: 'broker' }));
	}
	const copies = await Promise.all(
		nodes.map((node, index) => node.get(seed.id, { output: join(folder, `copy-${index}`) })),
	);
	for (const { path: copy } of copies) {
		assert.is(await sha256(copy), digest);
	}
	const sent = seeder.sent.total / (32 * MIB);
	assert.ok(sent < 1.2, `${sent} copies`);
});

test('a downloader that has a limit keeps it while others are served at once', async (t) => {
	const { url } = await startBroker(t);
	const { folder, path } = await source(t, 16 * MIB);
	const seeder = await startNode(t, url, { maxUp: 16_000_000 });
	const { seed } = await seeder.share(path);
	const modest = await startNode(t, url, { maxDown: 1_000_000 });
	const stop = new AbortController();
	const getting = modest.get(seed.id, { output: join(folder, 'slow'), signal: stop.signal });
	getting.catch(() => {});
	await Promise.all(
		['a', 'b'].map(async (name) => {
			const node = await startNode(t, url);
			const start = performance.now();
			await node.get(seed.id, { output: join(folder, name) });
			const ms = performance.now() - start;
			const most = 1_000_000 * (ms / 1_000 + 0.5);
			assert.ok(modest.received.total < most, `${modest.received.total} bytes in ${ms} ms`);
		}),
	);
	stop.abort();
});

test('F1: a running download and the list survive a restart of the broker', async (t) => {
	const first = await Broker.start({ port: 0 });
	t.defer(() => first.close());
	const { url, port } = first;
	const { folder, path, digest } = await source(t, 32 * MIB);
	const seeder = await startNode(t, url, { maxUp: 16_000_000 });
	const { seed } = await seeder.share(path);
	const node = await startNode(t, url, { lane: 'broker' });
	const reports: Progress[] = [];
	const output = join(folder, 'copy');
	const getting = node.get(seed.id, { output, onProgress: (progress) => reports.push(progress) });
	getting.catch(() => {});
	await until('a quarter is there', () => (reports.at(-1)?.have ?? 0) > 8 * MIB);
	await first.close();
	const before = node.received.total;
	await until('both have noticed', () => node.received.rate === 0, 5_000);
	const second = await Broker.start({ port });
	t.defer(() => second.close());
	const back = performance.now();
	await until('bytes flow again', () => node.received.total > before);
	const ms = performance.now() - back;
	assert.ok(ms < 3_000, `after ${ms} ms`);
	const { path: copy } = await getting;
	assert.is(await sha256(copy), digest);
	assert.ok(node.received.total <= 36 * MIB, `${node.received.total - 32 * MIB} bytes twice`);
	// A direct lane does not wait for the broker: the file may be there before the announces are back.
	await until('the list is whole', async () => (await listed(node))[0]?.seeders === 2, 5_000);
});

test('F6: when the last seeder goes, a download waits, and goes on when one comes', async (t) => {
	const { url } = await startBroker(t);
	const { folder, path, digest } = await source(t, 16 * MIB);
	const seeder = await startNode(t, url, { maxUp: 16_000_000 });
	const { seed } = await seeder.share(path);
	const node = await startNode(t, url);
	const reports: Progress[] = [];
	const output = join(folder, 'copy');
	const getting = node.get(seed.id, { output, onProgress: (progress) => reports.push(progress) });
	getting.catch(() => {});
	await until('a quarter is there', () => (reports.at(-1)?.have ?? 0) > 4 * MIB);
	await seeder.close();
	await until('nobody is left', () => reports.at(-1)?.sources === 0, 15_000);
	const next = await startNode(t, url);
	await next.share(path);
	assert.is(await sha256((await getting).path), digest);
});

test('F14: a file that changes while it is shared is withdrawn, and nobody counts a wrong byte', async (t) => {
	const { url } = await startBroker(t);
	const { folder, path, digest } = await source(t, 16 * MIB);
	const fickle = await startNode(t, url, { maxUp: 8_000_000 });
	const share = await fickle.share(path);
	const copy = join(folder, 'same.bin');
	await writeFile(copy, await readFile(path));
	const steady = await startNode(t, url, { maxUp: 8_000_000 });
	await steady.share(copy);
	const ended = new Promise((resolve) => share.on('ended', resolve));
	const node = await startNode(t, url);
	const getting = node.get(share.seed.id, { output: join(folder, 'copy') });
	getting.catch(() => {});
	await until('it has begun', () => fickle.sent.total > 0);
	await writeFile(path, 'something else');
	const { path: result, sources } = await getting;
	assert.is(await sha256(result), digest);
	assert.ok(sources.some(({ node: id }) => id === steady.id));
	await ended;
	const [listing] = await listed(node);
	assert.is(listing?.seeders, 2, 'the steady one and the downloader');
});

async function listed(node: ShoalNode) {
	const seeds = [];
	for await (const seed of node.seeds()) {
		seeds.push(seed);
	}
	return seeds;
}

test.run();
