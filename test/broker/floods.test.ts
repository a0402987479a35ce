import * as assert from 'uvu/assert';
import { encodeJson, Link, makeNodeId, Topics } from '../../protocol/index.ts';
import { Member } from '../helpers/member.ts';
import { pingUntil } from '../helpers/pings.ts';
import { bytesRead, peakBytes, resetPeak } from '../helpers/proc.ts';
import {
	connectRaw,
	openRaw,
	packet,
	publishPacket,
	type RawClient,
	text,
} from '../helpers/raw-client.ts';
import { announce, seedId } from '../helpers/registry.ts';
import { type Shoal, spawnBroker } from '../helpers/shoal.ts';
import { type Scope, suite } from '../helpers/suite.ts';
import { until } from '../helpers/until.ts';

// The broker has a process of its own: what is counted is its work and memory, not that of who attacks it.

const test = suite('floods', { timeout: 30_000 });
const topics = new Topics();
const EVIL = 'evil-0001';
const PINGREQ = Buffer.from([0xc0, 0]);
const PINGRESP = Buffer.from([0xd0, 0]);

/** A broker, and what it has read and grown by since a moment. */
async function start(t: Scope, ...args: string[]) {
	const { broker, url } = await spawnBroker(t, ...args);
	return { broker, url, port: Number(new URL(url).port) };
}

/** What a process reads and grows by from now on, in bytes. */
function gauge({ pid }: Shoal): { read(): number; grown(): number } {
	resetPeak(pid);
	const before = { read: bytesRead(pid), peak: peakBytes(pid) };
	return {
		read: () => bytesRead(pid) - before.read,
		grown: () => peakBytes(pid) - before.peak,
	};
}

/** Two clients that send to each other, and how long that takes until `work` is done: the 99th percentile. */
async function p99While(t: Scope, url: string, work: () => Promise<void>): Promise<number> {
	const join = async (id = makeNodeId()): Promise<Link> => {
		const link = await Link.open({ url, id });
		t.defer(() => link.close());
		await link.subscribe(topics.inboxFilter(id));
		return link;
	};
	const [ann, bob] = [await join(), await join()];
	let isOver = false;
	const pings = pingUntil(ann, bob, () => isOver);
	await work().finally(() => {
		isOver = true;
	});
	return await pings;
}

/** Sends it all, and waits until the broker has handled it or hung up. */
async function pour(client: RawClient, bytes: Buffer): Promise<void> {
	const { socket, received, isClosed } = client;
	received.length = 0;
	socket.write(bytes);
	socket.write(PINGREQ);
	const isHandled = (): boolean => Buffer.concat(received).includes(PINGRESP);
	await until('it is handled', () => isClosed() || isHandled(), 20_000);
}

test('T3: of 48 MB of a CONNECT that claims 256 MB the broker reads less than 128 KiB', async (t) => {
	const { broker, port } = await start(t);
	const { socket, isClosed } = await openRaw(t, port);
	const { read, grown } = gauge(broker);
	socket.write(Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]));
	const block = Buffer.alloc(65_536);
	for (let sent = 0; !isClosed() && sent < 48e6; sent += block.length) {
		socket.write(block);
		await new Promise((resolve) => setImmediate(resolve));
	}
	await until('it is cut', isClosed, 1_000);
	console.log(`read ${read()} bytes, grew by ${grown()}`);
	assert.ok(read() > 0 && read() < 131_072, `${read()} bytes`);
	assert.ok(grown() < 5e6, `grew by ${grown()}`);
});

/** The announces of as many seeds. */
function announces(count: number, node = EVIL): Buffer {
	const message = encodeJson(announce('evil-session'));
	return Buffer.concat(
		Array.from({ length: count }, (_, number) =>
			publishPacket(topics.announce(seedId(number + 0x10000), node), message, 0x33),
		),
	);
}

