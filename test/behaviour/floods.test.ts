import * as assert from 'uvu/assert';
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
import { seedId } from '../helpers/fixtures/registry.ts';
import { Member } from '../helpers/harness/member.ts';
import { bytesRead, peakBytes, resetPeak } from '../helpers/harness/proc.ts';
import { type Shoal, spawnBroker } from '../helpers/harness/shoal.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

// The broker runs in its own process, so that its work and memory are measured without those of the
// attacker. timing/floods.test.ts measures how long other clients wait meanwhile.

const test = suite('floods');

async function start(t: Scope, ...args: string[]) {
	const { broker, url } = await spawnBroker(t, ...args);
	return { broker, url, port: Number(new URL(url).port) };
}

/** The bytes that a process reads from now on, and the bytes by which its memory grows. */
function gauge({ pid }: Shoal): { read(): number; grown(): number } {
	resetPeak(pid);
	const before = { read: bytesRead(pid), peak: peakBytes(pid) };
	return {
		read: () => bytesRead(pid) - before.read,
		grown: () => peakBytes(pid) - before.peak,
	};
}

test('T3: the broker reads less than 128 KiB of a CONNECT that claims 256 MB', async (t) => {
	const { broker, port } = await start(t);
	const { socket, isClosed } = await openRaw(t, port);
	const { read, grown } = gauge(broker);
	socket.write(Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]));
	const block = Buffer.alloc(65_536);
	for (let sent = 0; !isClosed() && sent < 48e6; sent += block.length) {
		socket.write(block);
		await new Promise((resolve) => setImmediate(resolve));
	}
	await until('it is cut', isClosed);
	console.log(`read ${read()} bytes, grew by ${grown()}`);
	assert.ok(read() > 0 && read() < 131_072, `${read()} bytes`);
	assert.ok(grown() < 5e6, `grew by ${grown()}`);
});

test('T10: of 10,000 announces of one node those beyond its limit are refused, and others go on', async (t) => {
	const { broker, url, port } = await start(t);
	const ann = await Member.join(t, url);
	await ann.share(seedId(0xa11));
	const pinger = await Pinger.join(t, url);
	const evil = await connectRaw(t, port, EVIL);
	const flood = announces(10_000);
	const { grown } = gauge(broker);
	await Promise.all([pour(evil, flood), pinger.ping()]);
	const first = grown();
	const again = gauge(broker);
	await pour(evil, flood);
	console.log(`10,000 announces: grew by ${first}, then ${again.grown()}`);
	assert.ok(first < 100e6, `grew by ${first}`);
	assert.ok(again.grown() < 20e6, `grew by ${again.grown()}, the second time`);
	const [{ seeds, next }, last] = [await ann.seeds(), await ann.seeds(seedId(0x10000 + 980))];
	assert.is(seeds[0]?.seed, seedId(0xa11), 'the announce of the honest node is listed');
	assert.ok(next !== undefined && last.seeds.length < 100, 'a thousand of the flood are listed');
});

test('T10: of 10,000 subscriptions those beyond the limit are refused, and others go on', async (t) => {
	const { broker, url, port } = await start(t);
	const pinger = await Pinger.join(t, url);
	const evil = await connectRaw(t, port, EVIL);
	for (const [what, filterOf] of Object.entries(FILTERS)) {
		const { grown } = gauge(broker);
		await Promise.all([pour(evil, subscriptions(10_000, filterOf)), pinger.ping()]);
		console.log(`10,000 beyond ${what}: grew by ${grown()}`);
	}
	assert.ok(broker.stderr.length < 10_000, `${broker.stderr.length} bytes of warnings`);
	await Member.join(t, url);
});

test('T10: repeated subscriptions to all announces are answered a few times, and others go on', async (t) => {
	const { broker, url, port } = await start(t);
	const honest = await connectRaw(t, port, 'honest-01');
	await pour(honest, announces(1_000, 'honest-01'));
	const pinger = await Pinger.join(t, url);
	const evil = await connectRaw(t, port, EVIL);
	const { grown } = gauge(broker);
	const flood = subscriptions(2_000, () => ALL_ANNOUNCES);
	for (let slot = 0; slot < 5; slot += 1) {
		await Promise.all([pour(evil, flood), pinger.ping()]);
	}
	console.log(`10,000 subscriptions to all announces: grew by ${grown()}`);
	assert.ok(grown() < 100e6, `grew by ${grown()}`);
});

test('T13: an honest node joins while 2,000 sockets send nothing', async (t) => {
	const { broker, url, port } = await start(t);
	const { grown } = gauge(broker);
	await Promise.all(Array.from({ length: 2_000 }, () => openRaw(t, port)));
	const ann = await Member.join(t, url);
	assert.equal(await ann.listed(), []);
	console.log(`2,000 silent sockets: grew by ${grown()}`);
});

test.run();
