import type { ShoalNode } from '../../node/index.ts';
import type { ByteRange } from '../../protocol/index.ts';
import { RateWatch } from '../helpers/harness/rate-watch.ts';
import {
	type LimitedSwarm,
	type LimitedSwarmOptions,
	MB,
	startLimited,
} from '../helpers/harness/rates.ts';
import { seed, startSeeder } from '../helpers/harness/seeding.ts';
import type { Scope } from '../helpers/harness/suite.ts';
import { judge, timingSuite } from '../helpers/harness/timing.ts';
import { until } from '../helpers/harness/until.ts';

// In any two seconds a rate is within 5 % of its limit. Several rates are measured at the same time
// if one process can reach their sum easily.

const test = await timingSuite('limits of rates in any two seconds');
const WITHIN = { unit: '%', most: 5 };
const FILE_SECONDS = 3;
const LEAST_WINDOWS = 20;

/** The largest deviation of `watch` from `rate` in %, in any 2 s between `from` and `to`. */
function offBy(watch: RateWatch, rate: number, from?: number, to?: number): number {
	const { least, most, windows } = watch.extremes(from, to);
	// `least` is not finite if every window of two seconds was delayed.
	const offs = [most, least].filter(Number.isFinite).map((each) => Math.abs(each / rate - 1) * 100);
	return windows > LEAST_WINDOWS ? Math.max(...offs) : Number.POSITIVE_INFINITY;
}

/** Judges the deviation of `count` from each of `rates`, in swarms that run at the same time. */
async function judgeAll(
	t: Scope,
	what: string,
	rates: readonly number[],
	optionsFor: (rate: number) => Partial<LimitedSwarmOptions>,
	count: (swarm: LimitedSwarm) => number,
): Promise<void> {
	await judge(what, WITHIN, async () => {
		const offs = rates.map(async (rate) => {
			const length = rate * FILE_SECONDS;
			const swarm = await startLimited(t, { length, ...optionsFor(rate) });
			const watch = new RateWatch(t, () => count(swarm));
			await swarm.run();
			return offBy(watch, rate);
		});
		return Math.max(...(await Promise.all(offs)));
	});
}

const sent = ({ seeders }: LimitedSwarm): number => seeders[0]?.sent.total ?? 0;
const received = ({ downloaders }: LimitedSwarm): number => downloaders[0]?.received.total ?? 0;

test('a seeder sends 2, 5 and 20 MB/s', async (t) => {
	await judgeAll(t, 'sent', [2 * MB, 5 * MB, 20 * MB], (maxUp) => ({ maxUp }), sent);
});

test('a downloader receives 2, 5 and 20 MB/s', async (t) => {
	const optionsFor = (maxDown: number) => ({ maxDown, seeders: 3 });
	await judgeAll(t, 'received', [2 * MB, 5 * MB, 20 * MB], optionsFor, received);
});

test('a seeder of several downloaders sends 5 and 20 MB/s', async (t) => {
	const optionsFor = (maxUp: number) => ({ maxUp, downloaders: 3 });
	await judgeAll(t, 'sent to three', [5 * MB, 20 * MB], optionsFor, sent);
});

test('a downloader keeps its limit beside downloaders that use fan-out', async (t) => {
	const rate = 5 * MB;
	await judge('most received', { unit: 'MB/s', most: 5.25 }, async () => {
		const options = { length: rate * FILE_SECONDS, downloaders: 3, maxUp: 4 * rate };
		const swarm = await startLimited(t, options);
		swarm.downloaders[0]?.limitRates(undefined, rate);
		const watch = new RateWatch(t, () => received(swarm));
		await swarm.run();
		return watch.extremes().most / MB;
	});
});

test('a new limit is kept from the moment it is set', async (t) => {
	await judge('sent before and after', WITHIN, async () => {
		const swarm = await startLimited(t, { length: 60 * MB, maxUp: 4 * MB });
		const watch = new RateWatch(t, () => sent(swarm));
		const running = swarm.run();
		await pause(2_500);
		const changed = performance.now();
		swarm.seeders[0]?.limitRates(20 * MB, undefined);
		await running;
		return Math.max(offBy(watch, 4 * MB, 0, changed), offBy(watch, 20 * MB, changed));
	});
});

test('a downloader that gets a limit while it receives a fan-out stops receiving it', async (t) => {
	await judge('most received', { unit: 'MB/s', most: 5.25 }, async () => {
		const { downloaders, run } = await startLimited(t, { length: 210 * MB, downloaders: 2 });
		const [limited] = downloaders as [ShoalNode];
		const watch = new RateWatch(t, () => limited.received.total);
		const running = run();
		await until('bytes come', () => limited.received.total > 10 * MB);
		limited.limitRates(undefined, 5 * MB);
		await pause(200);
		const changed = performance.now();
		await pause(3_000);
		const { most } = watch.extremes(changed);
		limited.limitRates(undefined, undefined);
		await running;
		return most / MB;
	});
});

test('a small content is sent with the full rate of a small limit', async (t) => {
	await judge('50 kB at 100 kB/s', { unit: 'ms', least: 350, most: 1_500 }, async () => {
		const { peer, to } = await startSeeder(t, { maxUp: 100_000 });
		const ranges = Array.from({ length: 50 }, (_, index): ByteRange => [index * 1_000, 1_000]);
		const begun = performance.now();
		peer.ask(to, seed.id, ranges);
		await until('all of it', () => peer.received === 50_000);
		return performance.now() - begun;
	});
});

function pause(ms: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, ms));
}

test.run();
