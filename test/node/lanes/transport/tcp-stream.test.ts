import { createServer, type Socket } from 'node:net';
import { generate } from 'mqtt-packet';
import * as assert from 'uvu/assert';
import { isPlainTcp, openTcpStream } from '../../../../node/lanes/transport/tcp-stream.ts';
import type { Incoming } from '../../../../protocol/index.ts';
import { Link } from '../../../../protocol/index.ts';
import { publishPacket } from '../../../helpers/adversaries/raw-client.ts';
import { type Scope, suite } from '../../../helpers/harness/suite.ts';
import { until } from '../../../helpers/harness/until.ts';

const test = suite('tcp stream');
const CONNACK = generate({ cmd: 'connack', returnCode: 0, sessionPresent: false });

interface Server {
	readonly port: number;
	/** Waits for the first connection. */
	socket(): Promise<Socket>;
}

async function startServer(t: Scope): Promise<Server> {
	const sockets: Socket[] = [];
	const server = createServer((socket) => {
		socket.on('error', () => {});
		sockets.push(socket);
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	t.defer(() => {
		for (const socket of sockets) {
			socket.destroy();
		}
		return new Promise((resolve) => server.close(resolve));
	});
	return {
		port: (server.address() as { port: number }).port,
		socket: async () => {
			await until('somebody connects', () => sockets.length > 0);
			return sockets[0] as Socket;
		},
	};
}

interface Opened {
	readonly server: Socket;
	readonly messages: Incoming[];
	/** Bytes that are left to MQTT.js. */
	readonly rest: Buffer[];
	readonly errors: Error[];
	readonly stream: Socket;
}

async function open(t: Scope, host = '127.0.0.1'): Promise<Opened> {
	const { port, socket } = await startServer(t);
	const messages: Incoming[] = [];
	const rest: Buffer[] = [];
	const errors: Error[] = [];
	const stream = openTcpStream(`mqtt://${host}:${port}`, (message) => messages.push(message));
	t.defer(() => stream.destroy());
	stream.on('data', (bytes) => rest.push(bytes));
	stream.on('error', (error) => errors.push(error));
	return { server: await socket(), messages, rest, errors, stream };
}

/** Writes `bytes` in pieces that arrive one by one. */
async function dribble(socket: Socket, bytes: Buffer, size: number): Promise<void> {
	socket.setNoDelay();
	for (let at = 0; at < bytes.length; at += size) {
		socket.write(bytes.subarray(at, at + size));
		await new Promise((resolve) => setImmediate(resolve));
	}
}

test('messages of QoS 0 are delivered, and all other packets are passed on unchanged', async (t) => {
	const large = (fill: number): Buffer => publishPacket('a/b', Buffer.alloc(100_000, fill));
	const small = publishPacket('a/b', Buffer.from('small'));
	const retained = publishPacket('a/b', Buffer.alloc(100_000, 9), 0x31);
	const all = Buffer.concat([CONNACK, large(1), small, large(2), retained, large(3)]);
	for (const size of [997, 8_192, all.length]) {
		const { server, messages, rest } = await open(t);
		await dribble(server, all, size);
		await until('all is there', () => messages.length === 4);
		assert.equal(
			messages.map(({ topic, payload }) => [topic, payload.length, payload[0]]),
			[
				['a/b', 100_000, 1],
				['a/b', 5, 's'.charCodeAt(0)],
				['a/b', 100_000, 2],
				['a/b', 100_000, 3],
			],
		);
		const larger = messages.filter(({ payload }) => payload.length > 5);
		assert.ok(larger.every(({ payload }) => payload.every((byte) => byte === payload[0])));
		await until('the rest is there', () =>
			Buffer.concat(rest).equals(Buffer.concat([CONNACK, retained])),
		);
	}
});

test('a buffer is reused only after its message was released', async (t) => {
	const { server, messages } = await open(t);
	const send = async (fill: number): Promise<Incoming> => {
		server.write(publishPacket('a', Buffer.alloc(200_000, fill)));
		await until('it is there', () => messages.length === fill);
		return messages.at(-1) as Incoming;
	};
	const first = await send(1);
	const second = await send(2);
	assert.is.not(first.payload.buffer, second.payload.buffer);
	assert.ok(first.payload.every((byte) => byte === 1));
	first.release?.();
	first.release?.();
	const third = await send(3);
	const fourth = await send(4);
	assert.is(third.payload.buffer, first.payload.buffer);
	assert.is.not(fourth.payload.buffer, third.payload.buffer);
	assert.ok(second.payload.every((byte) => byte === 2));
});

test('a broker that sends a packet that is too large or malformed is disconnected', async (t) => {
	const hostile = [
		Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]),
		Buffer.alloc(100, 0xff),
		publishPacket('a', Buffer.alloc(100_000)).fill(0xff, 6, 7),
	];
	for (const bytes of hostile) {
		const { server, errors, stream } = await open(t);
		server.write(bytes);
		await until('it is cut', () => stream.destroyed && errors.length === 1);
		assert.match((errors[0] as Error & { code: string }).code, /^ERR_(LIMIT|MESSAGE)$/);
	}
});

test('a host with several addresses is reached at the address that answers', async (t) => {
	const { server, messages } = await open(t, 'localhost');
	server.write(publishPacket('a', Buffer.alloc(100_000)));
	await until('it is there', () => messages.length === 1);
});

/** A link with a keepalive of 1 s, the shortest, and the socket at its other end. */
async function openThin(t: Scope): Promise<{ server: Socket; link: Link }> {
	const { port, socket } = await startServer(t);
	const url = `mqtt://127.0.0.1:${port}`;
	const opening = Link.open({
		url,
		id: 'thin-link-1',
		keepalive: 1,
		openStream: (onMessage) => openTcpStream(url, onMessage),
	});
	const server = await socket();
	server.write(CONNACK);
	const link = await opening;
	t.defer(() => link.close());
	return { server, link };
}

test('a broker counts as alive while a large message arrives slowly, and is given up when nothing arrives', async (t) => {
	const large = publishPacket('a', Buffer.alloc(100_000));
	let isUp = false;
	// If this process was blocked, nothing was sent for a while, so the measurement is repeated.
	for (let longest = Number.POSITIVE_INFINITY; !isUp && longest > 500; ) {
		const { server, link } = await openThin(t);
		longest = 0;
		for (let at = 0; at < 30_000; at += 1_000) {
			const before = performance.now();
			server.write(large.subarray(at, at + 1_000));
			await new Promise((resolve) => setTimeout(resolve, 100));
			longest = Math.max(longest, performance.now() - before);
		}
		isUp = link.isUp;
		await until('it is given up', () => !link.isUp);
	}
	assert.ok(isUp);
});

test('CONNECT contains the user and password of the URL', async (t) => {
	const { port, socket } = await startServer(t);
	const url = `mqtt://ann:p%40ss@127.0.0.1:${port}`;
	const opening = Link.open({
		url,
		id: 'node-0001',
		password: 'own',
		openStream: (onMessage) => openTcpStream(url, onMessage),
	});
	const server = await socket();
	const [connect] = (await server.take(1).toArray()) as [Buffer];
	assert.ok(connect.includes('\0\x03ann\0\x04p@ss'));
	await opening.catch(() => {});
});

test('only the scheme mqtt: means plain TCP', () => {
	assert.ok(isPlainTcp('mqtt://host'));
	for (const url of ['mqtts://host', 'ws://host', 'wss://host', 'no URL']) {
		assert.not.ok(isPlainTcp(url));
	}
});

test.run();
