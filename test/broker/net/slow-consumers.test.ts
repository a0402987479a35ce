import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import * as assert from 'uvu/assert';
import { retainedAhead, SlowConsumers } from '../../../broker/net/slow-consumers.ts';
import { resolveLimits, Topics } from '../../../protocol/index.ts';
import {
	FROZEN,
	flood,
	floodUntilCut,
	freeze,
	joinSender,
} from '../../helpers/adversaries/frozen.ts';
import { Pinger } from '../../helpers/adversaries/pings.ts';
import { subscribePacket } from '../../helpers/adversaries/raw-client.ts';
import { seedId } from '../../helpers/fixtures/registry.ts';
import { startBroker } from '../../helpers/harness/broker.ts';
import { fakeClock } from '../../helpers/harness/clock.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('slow consumers');
const topics = new Topics();
const MIB = 1024 * 1024;
const NEVER = 1e9;

test('T12, F8: chunks for a client that stops reading are shed, and others go on', async (t) => {
	const broker = await startBroker(t, { limits: { stall: NEVER } });
	const [seeder, pinger] = [await joinSender(t, broker), await Pinger.join(t, broker.url)];
	await freeze(t, broker);
	const before = process.memoryUsage.rss();
	for (let part = 0; part < 8; part += 1) {
		const flooding = flood(seeder, topics.chunk(FROZEN, seeder.id), 262_144, 50);
		await Promise.all([flooding, pinger.ping()]);
	}
	const grown = process.memoryUsage.rss() - before;
	const { shed, cut } = broker.stats();
	console.log(
		`100 MiB of chunks for a frozen client: ${shed} of 400 shed, grew by ${Math.round(grown / 1e6)} MB`,
	);
	assert.ok(shed > 300, `${shed} shed`);
	assert.is(cut, 0);
	assert.ok(grown < 100e6, `grew by ${grown}`);
});

for (const qos of [0, 1] as const) {
	test(`T12: a client that stops reading is cut when messages of QoS ${qos} fill its queue, and others go on`, async (t) => {
		const broker = await startBroker(t, { limits: { cutQueue: MIB, stall: NEVER } });
		const [sender, pinger] = [await joinSender(t, broker), await Pinger.join(t, broker.url)];
		const { isClosed, socket } = await freeze(t, broker);
		await Promise.all([floodUntilCut(broker, sender, qos), pinger.ping()]);
		socket.resume();
		await until('it notices', isClosed);
		assert.ok(sender.isUp);
	});
}

test('T12: no client is cut because of retained messages, even if all clients are slow', () => {
	for (const changes of [{}, { clients: 12_000 }, { clients: 10 }]) {
		const limits = resolveLimits(changes);
		const ahead = retainedAhead(limits);
		assert.ok(ahead > 16_384, `${ahead} bytes`);
		const { clients } = limits;
		const consumers = new SlowConsumers(
			limits,
			() => 0,
			() => limits.queueTotal + 1,
		);
		assert.ok(clients * (ahead + limits.keptPayload) < limits.queueTotal);
		assert.is(consumers.judge(ahead + limits.keptPayload, false, clients), 'deliver');
	}
});

test('T12: chunks on a swarm topic reach every subscriber that keeps up while another is frozen', async (t) => {
	const broker = await startBroker(t, { limits: { stall: NEVER } });
	const seeder = await joinSender(t, broker);
	const topic = topics.swarm(seedId(1), seeder.id);
	const listeners = [
		await joinSender(t, broker),
		await joinSender(t, broker),
		await joinSender(t, broker),
	];
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
	const seeder = await joinSender(t, broker);
	const { socket, isClosed } = await freeze(t, broker);
	await flood(seeder, topics.chunk(FROZEN, seeder.id), 262_144, 60);
	await until('it is cut', () => broker.stats().cut === 1);
	socket.resume();
	await until('it notices', isClosed);
});

test('a slow client is not cut as long as it reads some bytes', async (t) => {
	const clock = fakeClock();
	const shedding = new SlowConsumers(resolveLimits({ stall: 1_000 }), clock.now, () => 0);
	const { socket, client } = await socketPair(t);
	const isStalledIn = (ms: number): boolean => {
		clock.advance(ms);
		return shedding.isStalled(socket);
	};
	let taken = 0;
	client.on('data', ({ length }) => {
		taken += length;
	});
	client.pause();
	socket.write(Buffer.alloc(100 * MIB));
	for (let slot = 1; slot <= 5; slot += 1) {
		assert.not.ok(isStalledIn(999));
		client.resume();
		// More than the system buffers for both ends.
		await until('it takes something', () => taken > slot * 16 * MIB);
		client.pause();
	}
	await until('it is stalled', () => isStalledIn(1_000));
});

/** A socket of a server, and the client's end of it. */
async function socketPair(t: Scope): Promise<{ socket: Socket; client: Socket }> {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	t.defer(() => server.close());
	const { port } = server.address() as AddressInfo;
	const client = connect(port, '127.0.0.1');
	t.defer(() => client.destroy());
	const [socket] = (await once(server, 'connection')) as [Socket];
	t.defer(() => socket.destroy());
	return { socket, client };
}

test('the limits decide whether a message is delivered or shed, or its receiver cut', () => {
	const shedding = new SlowConsumers(resolveLimits(), fakeClock().now, () => 0);
	assert.is(shedding.judge(4 * MIB, true, 1), 'deliver');
	assert.is(shedding.judge(4 * MIB + 1, true, 1), 'shed');
	assert.is(shedding.judge(MIB, true, 128), 'deliver');
	assert.is(shedding.judge(MIB + 1, true, 128), 'shed');
	assert.is(shedding.judge(8 * MIB, false, 128), 'deliver');
	assert.is(shedding.judge(8 * MIB + 1, false, 1), 'cut');
});

test('when all queues together exceed the limit, a client with more than an equal part of it is cut', () => {
	let total = 512 * MIB;
	const shedding = new SlowConsumers(resolveLimits(), fakeClock().now, () => total);
	assert.is(shedding.judge(MIB, false, 1_024), 'deliver');
	total += 1;
	assert.is(shedding.judge(MIB, false, 1_024), 'cut');
	assert.is(shedding.judge(MIB / 2, false, 1_024), 'deliver');
});

test('a stream is stalled only if no byte leaves its queue', () => {
	const clock = fakeClock();
	const shedding = new SlowConsumers(resolveLimits({ stall: 1_000 }), clock.now, () => 0);
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
