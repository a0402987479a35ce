import { Duplex } from 'node:stream';
import * as assert from 'uvu/assert';
import type { Broker } from '../../broker/index.ts';
import { Shedding } from '../../broker/shedding.ts';
import { Link, makeNodeId, resolveLimits, Topics } from '../../protocol/index.ts';
import { startBroker } from '../helpers/broker.ts';
import { fakeClock } from '../helpers/clock.ts';
import { pingUntil } from '../helpers/pings.ts';
import { connectRaw, type RawClient, subscribePacket } from '../helpers/raw-client.ts';
import { seedId } from '../helpers/registry.ts';
import { type Scope, suite } from '../helpers/suite.ts';
import { until } from '../helpers/until.ts';

const test = suite('shedding', { timeout: 20_000 });
const topics = new Topics();
const MIB = 1024 * 1024;
const FROZEN = 'frozen-01';

async function join(t: Scope, broker: Broker, id = makeNodeId()): Promise<Link> {
	const link = await Link.open({ url: broker.url, id });
	t.defer(() => link.close());
	await link.subscribe(topics.inboxFilter(id));
	return link;
}

/** A client that has subscribed to its inbox and reads no byte any more. */
async function freeze(t: Scope, broker: Broker): Promise<RawClient> {
	const client = await connectRaw(t, broker.port, FROZEN);
	client.socket.write(subscribePacket(topics.inboxFilter(FROZEN)));
	await until('SUBACK', () => Buffer.concat(client.received).length >= 9);
	client.socket.pause();
	return client;
}

/** Sends `count` messages, `batch` of them at a time. */
async function flood(link: Link, topic: string, size: number, count: number): Promise<void> {
	const payload = Buffer.alloc(size, 1);
	for (let number = 0; number < count; number++) {
		link.send(topic, payload);
		if (link.queued > MIB) {
			await link.drained();
		}
	}
	await link.drained();
}

test('T12, F8: chunks for a client that stops reading are shed, and nobody else is delayed', async (t) => {
	const broker = await startBroker(t);
	const [seeder, ann, bob] = [await join(t, broker), await join(t, broker), await join(t, broker)];
	await freeze(t, broker);
	const before = process.memoryUsage.rss();
	let isOver = false;
	const pings = pingUntil(ann, bob, () => isOver);
	await flood(seeder, topics.chunk(FROZEN, seeder.id), 262_144, 800);
	isOver = true;
	const p99 = await pings;
	const grown = process.memoryUsage.rss() - before;
	const { shed, cut } = broker.stats();
	console.log(
		`200 MiB of chunks for a frozen client: ${shed} of 800 shed, p99 ${p99.toFixed(1)} ms, grew by ${Math.round(grown / 1e6)} MB`,
	);
	assert.ok(shed > 700, `${shed} shed`);
	assert.is(cut, 0);
	assert.ok(p99 < 100, `p99 ${p99} ms`);
	assert.ok(grown < 100e6, `grew by ${grown}`);
});

for (const qos of [0, 1]) {
	test(`T12: small messages of QoS ${qos} for a client that stops reading cut it, nobody else is delayed`, async (t) => {
		const broker = await startBroker(t, { limits: { cutQueue: MIB } });
		const sender = await join(t, broker);
		const [ann, bob] = [await join(t, broker), await join(t, broker)];
		const { isClosed, socket } = await freeze(t, broker);
		let isOver = false;
		const pings = pingUntil(ann, bob, () => isOver);
		const topic = topics.reply(FROZEN, sender.id);
		const payload = Buffer.alloc(1_000, 1);
		for (let turn = 0; turn < 1_000 && broker.stats().cut === 0; turn++) {
			if (qos === 0) {
				await flood(sender, topic, 1_000, 100);
				// All are in one process: the sender must not be what delays the others.
				await new Promise((resolve) => setImmediate(resolve));
			} else {
				await Promise.all(Array.from({ length: 100 }, () => sender.publish(topic, payload)));
			}
		}
		isOver = true;
		const p99 = await pings;
		console.log(`small messages of QoS ${qos} for a frozen client: p99 ${p99.toFixed(1)} ms`);
		assert.ok(p99 < 100, `p99 ${p99} ms`);
		await until('it is cut', () => broker.stats().cut === 1);
		socket.resume();
		await until('it notices', isClosed);
		assert.ok(sender.isUp);
	});
}

