import { createServer } from 'node:net';
import * as assert from 'uvu/assert';
import { Connection } from '../../../protocol/link/connection.ts';
import type { ConnectionOptions } from '../../../protocol/link/connection-options.ts';
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

const test = suite('connection');
const NEVER = 1e9;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function open(
	t: Scope,
	url: string,
	options: Partial<ConnectionOptions> = {},
): Promise<Connection> {
	const connection = await Connection.open({
		url,
		clientId: 'node-one',
		will: { topic: 'will', payload: bytes('gone') },
		keepalive: 15,
		timeout: NEVER,
		onMessage: () => {},
		...options,
	});
	t.defer(() => connection.destroy());
	return connection;
}

/** A fake broker and a connection to it. */
async function pair(
	t: Scope,
	answer: Answer,
	options: Partial<ConnectionOptions> = {},
): Promise<{ broker: FakeBroker; connection: Connection }> {
	const broker = await startFakeBroker(t, answer);
	return { broker, connection: await open(t, broker.url, options) };
}

/** The URL of a port on which nobody listens. */
async function deadUrl(): Promise<string> {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address() as { port: number };
	await new Promise((resolve) => server.close(resolve));
	return `mqtt://127.0.0.1:${port}`;
}

test('a refused connection, an unknown host and a malformed URL are ERR_BROKER', async (t) => {
	for (const url of [await deadUrl(), 'mqtt://no-such-host.invalid', 'no URL']) {
		assert.is((await rejects(open(t, url))).code, 'ERR_BROKER', url);
	}
});

test('a server that closes before CONNACK is ERR_BROKER', async (t) => {
	const broker = await startFakeBroker(t, (_packet, _reply, socket) => socket.end());
	assert.is((await rejects(open(t, broker.url))).code, 'ERR_BROKER');
});

test('a server that resets before CONNACK is ERR_BROKER', async (t) => {
	const broker = await startFakeBroker(t, (_packet, _reply, socket) => socket.resetAndDestroy());
	assert.is((await rejects(open(t, broker.url))).code, 'ERR_BROKER');
});

test('a server that is no broker is ERR_BROKER', async (t) => {
	const broker = await startFakeBroker(t, (_packet, _reply, socket) => {
		socket.write('HTTP/1.1 400 Bad Request\r\n\r\n');
	});
	assert.is((await rejects(open(t, broker.url))).code, 'ERR_BROKER');
});

test('a server that sends nothing is ERR_BROKER after the timeout, and nothing stays open', async (t) => {
	const broker = await startFakeBroker(t, () => {});
	const before = openResources();
	assert.is((await rejects(open(t, broker.url, { timeout: 150 }))).code, 'ERR_BROKER');
	await until('the socket is closed', () => broker.sockets.size === 0);
	await nothingLeftOpen(before);
});

test('CONNACK 2 is ERR_ID_TAKEN, the other refusals are ERR_REFUSED', async (t) => {
	for (const returnCode of [1, 2, 3, 4, 5]) {
		const broker = await startFakeBroker(t, (_packet, reply) => {
			reply({ cmd: 'connack', returnCode, sessionPresent: false });
		});
		const error = await rejects(open(t, broker.url));
		assert.is(error.code, returnCode === 2 ? 'ERR_ID_TAKEN' : 'ERR_REFUSED', String(returnCode));
		await until('the socket is closed', () => broker.sockets.size === 0);
	}
});

test('CONNECT carries id, will, keepalive, a clean session and the password if there is one', async (t) => {
	const { broker } = await pair(t, acceptOnly, { password: 'secret' });
	await open(t, broker.url);
	const [first, second] = broker.packets as unknown as Array<Record<string, unknown>>;
	assert.is(first?.clientId, 'node-one');
	assert.is(first?.clean, true);
	assert.is(first?.keepalive, 15);
	assert.is(first?.protocolVersion, 4);
	assert.is(first?.username, 'node-one');
	assert.is(String(first?.password), 'secret');
	const will = first?.will as { topic: string; qos: number; retain: boolean; payload: Buffer };
	assert.equal(
		[will.topic, will.qos, will.retain, String(will.payload)],
		['will', 1, true, 'gone'],
	);
	assert.is(second?.password ?? undefined, undefined);
});

test('T5: a URL cannot choose another client id', async (t) => {
	const broker = await startFakeBroker(t, acceptOnly);
	await open(t, `${broker.url}/?clientId=victim`);
	assert.is((broker.packets[0] as { clientId?: string }).clientId, 'node-one');
});

