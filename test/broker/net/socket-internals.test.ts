import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls, TLSSocket } from 'node:tls';
import * as assert from 'uvu/assert';
import { makeCertificate, secureContext } from '../../../broker/net/certificate.ts';
import {
	adoptSocket,
	goesOutBy,
	onHandshakeError,
	readInto,
	takenBytes,
} from '../../../broker/net/socket-internals.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

// These tests check everything in the installed Node.js that broker/net/socket-internals.ts needs.
// If a test fails, a new version of Node.js has changed what the test names.

const test = suite('the private parts of the sockets of Node.js');
const LARGE = 8 * 1024 * 1024;

/** Both ends of a connection on loopback; the end of the server is paused. */
async function connected(t: Scope): Promise<{ accepted: Socket; client: Socket }> {
	const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
	t.defer(() => server.close());
	await once(server, 'listening');
	const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
	const [accepted] = (await once(server, 'connection')) as [Socket];
	for (const socket of [accepted, client]) {
		socket.on('error', () => {});
		t.defer(() => socket.destroy());
	}
	return { accepted, client };
}

/** Moves the connection of `accepted` to a socket with a buffer of 8 bytes. Records all reads. */
function adopt(t: Scope, accepted: Socket, goesOn: () => boolean = () => true) {
	const target = new Uint8Array(8);
	const read: string[] = [];
	const socket = adoptSocket(accepted, {
		readableHighWaterMark: 16,
		writableHighWaterMark: LARGE,
		onread: {
			buffer: () => target,
			callback: (count) => {
				read.push(Buffer.from(target.subarray(0, count)).toString());
				return goesOn();
			},
		},
	});
	t.defer(() => socket.destroy());
	return { socket, read };
}

test('the connection of an accepted socket can be moved to a socket that reads into given buffers', async (t) => {
	const { accepted, client } = await connected(t);
	const { socket, read } = adopt(t, accepted);
	socket.resume();
	client.write('to the broker');
	await until('it is read', () => read.join('') === 'to the broker');
	assert.ok(read.every(({ length }) => length <= 8));
	socket.write('from the broker');
	const [answer] = await once(client, 'data');
	assert.is(String(answer), 'from the broker');
	assert.is(socket.remoteAddress, '127.0.0.1');
	assert.is(socket.bytesRead, 13);
	assert.is(socket.bytesWritten, 15);
	assert.not.ok(accepted.destroyed, 'the server counts the old socket until it is destroyed');
});

test('the old socket reads nothing, and the connection stays open when it is destroyed', async (t) => {
	const { accepted, client } = await connected(t);
	accepted.on('data', () => assert.unreachable('it reads'));
	const { socket, read } = adopt(t, accepted);
	socket.resume();
	accepted.destroy();
	await once(accepted, 'close');
	client.write('on');
	await until('it is read', () => read.join('') === 'on');
	assert.not.ok(socket.destroyed);
});

test('reading stops when the callback returns false, and goes on when the pushed bytes are read', async (t) => {
	const { accepted, client } = await connected(t);
	let takesMore = true;
	const { socket, read } = adopt(t, accepted, () => {
		takesMore = socket.push(Buffer.alloc(32));
		return takesMore;
	});
	socket.on('readable', () => {});
	client.write('x'.repeat(64));
	await until('it has stopped', () => !takesMore);
	await new Promise((resolve) => setTimeout(resolve, 50));
	assert.is(read.length, 1);
	socket.on('readable', () => socket.read());
	socket.read();
	await until('it reads on', () => read.join('').length === 64);
});

test('the adopted socket is closed when the other side ends', async (t) => {
	const { accepted, client } = await connected(t);
	const { socket } = adopt(t, accepted);
	socket.resume();
	client.end();
	await once(socket, 'close');
});

