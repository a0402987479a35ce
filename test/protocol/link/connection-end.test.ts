import * as assert from 'uvu/assert';
import { Connection } from '../../../protocol/link/connection.ts';
import {
	type Answer,
	acceptOnly,
	type FakeBroker,
	startFakeBroker,
} from '../../helpers/adversaries/fake-broker.ts';
import { nothingLeftOpen, openResources } from '../../helpers/harness/open-resources.ts';
import { rejects } from '../../helpers/harness/rejects.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';
import { holdTimers } from '../../helpers/harness/timers.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('the end of a connection');
const NEVER = 1e9;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function pair(
	t: Scope,
	answer: Answer = acceptOnly,
	// No connection in these tests ends because of a timeout.
	timeout = NEVER,
): Promise<{ broker: FakeBroker; connection: Connection; before: string[] }> {
	const broker = await startFakeBroker(t, answer);
	const before = openResources();
	const connection = await Connection.open({
		url: broker.url,
		clientId: 'node-one',
		will: { topic: 'will', payload: bytes('gone') },
		keepalive: 15,
		timeout,
		onMessage: () => {},
	});
	t.defer(() => connection.destroy());
	return { broker, connection, before };
}

const goodbyes = (broker: FakeBroker): number =>
	broker.packets.filter(({ cmd }) => cmd === 'disconnect').length;

test('close sends DISCONNECT, leaves no timer and no socket, and may be called twice', async (t) => {
	const { broker, connection, before } = await pair(t);
	await connection.close();
	await connection.close();
	assert.is((await connection.ended).code, 'ERR_CLOSED');
	await nothingLeftOpen(before);
	assert.is(goodbyes(broker), 1);
});

test('close waits for the PUBACK of an open publish', async (t) => {
	const { broker, connection } = await pair(t, (packet, reply, socket) => {
		acceptOnly(packet, reply, socket);
		if (packet.cmd === 'publish') {
			setTimeout(() => reply({ cmd: 'puback', messageId: packet.messageId as number }), 50);
		}
	});
	// On a slow machine the PUBACK may take longer than the 500 ms for which `close` waits.
	holdTimers(t, 500);
	const publishing = connection.publish('a', bytes('x'), false);
	await connection.close();
	await publishing;
	assert.is(goodbyes(broker), 1);
});

test('close sends DISCONNECT also if the broker acknowledges nothing, and fails the open publish', async (t) => {
	const { broker, connection, before } = await pair(t);
	const publishing = rejects(connection.publish('a', bytes('x'), false));
	await connection.close();
	assert.is((await publishing).code, 'ERR_CLOSED');
	await until('the socket is closed', () => broker.sockets.size === 0);
	assert.is(goodbyes(broker), 1, 'so that the will is not published');
	await nothingLeftOpen(before);
});

test('close ends a connection whose other end reads nothing', async (t) => {
	const { broker, connection } = await pair(t);
	const [socket] = broker.sockets;
	socket?.pause();
	for (let sent = 0; sent < 64; sent += 1) {
		connection.send('a', new Uint8Array(1_000_000));
	}
	await connection.close();
});

test('during close, requests fail, messages are dropped, and DISCONNECT is still sent', async (t) => {
	const { broker, connection } = await pair(t);
	const closing = connection.close();
	connection.send('a', bytes('late'));
	const late = [
		rejects(connection.publish('a', bytes('x'), false)),
		rejects(connection.subscribe('a')),
		rejects(connection.unsubscribe('a')),
	];
	for (const error of await Promise.all(late)) {
		assert.is(error.code, 'ERR_CLOSED');
	}
	await closing;
	await until('a goodbye', () => goodbyes(broker) === 1);
	connection.send('a', bytes('later'));
	assert.is((await rejects(connection.publish('a', bytes('x'), false))).code, 'ERR_CLOSED');
});

test('destroy sends no DISCONNECT, and fails pending requests', async (t) => {
	const { broker, connection, before } = await pair(t);
	const publishing = rejects(connection.publish('a', bytes('x'), false));
	await until('it has arrived', () => broker.packets.length === 2);
	connection.destroy();
	assert.is((await publishing).code, 'ERR_CLOSED');
	await nothingLeftOpen(before);
	assert.is(goodbyes(broker), 0);
});

test('drained resolves after a small amount was sent', async (t) => {
	const { broker, connection } = await pair(t);
	await connection.drained();
	const [socket] = broker.sockets;
	socket?.pause();
	while (connection.queued === 0) {
		connection.send('a', new Uint8Array(1_000));
	}
	await connection.drained();
});

test('drained resolves after a large amount was sent, and not before all of it has left', async (t) => {
	const { broker, connection } = await pair(t);
	const [socket] = broker.sockets;
	socket?.pause();
	for (let sent = 0; sent < 64; sent += 1) {
		connection.send('a', new Uint8Array(1_000_000));
	}
	let isDrained = false;
	const draining = connection.drained().then(() => {
		isDrained = true;
	});
	await new Promise((resolve) => setTimeout(resolve, 100));
	assert.not(isDrained);
	assert.ok(connection.queued > 1_000_000);
	socket?.resume();
	await draining;
	assert.is(connection.queued, 0);
});

test('drained resolves when the connection ends', async (t) => {
	const { broker, connection } = await pair(t);
	const [socket] = broker.sockets;
	socket?.pause();
	for (let sent = 0; sent < 64; sent += 1) {
		connection.send('a', new Uint8Array(1_000_000));
	}
	const draining = connection.drained();
	connection.destroy();
	await draining;
	await connection.drained();
});

test.run();
