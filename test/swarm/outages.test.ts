import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { Broker } from '../../broker/index.ts';
import type { Progress } from '../../node/index.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { listed, startNode } from '../helpers/harness/node.ts';
import { startPlainBroker } from '../helpers/harness/plain-broker.ts';
import { Shoal, sha256, source } from '../helpers/harness/shoal.ts';
import { suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('outages in a swarm');
const MIB = 1024 * 1024;

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
	await until('half is there', () => (reports.at(-1)?.have ?? 0) > 16 * MIB);
	await first.close();
	const before = node.received.total;
	await until('both have noticed', () => node.received.rate === 0);
	const second = await Broker.start({ port });
	t.defer(() => second.close());
	await until('bytes flow again', () => node.received.total > before);
	const { path: copy } = await getting;
	assert.is(await sha256(copy), digest);
	// Open and late requests are received twice. A new start would receive 16 MiB twice.
	const twice = node.received.total - 32 * MIB;
	assert.ok(twice < 12 * MIB, `${twice} bytes twice`);
	// The file may be complete before all announces are back.
	await until('the list is complete', async () => (await listed(node))[0]?.seeders === 2);
});

test('F4: a get waits for a tracker that answers late', async (t) => {
	const { url } = await startPlainBroker(t);
	const tracker = new Shoal(t, ['tracker', '--broker', url]);
	await tracker.event('ready');
	const { folder, path, digest } = await source(t, MIB);
	const seeder = await startNode(t, url);
	const { seed } = await seeder.share(path);
	const node = await startNode(t, url);
	tracker.signal('SIGSTOP');
	// The warning about the late answer comes later than the error ERR_NOT_FOUND would.
	const unanswered = new Promise((resolve) => node.on('warning', resolve));
	const getting = node.get(seed.id, { output: join(folder, 'copy') });
	getting.catch(() => {});
	await unanswered;
	await new Promise((resolve) => setTimeout(resolve, 1_000));
	tracker.signal('SIGCONT');
	assert.is(await sha256((await getting).path), digest);
});

test('F6: a download waits when the last seeder leaves, and goes on when another one joins', async (t) => {
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
	await until('no source is left', () => reports.at(-1)?.sources === 0);
	const next = await startNode(t, url);
	await next.share(path);
	assert.is(await sha256((await getting).path), digest);
});

test('F14: a shared file that changes is withdrawn, and its downloaders get the right file', async (t) => {
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
	await until('the steady one and the downloader are listed', async () => {
		const { nodes } = await node.who(share.seed.id);
		const ids = nodes.map(({ node: id }) => id).sort();
		return ids.join() === [steady.id, node.id].sort().join();
	});
});

test.run();