/** Writes 8 MiB to `stream` while `other` is paused, then resumes it, and checks `takenBytes`. */
async function checkTaken(stream: Duplex, other: Duplex): Promise<void> {
	other.pause();
	const before = takenBytes(stream);
	assert.type(before, 'number');
	stream.write(Buffer.alloc(LARGE));
	let last = -1;
	await until('the system takes no more', async () => {
		const seen = last;
		last = takenBytes(stream) as number;
		await new Promise((resolve) => setTimeout(resolve, 50));
		return seen === last;
	});
	const taken = last - (before as number);
	assert.ok(taken < LARGE, `${taken} bytes were taken`);
	other.resume();
	await until('all is taken', () => (takenBytes(stream) as number) >= LARGE);
}

test('the handle of a socket counts the bytes that the system has taken', async (t) => {
	const { accepted, client } = await connected(t);
	await checkTaken(adopt(t, accepted).socket, client);
});

/** Both ends of a TLS connection on loopback, before the handshake. */
async function encrypted(t: Scope): Promise<{ server: TLSSocket; secure: TLSSocket }> {
	const listener = createServer().listen(0, '127.0.0.1');
	t.defer(() => listener.close());
	await once(listener, 'listening');
	const { port } = listener.address() as AddressInfo;
	const secure = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
	const [accepted] = (await once(listener, 'connection')) as [Socket];
	const context = secureContext(makeCertificate());
	const server = new TLSSocket(accepted, { isServer: true, secureContext: context });
	for (const socket of [server, secure]) {
		socket.on('error', () => {});
		t.defer(() => socket.destroy());
	}
	return { server, secure };
}

for (const end of ['client', 'server'] as const) {
	test(`the ${end} of a TLS connection can read into given buffers; reading stops and goes on`, async (t) => {
		const { server, secure } = await encrypted(t);
		const [reader, writer] = end === 'client' ? [secure, server] : [server, secure];
		const target = new Uint8Array(1_000);
		let read = 0;
		let sum = 0;
		const onread = {
			buffer: () => target,
			callback: (count: number) => {
				read += count;
				sum += target.subarray(0, count).reduce((total, byte) => total + byte, 0);
				if (read >= LARGE / 2 && read - count < LARGE / 2) {
					reader.pause();
				}
				return true;
			},
		};
		reader.on('data', () => assert.unreachable('bytes are given to others'));
		assert.ok(readInto(reader, onread));
		await once(secure, 'secureConnect');
		writer.end(Buffer.alloc(LARGE, 3));
		await until('it has stopped', () => read >= LARGE / 2);
		await new Promise((resolve) => setTimeout(resolve, 50));
		assert.ok(read < LARGE, `${read} bytes were read`);
		const ended = once(reader, 'end');
		reader.resume();
		await ended;
		assert.equal([read, sum], [LARGE, 3 * LARGE]);
	});
}

test('the handle of a TLS socket counts the bytes that the system has taken, also for a wrapping stream', async (t) => {
	const { server, secure } = await encrypted(t);
	await once(secure, 'secureConnect');
	const wrapper = new Duplex({
		read() {},
		write: (bytes, _encoding, done) => void server.write(bytes, done),
	});
	assert.is(takenBytes(wrapper), undefined);
	goesOutBy(wrapper, server);
	await checkTaken(wrapper, secure);
});

test('onHandshakeError reports the error that ends a TLS handshake', async (t) => {
	const { accepted, client } = await connected(t);
	const context = secureContext(makeCertificate());
	const server = new TLSSocket(accepted, { isServer: true, secureContext: context });
	t.defer(() => server.destroy());
	const error = new Promise<NodeJS.ErrnoException>((resolve) => onHandshakeError(server, resolve));
	server.on('error', () => {});
	const old = {
		minVersion: 'TLSv1',
		maxVersion: 'TLSv1.1',
		ciphers: 'DEFAULT@SECLEVEL=0',
	} as const;
	connectTls({ socket: client, ...old }).on('error', () => {});
	assert.is((await error).code, 'ERR_SSL_UNSUPPORTED_PROTOCOL');
});

test('takenBytes is undefined for a closed socket and for a stream that is no socket', async (t) => {
	assert.is(takenBytes(new Duplex({ read() {}, write() {} })), undefined);
	const { accepted } = await connected(t);
	accepted.destroy();
	await once(accepted, 'close');
	assert.is(takenBytes(accepted), undefined);
});

test.run();
