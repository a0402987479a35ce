import { mkdir, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { ShoalNode } from '../../node/index.ts';
import { startBroker } from '../helpers/broker.ts';
import { makeFolder } from '../helpers/folder.ts';
import { makeFile, startNode } from '../helpers/node.ts';
import { RateWatch } from '../helpers/rate-watch.ts';
import { type Scope, suite } from '../helpers/suite.ts';
import { until } from '../helpers/until.ts';

const test = suite('limits of rates', { timeout: 30_000 });
const MB = 1_000_000;

interface Swarm {
	readonly seeders: readonly ShoalNode[];
	readonly downloaders: readonly ShoalNode[];
	/** Has all downloaders get the file. */
	run(): Promise<void>;
}

interface SwarmOptions {
	/** Bytes per second and downloader, for which the file is made to last. */
	readonly rate: number;
	readonly seconds?: number;
	readonly seeders?: number;
	readonly downloaders?: number;
	readonly maxUp?: number;
	readonly maxDown?: number;
}

async function swarm(t: Scope, options: SwarmOptions): Promise<Swarm> {
	const { rate, seconds = 3.5, maxUp, maxDown } = options;
	const { url } = await startBroker(t);
	const path = await makeFile(t, '');
	await truncate(path, rate * seconds);
	const start = async (count: number, limits: object): Promise<ShoalNode[]> =>
		await Promise.all(Array.from({ length: count }, () => startNode(t, url, limits)));
	const seeders = await start(options.seeders ?? 1, { maxUp });
	const downloaders = await start(options.downloaders ?? 1, { maxDown });
	const [share] = await Promise.all(seeders.map((seeder) => seeder.share(path)));
	const folder = await makeFolder(t);
	const run = async (): Promise<void> => {
		const gets = downloaders.map(async (node) => {
			const output = join(folder, node.id);
			await mkdir(output);
			await node.get(share?.seed.id ?? '', { output });
		});
		await Promise.all(gets);
	};
	return { seeders, downloaders, run };
}

function isKept(watch: RateWatch, rate: number, from?: number, to?: number): void {
	const { least, most, windows } = watch.extremes(from, to);
	assert.ok(windows > 20, `${windows} windows`);
	assert.ok(most <= rate * 1.05, `${most} of ${rate} bytes per second`);
	assert.ok(least >= rate * 0.95, `${least} of ${rate} bytes per second`);
}

for (const rate of [2 * MB, 5 * MB, 20 * MB]) {
	test(`a seeder sends ${rate / MB} MB/s in any two seconds`, async (t) => {
		const { seeders, run } = await swarm(t, { rate, maxUp: rate });
		const watch = new RateWatch(t, () => seeders[0]?.sent.total ?? 0);
		await run();
		isKept(watch, rate);
	});

	test(`a downloader receives ${rate / MB} MB/s in any two seconds`, async (t) => {
		const { downloaders, run } = await swarm(t, { rate, maxDown: rate, seeders: 3 });
		const watch = new RateWatch(t, () => downloaders[0]?.received.total ?? 0);
		await run();
		isKept(watch, rate);
	});
}

for (const rate of [5 * MB, 20 * MB]) {
	test(`a seeder of several downloaders sends ${rate / MB} MB/s`, async (t) => {
		const { seeders, run } = await swarm(t, { rate, maxUp: rate, downloaders: 3 });
		const watch = new RateWatch(t, () => seeders[0]?.sent.total ?? 0);
		await run();
		isKept(watch, rate);
	});
}

test('a downloader with a limit keeps to it beside others that fetch together', async (t) => {
	const rate = 5 * MB;
	const { downloaders, run } = await swarm(t, { rate, downloaders: 3, maxUp: 4 * rate });
	downloaders[0]?.limitRates(undefined, rate);
	const watch = new RateWatch(t, () => downloaders[0]?.received.total ?? 0);
	await run();
	const { most } = watch.extremes();
	assert.ok(most <= rate * 1.05, `${most} of ${rate} bytes per second`);
});

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test('a new limit is kept from the moment it is set', async (t) => {
	const { seeders, run } = await swarm(t, { rate: 10 * MB, seconds: 6, maxUp: 4 * MB });
	const up = new RateWatch(t, () => seeders[0]?.sent.total ?? 0);
	const running = run();
	await pause(3_000);
	const changed = performance.now();
	seeders[0]?.limitRates(20 * MB, undefined);
	await running;
	isKept(up, 4 * MB, 0, changed);
	isKept(up, 20 * MB, changed);
});

test('a downloader that is limited while it listens to others listens no more', async (t) => {
	const { downloaders, run } = await swarm(t, { rate: 60 * MB, downloaders: 2 });
	const [limited] = downloaders as [ShoalNode];
	const down = new RateWatch(t, () => limited.received.total);
	const running = run();
	running.catch(() => {});
	await until('bytes come', () => limited.received.total > 10 * MB);
	limited.limitRates(undefined, 5 * MB);
	await pause(200);
	const changed = performance.now();
	await pause(3_000);
	const { most } = down.extremes(changed);
	assert.ok(most <= 5 * MB * 1.05, `${most} bytes per second`);
	limited.limitRates(undefined, undefined);
	await running;
});

test.run();
