import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { startBroker } from '../helpers/harness/broker.ts';
import { listed, startNode } from '../helpers/harness/node.ts';
import { sha256, source } from '../helpers/harness/shoal.ts';
import { suite } from '../helpers/harness/suite.ts';

const test = suite('swarm');
const MIB = 1024 * 1024;

test('a downloader gets chunks from all three seeders', async (t) => {
	const { url } = await startBroker(t);
	const { folder, path, digest } = await source(t, 16 * MIB);
	for (let index = 0; index < 3; index += 1) {
		await (await startNode(t, url, { maxUp: 20_000_000 })).share(path);
	}
	const node = await startNode(t, url);
	const [first] = await listed(node);
	assert.is(first?.seeders, 3);
	const result = await node.get(first?.seed as string, { output: join(folder, 'copy') });
	assert.is(await sha256(result.path), digest);
	assert.is(result.sources.length, 3);
	assert.ok(result.sources.every(({ chunks }) => chunks > 5));
});

test('a downloader uploads its chunks while it still lacks others', async (t) => {
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
	assert.ok(exchanged.length > 0, 'the downloaders exchanged chunks');
	assert.ok(seeder.sent.total < 2 * 24 * MIB, 'and the seeder sent less than two copies');
});

test('the seeder sends a content about once to several downloaders on the broker lane', async (t) => {
	const { url } = await startBroker(t);
	const { folder, path, digest } = await source(t, 16 * MIB);
	const seeder = await startNode(t, url, { maxUp: 10_000_000, lane: 'broker' });
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
	// About one copy if no request is late. Without fan-out the seeder would send four copies.
	const sent = seeder.sent.total / (16 * MIB);
	assert.ok(sent < 2.5, `${sent} copies`);
});

test('a downloader keeps its limit while others get the same content faster', async (t) => {
	const { url } = await startBroker(t);
	const { folder, path } = await source(t, 16 * MIB);
	const seeder = await startNode(t, url, { maxUp: 16_000_000 });
	const { seed } = await seeder.share(path);
	const modest = await startNode(t, url, { maxDown: 1_000_000 });
	const stop = new AbortController();
	const start = performance.now();
	const getting = modest.get(seed.id, { output: join(folder, 'slow'), signal: stop.signal });
	getting.catch(() => {});
	await Promise.all(
		['a', 'b'].map(async (name) => {
			const node = await startNode(t, url);
			await node.get(seed.id, { output: join(folder, name) });
			const ms = performance.now() - start;
			const most = 1_000_000 * (ms / 1_000 + 0.5);
			assert.ok(modest.received.total < most, `${modest.received.total} bytes in ${ms} ms`);
		}),
	);
	stop.abort();
});

test.run();