test('a request that is never acknowledged is ERR_TIMEOUT', async (t) => {
	const { connection } = await pair(t, acceptOnly);
	const timers = holdTimers(t, NEVER);
	const publishing = rejects(connection.publish('a', bytes('x'), false));
	const subscribing = rejects(connection.subscribe('a'));
	const unsubscribing = rejects(connection.unsubscribe('a'));
	timers.fire();
	for (const error of await Promise.all([publishing, subscribing, unsubscribing])) {
		assert.is(error.code, 'ERR_TIMEOUT');
	}
});

for (const how of ['end', 'resetAndDestroy'] as const) {
	test(`a request that is pending when the broker drops the connection (${how}) is ERR_DISCONNECTED`, async (t) => {
		const { broker, connection } = await pair(t, acceptOnly);
		const pending = [
			rejects(connection.publish('a', bytes('x'), false)),
			rejects(connection.subscribe('a')),
			rejects(connection.unsubscribe('a')),
		];
		await until('all have arrived', () => broker.packets.length === 4);
		for (const socket of broker.sockets) {
			socket[how]();
		}
		for (const error of await Promise.all(pending)) {
			assert.is(error.code, 'ERR_DISCONNECTED', error.message);
		}
		assert.is((await connection.ended).code, 'ERR_DISCONNECTED');
		assert.is((await rejects(connection.publish('a', bytes('x'), false))).code, 'ERR_DISCONNECTED');
	});
}

test('malformed bytes from the broker end the connection, and pending requests fail', async (t) => {
	const { broker, connection } = await pair(t, acceptOnly);
	const publishing = rejects(connection.publish('a', bytes('x'), false));
	await until('it has arrived', () => broker.packets.length === 2);
	for (const socket of broker.sockets) {
		socket.write(new Uint8Array([0xf0, 0xff, 0xff, 0xff, 0xff, 0xff]));
	}
	assert.is((await publishing).code, 'ERR_DISCONNECTED');
	assert.is((await connection.ended).code, 'ERR_DISCONNECTED');
	await until('the socket is closed', () => broker.sockets.size === 0);
});

test('a denied subscription is ERR_REFUSED, and the connection goes on', async (t) => {
	const { connection } = await pair(t, (packet, reply, socket) => {
		acceptOnly(packet, reply, socket);
		if (packet.cmd === 'subscribe') {
			reply({ cmd: 'suback', messageId: packet.messageId as number, granted: [0x80] });
		} else if (packet.cmd === 'publish') {
			reply({ cmd: 'puback', messageId: packet.messageId as number });
		}
	});
	assert.is((await rejects(connection.subscribe('a/#'))).code, 'ERR_REFUSED');
	await connection.publish('a', bytes('x'), false);
});

test('F9: the connection ends if the broker answers no ping, unless it sends other bytes', async (t) => {
	const pings = ({ packets }: FakeBroker): number =>
		packets.filter(({ cmd }) => cmd === 'pingreq').length;
	const silent = await pair(t, acceptOnly, { keepalive: 1 });
	const dripping = await pair(t, acceptOnly, { keepalive: 1 });
	const [socket] = dripping.broker.sockets;
	// The broker sends a packet that never ends, one byte at a time: no message arrives.
	socket?.write(new Uint8Array([0x30, 0xff, 0xff, 0x7f, 0, 1, 0x61]));
	const drip = setInterval(() => socket?.write(new Uint8Array(1)), 100);
	t.defer(() => clearInterval(drip));
	let hasEnded = false;
	void dripping.connection.ended.then(() => {
		hasEnded = true;
	});
	const publishing = rejects(silent.connection.publish('a', bytes('x'), false));
	assert.is((await silent.connection.ended).code, 'ERR_DISCONNECTED');
	assert.is((await publishing).code, 'ERR_DISCONNECTED');
	await until('the socket is closed', () => silent.broker.sockets.size === 0);
	assert.ok(pings(silent.broker) >= 1, 'it has pinged');
	// Six pings take longer than 2.5 times the keepalive, when a silent connection has ended.
	await until('it still pings', () => pings(dripping.broker) >= 6);
	assert.not(hasEnded);
});

test('the error about a server that sends nothing has the cause ERR_TIMEOUT, not the end of a connection', async (t) => {
	const { url } = await startFakeBroker(t, () => {});
	const all = Array.from({ length: 30 }, () => rejects(open(t, url, { timeout: 30 })));
	for (const { code, cause } of await Promise.all(all)) {
		assert.equal([code, (cause as { code?: string }).code], ['ERR_BROKER', 'ERR_TIMEOUT']);
	}
});

test.run();
