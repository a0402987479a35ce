import { connect } from 'mqtt';
import * as assert from 'uvu/assert';
import { Broker } from '../../../broker/index.ts';
import { Topics } from '../../../protocol/index.ts';
import {
	connectPacket,
	connectRaw,
	messagesOf,
	openRaw,
	packet,
	publishPacket,
	subscribePacket,
	text,
} from '../../helpers/adversaries/raw-client.ts';
import { startBroker } from '../../helpers/harness/broker.ts';
import { nothingLeftOpen, openResources } from '../../helpers/harness/open-resources.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { holdTimers } from '../../helpers/harness/timers.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('packet reader');
const topics = new Topics();
const PING = Buffer.from([0xc0, 0]);
const PONG = Buffer.from([0xd0, 0]);
/** Bytes that a test leaves in its own socket. */
const MOST_PENDING = 1_000_000;
const CHUNK = Buffer.alloc(70_000, 'chunk');

test('a client that sends one byte at a time is served like any other', async (t) => {
	const broker = await startBroker(t);
	const { socket, received } = await openRaw(t, broker.port);
	socket.setNoDelay();
	const toItself = topics.chunk('slowly-01', 'slowly-01');
	const session = [
		connectPacket('slowly-01'),
		subscribePacket(topics.inboxFilter('slowly-01')),
		publishPacket(toItself, Buffer.from('first')),
		PING,
		publishPacket(toItself, Buffer.from('second')),
	];
	for (const byte of Buffer.concat(session)) {
		socket.write(Buffer.from([byte]));
		await new Promise((resolve) => setImmediate(resolve));
	}
	const messages = () => messagesOf({ received });
	await until('both are back', () => messages().length === 2);
	assert.equal(
		messages().map(({ payload }) => String(payload)),
		['first', 'second'],
	);
	assert.ok(Buffer.concat(received).includes(PONG));
});

test('a connection is cut if a packet has a length of more than four bytes, before and after CONNECT', async (t) => {
	const broker = await startBroker(t);
	const hostile = Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0x7f]);
	const wrongPeer = await openRaw(t, broker.port);
	wrongPeer.socket.write(Buffer.concat([Buffer.from([0x10]), hostile.subarray(1)]));
	await until('the stranger is cut', wrongPeer.isClosed);
	const client = await connectRaw(t, broker.port, 'client-01');
	client.socket.write(hostile);
	await until('the client is cut', client.isClosed);
});

test('T3: a CONNECT may have 64 KiB, and a larger one is cut as soon as its length is read', async (t) => {
	const broker = await startBroker(t);
	const small = await openRaw(t, broker.port);
	small.socket.write(Buffer.from([0x10, 0x80, 0x80, 0x04]));
	const large = await openRaw(t, broker.port);
	large.socket.write(Buffer.from([0x10, 0x81, 0x80, 0x04]));
	await until('it is cut', large.isClosed);
	assert.is(broker.stats().refused.packet, 1);
	assert.not(small.isClosed());
});

test('all messages of a client are read, even if it sends them faster than they are handled', async (t) => {
	const broker = await startBroker(t, { limits: { cutQueue: 32_768 } });
	const { socket, received } = await connectRaw(t, broker.port, 'sender-01');
	const message = publishPacket(topics.request('nobody-01', 'sender-01'), Buffer.alloc(500));
	socket.write(Buffer.concat(Array.from({ length: 10_000 }, () => message)));
	socket.write(PING);
	await until('it was read to the end', () => Buffer.concat(received).includes(PONG));
});

test('a client that sends only chunks stays connected, and is cut when it stops', async (t) => {
	const broker = await startBroker(t);
	const reader = await connectRaw(t, broker.port, 'reader-01');
	reader.socket.write(subscribePacket(topics.inboxFilter('reader-01')));
	await until('SUBACK', () => Buffer.concat(reader.received).length >= 9);
	const sender = await openRaw(t, broker.port);
	// The timer for 1.5 times the keepalive of 27 s. No other timer has the same time.
	const timers = holdTimers(t, 27 * 1_500 + 1);
	sender.socket.write(connectPacket('sender-01', undefined, 27));
	await until('CONNACK', () => sender.received.length > 0);
	for (let slot = 1; slot <= 6; slot += 1) {
		const before = timers.refreshed;
		sender.socket.write(publishPacket(topics.chunk('reader-01', 'sender-01'), CHUNK));
		await until('the chunk has arrived', () => messagesOf(reader).length === slot);
		assert.is(timers.refreshed, before + 1);
	}
	assert.not.ok(sender.isClosed());
	timers.fire();
	await until('it is cut', sender.isClosed);
});

test('a client that sends packets, and reads no answers, is cut; one that reads them is not', async (t) => {
	const broker = await startBroker(t);
	const warnings: string[] = [];
	broker.on('warning', (error) => warnings.push(String(error)));
	const pings = Buffer.concat(Array.from({ length: 512 }, () => PING));
	const reader = await connectRaw(t, broker.port, 'reader-01');
	for (let sent = 1; sent <= 16; sent += 1) {
		reader.socket.write(pings);
		const read = (): number => reader.received.reduce((sum, { length }) => sum + length, 0);
		await until('it has all answers', () => read() === 4 + sent * pings.length);
	}
	const evil = await connectRaw(t, broker.port, 'evil-0001');
	evil.socket.pause();
	const isCut = (): boolean => broker.stats().clients === 1;
	while (!isCut()) {
		evil.socket.write(pings);
		await until('it is read', () => isCut() || evil.socket.writableLength < MOST_PENDING);
	}
	assert.match(warnings.join(), 'does not read the answers');
	assert.not.ok(reader.isClosed());
});