test('T12: one source of a swarm goes on to all who keep up while one listener is frozen', async (t) => {
	const broker = await startBroker(t);
	const seeder = await join(t, broker);
	const topic = topics.swarm(seedId(1), seeder.id);
	const listeners = [await join(t, broker), await join(t, broker), await join(t, broker)];
	const counts = listeners.map(() => 0);
	for (const [place, listener] of listeners.entries()) {
		listener.on('message', () => {
			counts[place] = (counts[place] ?? 0) + 1;
		});
		await listener.subscribe(topic);
	}
	const frozen = await freeze(t, broker);
	frozen.socket.write(subscribePacket(topic));
	for (let sent = 8; sent <= 104; sent += 8) {
		await flood(seeder, topic, 262_144, 8);
		await until('all have what was sent', () => counts.every((count) => count === sent));
	}
	assert.ok(broker.stats().shed > 50);
});

test('T12: a client that takes no byte of its queue for too long is cut', async (t) => {
	const broker = await startBroker(t, { limits: { stall: 400 } });
	const seeder = await join(t, broker);
	const { socket, isClosed } = await freeze(t, broker);
	await flood(seeder, topics.chunk(FROZEN, seeder.id), 262_144, 60);
	await until('it is cut', () => broker.stats().cut === 1);
	socket.resume();
	await until('it notices', isClosed);
});

test('a slow client that takes something is not cut', async (t) => {
	// Much longer than from one read to the next, as this process also sends what is read.
	const broker = await startBroker(t, { limits: { stall: 1_200 } });
	const seeder = await join(t, broker);
	const { socket, isClosed } = await freeze(t, broker);
	const end = performance.now() + 3_000;
	const reader = setInterval(() => {
		socket.resume();
		setTimeout(() => socket.pause(), 1);
	}, 50);
	t.defer(() => clearInterval(reader));
	while (performance.now() < end) {
		await flood(seeder, topics.chunk(FROZEN, seeder.id), 262_144, 10);
	}
	assert.not.ok(isClosed());
	assert.is(broker.stats().cut, 0);
});

test('what is shed and what cuts follows the limits', () => {
	const shedding = new Shedding(resolveLimits(), fakeClock().now, () => 0);
	assert.is(shedding.judge(4 * MIB, true, 1), 'deliver');
	assert.is(shedding.judge(4 * MIB + 1, true, 1), 'shed');
	assert.is(shedding.judge(MIB, true, 128), 'deliver');
	assert.is(shedding.judge(MIB + 1, true, 128), 'shed');
	assert.is(shedding.judge(8 * MIB, false, 128), 'deliver');
	assert.is(shedding.judge(8 * MIB + 1, false, 1), 'cut');
});

test('where all together have too much, who has more than its share is cut', () => {
	let total = 512 * MIB;
	const shedding = new Shedding(resolveLimits(), fakeClock().now, () => total);
	assert.is(shedding.judge(MIB, false, 1_024), 'deliver');
	total += 1;
	assert.is(shedding.judge(MIB, false, 1_024), 'cut');
	assert.is(shedding.judge(MIB / 2, false, 1_024), 'deliver');
});

test('only a stream with a queue that no byte leaves is stalled', () => {
	const clock = fakeClock();
	const shedding = new Shedding(resolveLimits({ stall: 1_000 }), clock.now, () => 0);
	const handle = { bytesWritten: 100, writeQueueSize: 50 };
	const stream = Object.assign(new Duplex({ read() {}, write() {} }), { _handle: handle });
	const isStalledIn = (ms: number): boolean => {
		clock.advance(ms);
		return shedding.isStalled(stream);
	};
	assert.not.ok(isStalledIn(2_000), 'nothing is queued');
	stream.write('x');
	assert.not.ok(isStalledIn(2_000), 'seen for the first time');
	assert.not.ok(isStalledIn(999));
	handle.writeQueueSize = 49;
	assert.not.ok(isStalledIn(1));
	assert.not.ok(isStalledIn(999));
	assert.ok(isStalledIn(1));
	stream.destroy();
});

test.run();
