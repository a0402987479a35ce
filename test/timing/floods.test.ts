import {
	ALL_ANNOUNCES,
	announces,
	EVIL,
	FILTERS,
	pour,
	subscriptions,
} from '../helpers/adversaries/floods.ts';
import { Pinger } from '../helpers/adversaries/pings.ts';
import { connectRaw, openRaw } from '../helpers/adversaries/raw-client.ts';
import { Member } from '../helpers/harness/member.ts';
import { spawnBroker } from '../helpers/harness/shoal.ts';
import type { Scope } from '../helpers/harness/suite.ts';
import { judge, timingSuite } from '../helpers/harness/timing.ts';

const test = await timingSuite('floods');
const DELAY = { unit: 'ms', most: 100 };

/** A broker in its own process, a client that floods it, and two that send to each other. */
async function start(t: Scope) {
	const { url } = await spawnBroker(t);
	const port = Number(new URL(url).port);
	const evil = await connectRaw(t, port, EVIL);
	return { url, port, evil, pinger: await Pinger.join(t, url) };
}

test('T10: 10,000 announces of one node delay no other client', async (t) => {
	const flood = announces(10_000);
	await judge('p99 beside 10,000 announces', DELAY, async () => {
		const { evil, pinger } = await start(t);
		return await pinger.p99While(() => pour(evil, flood));
	});
});

test('T10: 50,000 subscriptions of one node delay no other client', async (t) => {
	for (const [what, filterOf] of Object.entries(FILTERS)) {
		const flood = subscriptions(50_000, filterOf);
		await judge(`p99 beside 50,000 subscriptions beyond ${what}`, DELAY, async () => {
			const { evil, pinger } = await start(t);
			return await pinger.p99While(() => pour(evil, flood));
		});
	}
});

test('T10: 40,000 subscriptions of one node to all announces delay no other client', async (t) => {
	const kept = announces(1_000, 'honest-01');
	const flood = subscriptions(2_000, () => ALL_ANNOUNCES);
	await judge('p99 beside subscriptions to all announces', DELAY, async () => {
		const { port, evil, pinger } = await start(t);
		await pour(await connectRaw(t, port, 'honest-01'), kept);
		return await pinger.p99While(async () => {
			for (let slot = 0; slot < 20; slot += 1) {
				await pour(evil, flood);
			}
		});
	});
});

test('T13: an honest node joins within 1 s beside 2,000 silent sockets', async (t) => {
	const { url, port } = await start(t);
	await Promise.all(Array.from({ length: 2_000 }, () => openRaw(t, port)));
	await judge('a node joins beside 2,000 silent sockets', { unit: 'ms', most: 1_000 }, async () => {
		const begun = performance.now();
		const node = await Member.join(t, url);
		await node.listed();
		return performance.now() - begun;
	});
});

test.run();