/** As many subscriptions, a packet each. */
function subscriptions(count: number, filterOf: (number: number) => string): Buffer {
	return Buffer.concat(
		Array.from({ length: count }, (_, number) => {
			const id = Buffer.from([number >> 8, number & 255]);
			return packet(0x82, [id, text(filterOf(number)), Buffer.from([1])]);
		}),
	);
}

test('T10: of 10,000 announces of one node those beyond its limit are refused, nobody else is delayed', async (t) => {
	const { broker, url, port } = await start(t);
	const ann = await Member.join(t, url);
	await ann.share(seedId(0xa11));
	const evil = await connectRaw(t, port, EVIL);
	const { grown } = gauge(broker);
	const p99 = await p99While(t, url, () => pour(evil, announces(10_000)));
	const first = grown();
	const again = gauge(broker);
	await pour(evil, announces(10_000));
	console.log(
		`10,000 announces: p99 ${p99.toFixed(1)} ms, grew by ${first}, then ${again.grown()}`,
	);
	assert.ok(p99 < 100, `p99 ${p99} ms`);
	assert.ok(first < 100e6, `grew by ${first}`);
	assert.ok(again.grown() < 20e6, `grew by ${again.grown()}, the second time`);
	const [{ seeds, next }, last] = [await ann.seeds(), await ann.seeds(seedId(0x10000 + 980))];
	assert.is(seeds[0]?.seed, seedId(0xa11), 'what the other has announced is there');
	assert.ok(next !== undefined && last.seeds.length < 100, 'and a thousand of the flood');
});

test('T10: of 50,000 subscriptions those beyond the limit are refused, nobody else is delayed', async (t) => {
	const { broker, url, port } = await start(t);
	const evil = await connectRaw(t, port, EVIL);
	const filters = {
		'its limit': (number: number) => topics.swarm(seedId(number), 'other-001'),
		'what is its own': (number: number) => topics.inboxFilter(`victim-${number}`),
	};
	for (const [what, filterOf] of Object.entries(filters)) {
		const { grown } = gauge(broker);
		const flood = subscriptions(50_000, filterOf);
		const p99 = await p99While(t, url, () => pour(evil, flood));
		console.log(`50,000 beyond ${what}: p99 ${p99.toFixed(1)} ms, grew by ${grown()}`);
		assert.ok(p99 < 100, `p99 ${p99} ms`);
	}
	assert.ok(broker.stderr.length < 10_000, `${broker.stderr.length} bytes of warnings`);
	await Member.join(t, url);
});

test('T10: who asks for all that is kept again and again delays nobody else', async (t) => {
	const { broker, url, port } = await start(t);
	const honest = await connectRaw(t, port, 'honest-01');
	await pour(honest, announces(1_000, 'honest-01'));
	const evil = await connectRaw(t, port, EVIL);
	const { grown } = gauge(broker);
	const flood = subscriptions(2_000, () => `${topics.root}/announce/+/+`);
	const p99 = await p99While(t, url, async () => {
		for (let turn = 0; turn < 20; turn += 1) {
			await pour(evil, flood);
		}
	});
	console.log(`40,000 times all that is kept: p99 ${p99.toFixed(1)} ms, grew by ${grown()}`);
	assert.ok(p99 < 100, `p99 ${p99} ms`);
	assert.ok(grown() < 100e6, `grew by ${grown()}`);
});

test('T13: beside 2,000 sockets that say nothing an honest node joins within 1 s', async (t) => {
	const { broker, url, port } = await start(t);
	const { grown } = gauge(broker);
	const crowd = Array.from({ length: 2_000 }, () => openRaw(t, port));
	await Promise.all(crowd);
	const begun = performance.now();
	const ann = await Member.join(t, url);
	assert.equal(await ann.listed(), []);
	const ms = performance.now() - begun;
	console.log(`2,000 silent sockets: joined in ${ms.toFixed(0)} ms, grew by ${grown()}`);
	assert.ok(ms < 1_000, `${ms} ms`);
});

test.run();