test('a client is disconnected if it ends its side, or vanishes within a packet', async (t) => {
	const broker = await startBroker(t);
	const ending = await connectRaw(t, broker.port, 'ending-01');
	const vanishing = await connectRaw(t, broker.port, 'vanish-01');
	assert.is(broker.stats().clients, 2);
	const chunk = publishPacket(topics.chunk('nobody-01', 'vanish-01'), CHUNK);
	vanishing.socket.write(chunk.subarray(0, 50_000));
	ending.socket.end(chunk.subarray(0, 1));
	await until('it is let go', ending.isClosed);
	vanishing.socket.resetAndDestroy();
	await until('both are gone', () => broker.stats().clients === 0);
});

test('a broker that is closed leaves nothing open, whatever its clients are doing', async (t) => {
	const before = openResources();
	const broker = await Broker.start({ port: 0 });
	t.defer(() => broker.close());
	for (let slot = 0; slot < 5; slot += 1) {
		const { socket } = await connectRaw(t, broker.port, `passing-${slot}`);
		socket.destroy();
	}
	const silent = await openRaw(t, broker.port);
	const reader = await connectRaw(t, broker.port, 'reader-01');
	reader.socket.write(subscribePacket(topics.inboxFilter('reader-01')));
	await until('SUBACK', () => Buffer.concat(reader.received).length === 9);
	reader.socket.pause();
	const sender = await connectRaw(t, broker.port, 'sender-01');
	const chunk = publishPacket(topics.chunk('reader-01', 'sender-01'), CHUNK);
	for (let number = 0; number < 200; number += 1) {
		sender.socket.write(chunk);
	}
	sender.socket.write(chunk.subarray(0, 60_000));
	await until('some are shed', () => broker.stats().shed > 0);
	await broker.close();
	reader.socket.resume();
	await until('all notice', () => [silent, reader, sender].every(({ isClosed }) => isClosed()));
	await nothingLeftOpen(before);
});

/** A CONNECT of any level and flags, with a clean session unless `flags` says otherwise. */
function connectOf(level: number, id: string, flags = 0x02): Buffer {
	return packet(0x10, [text('MQTT'), Buffer.from([level, flags, 0, 60]), text(id)]);
}

test('an unsupported protocol level is answered with CONNACK 1 (MQTT-3.1.2-2)', async (t) => {
	const broker = await startBroker(t);
	for (const level of [0, 2, 6, 9, 127]) {
		const client = await openRaw(t, broker.port);
		client.socket.write(connectOf(level, 'client-01'));
		await until('it is closed', client.isClosed);
		assert.equal([...Buffer.concat(client.received)], [0x20, 2, 0, 1], `level ${level}`);
	}
	const client = await openRaw(t, broker.port);
	client.socket.write(connectOf(4, 'client-01'));
	await until('CONNACK', () => client.received.length > 0);
	assert.equal([...Buffer.concat(client.received)], [0x20, 2, 0, 0]);
});

test('a client with MQTT 5 gets a CONNACK of MQTT 5 with reason code 0x84, and the broker warns', async (t) => {
	const broker = await startBroker(t);
	const warnings: string[] = [];
	broker.on('warning', (error) => warnings.push(String(error)));
	const client = await openRaw(t, broker.port);
	// Like a CONNECT of MQTT 3.1.1, but with a property length.
	const start = [text('MQTT'), Buffer.from([5, 0x02, 0, 60, 0]), text('client-01')];
	client.socket.write(packet(0x10, start));
	await until('it is closed', client.isClosed);
	assert.equal([...Buffer.concat(client.received)], [0x20, 3, 0, 0x84, 0]);
	assert.match(warnings.join(), 'a client speaks MQTT 5, but this broker speaks MQTT 3.1.1');
	assert.is(broker.stats().refused.packet, 1);
	const options = { protocolVersion: 5, reconnectPeriod: 0 } as const;
	const modern = connect(broker.url, { clientId: 'client-02', ...options });
	t.defer(() => modern.endAsync(true));
	const error = await new Promise((resolve) => modern.once('error', resolve));
	assert.match(String(error), 'Unsupported Protocol Version');
});

test('a client with an empty id and without a clean session is answered with CONNACK 2 (MQTT-3.1.3-8)', async (t) => {
	const broker = await startBroker(t);
	const client = await openRaw(t, broker.port);
	client.socket.write(connectOf(4, '', 0));
	await until('it is closed', client.isClosed);
	assert.equal([...Buffer.concat(client.received)], [0x20, 2, 0, 2]);
	const clean = await openRaw(t, broker.port);
	clean.socket.write(connectOf(4, ''));
	await until('CONNACK', () => clean.received.length > 0);
	assert.equal([...Buffer.concat(clean.received)], [0x20, 2, 0, 0]);
});

test.run();
