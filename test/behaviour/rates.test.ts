import * as assert from 'uvu/assert';
import type { ShoalNode } from '../../node/index.ts';
import { RateWatch } from '../helpers/harness/rate-watch.ts';
import { MB, startLimited } from '../helpers/harness/rates.ts';
import { suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

// Rates never exceed a limit, however slow the machine is. timing/rates.test.ts measures how
// exactly limits are kept.

const test = suite('limits of rates');
/** The seconds that a transfer takes, and those by which a count may be ahead of the rate. */
const SECONDS = 1.2;
const BURST = 0.25;

function isKept(ahead: () => number, rate: number): void {
	const bytes = ahead();
	assert.ok(bytes <= rate * BURST, `${bytes} bytes ahead of ${rate} per second`);
}

for (const rate of [2 * MB, 5 * MB, 20 * MB]) {
	test(`a seeder sends ${rate / MB} MB/s at most`, async (t) => {
		const { seeders, run } = await startLimited(t, { length: rate * SECONDS, maxUp: rate });
		const ahead = new RateWatch(t, () => seeders[0]?.sent.total ?? 0).aheadOf(rate);
		await run();
		isKept(ahead, rate);
	});

	test(`a downloader receives ${rate / MB} MB/s at most`, async (t) => {
		const options = { length: rate * SECONDS, maxDown: rate, seeders: 3 };
		const { downloaders, run } = await startLimited(t, options);
		const ahead = new RateWatch(t, () => downloaders[0]?.received.total ?? 0).aheadOf(rate);
		await run();
		isKept(ahead, rate);
	});
}

for (const rate of [5 * MB, 20 * MB]) {
	test(`a seeder of several downloaders sends ${rate / MB} MB/s at most`, async (t) => {
		const options = { length: rate * SECONDS, maxUp: rate, downloaders: 3 };
		const { seeders, run } = await startLimited(t, options);
		const ahead = new RateWatch(t, () => seeders[0]?.sent.total ?? 0).aheadOf(rate);
		await run();
		isKept(ahead, rate);
	});
}

test('a downloader keeps its limit beside downloaders that use fan-out', async (t) => {
	const rate = 5 * MB;
	const options = { length: rate * SECONDS, downloaders: 3, maxUp: 4 * rate };
	const { downloaders, run } = await startLimited(t, options);
	downloaders[0]?.limitRates(undefined, rate);
	const ahead = new RateWatch(t, () => downloaders[0]?.received.total ?? 0).aheadOf(rate);
	await run();
	isKept(ahead, rate);
});

test('a new limit is kept from the moment it is set', async (t) => {
	const { seeders, run } = await startLimited(t, { length: 20 * MB, maxUp: 4 * MB });
	const [seeder] = seeders as [ShoalNode];
	const watch = new RateWatch(t, () => seeder.sent.total);
	const slow = watch.aheadOf(4 * MB);
	const running = run();
	await until('some is sent', () => seeder.sent.total > 3 * MB);
	isKept(slow, 4 * MB);
	seeder.limitRates(20 * MB, undefined);
	const fast = watch.aheadOf(20 * MB);
	await until('more is sent', () => seeder.sent.total > 12 * MB);
	isKept(fast, 20 * MB);
	seeder.limitRates(8 * MB, undefined);
	const slower = watch.aheadOf(8 * MB);
	await running;
	isKept(slower, 8 * MB);
});

test('a downloader that gets a limit while it receives a fan-out stops receiving it', async (t) => {
	const { downloaders, run } = await startLimited(t, { length: 120 * MB, downloaders: 2 });
	const [limited] = downloaders as [ShoalNode];
	const watch = new RateWatch(t, () => limited.received.total);
	const running = run();
	await until('bytes come', () => limited.received.total > 10 * MB);
	limited.limitRates(undefined, 5 * MB);
	const ahead = watch.aheadOf(5 * MB);
	const before = limited.received.total;
	await until('some more come', () => limited.received.total > before + 12 * MB);
	// Bytes already sent still arrive; after these only requested bytes do.
	assert.ok(ahead() <= MB, `${ahead()} bytes ahead`);
	limited.limitRates(undefined, undefined);
	await running;
});

test.run();
