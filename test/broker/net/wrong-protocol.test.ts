import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import * as assert from 'uvu/assert';
import { Listener, makeCertificate } from '../../../broker/index.ts';
import { MQTT_PORT, tlsFailure } from '../../../broker/net/wrong-protocol.ts';
import { isShoalError, Link, resolveLimits, Topics } from '../../../protocol/index.ts';
import { connectPacket } from '../../helpers/adversaries/raw-client.ts';
import { startBroker } from '../../helpers/harness/broker.ts';
import { rejects } from '../../helpers/harness/rejects.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('clients that speak another protocol than the port');
const tls = makeCertificate();
const HTTP = 'GET / HTTP/1.1\r\nHost: lab\r\n\r\n';

interface Port {
	readonly port: number;
	/** The reports about clients. */
	readonly told: string[];
}

async function brokerPort(
	t: Scope,
	options: Parameters<typeof startBroker>[1] = {},
): Promise<Port> {
	const broker = await startBroker(t, options);
	const told: string[] = [];
	broker.on('warning', (error) => told.push((error as Error).message));
	return { port: broker.port, told };
}

async function lanePort(t: Scope): Promise<Port> {
	const told: string[] = [];
	const listener = await Listener.start({
		...{ id: 'listener-1', host: '127.0.0.1', port: 0, tls },
		...{ topics: new Topics(), limits: resolveLimits() },
		...{ admit: () => {}, onMessage: () => {} },
	});
	t.defer(() => listener.close());
	listener.on('warning', (error) => told.push((error as Error).message));
	return { port: listener.address.port, told };
}

/** Sends `bytes` and waits until the connection is cut. */
async function say(t: Scope, port: number, bytes: string | Uint8Array): Promise<void> {
	const socket = connect(port, '127.0.0.1');
	await ended(t, socket, () => socket.write(bytes));
}

/** Connects with TLS, but does not trust the certificate of the port. */
async function greet(t: Scope, port: number, options: object = {}): Promise<void> {
	const socket = connectTls({ port, host: '127.0.0.1', ...options });
	await ended(t, socket, () => {});
}

async function ended(t: Scope, socket: Socket, act: () => void): Promise<void> {
	socket.on('error', () => {});
	t.defer(() => socket.destroy());
	const closed = new Promise((resolve) => socket.once('close', resolve));
	act();
	await closed;
}

async function assertTold({ told }: Port, what: RegExp): Promise<void> {
	await until(`a warning that matches ${what}`, () => told.some((each) => what.test(each)));
	for (const each of told) {
		assert.not.match(each, /openssl|SSL routines|error:0|\.c:\d/i);
	}
}

test('a port with TLS reports plain MQTT, HTTP and old TLS versions in plain words, with the address', async (t) => {
	for (const port of [await brokerPort(t, { tls }), await lanePort(t)]) {
		await say(t, port.port, connectPacket('plain-001'));
		await assertTold(port, /^a client at 127\.0\.0\.1 spoke no TLS to .*mqtts:\/\/, not mqtt:\/\//);
		await say(t, port.port, HTTP);
		await assertTold(port, /^a client at 127\.0\.0\.1 sent an HTTP request to the/);
		const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' };
		await greet(t, port.port, old);
		await assertTold(port, /^a client at 127\.0\.0\.1 has no TLS version/);
	}
});

test('errors of OpenSSL are reported in plain words, and other errors unchanged', () => {
	const tell = (code: string, reason = code.toLowerCase()): string => {
		const error = Object.assign(new Error(`80:error:0A:SSL routines:${code}:s3.c:350:`), {
			code,
			reason,
		});
		return tlsFailure(error, '10.0.0.7', MQTT_PORT).message;
	};
	for (const alert of ['TLSV1_ALERT_UNKNOWN_CA', 'SSLV3_ALERT_BAD_CERTIFICATE']) {
		assert.match(
			tell(`ERR_SSL_${alert}`),
			/^a client at 10\.0\.0\.7 does not trust the certificate/,
		);
	}
	const rare = 'a client at 10.0.0.7 broke off TLS at the MQTT port: bad record mac';
	assert.is(tell('ERR_SSL_SSLV3_ALERT_BAD_RECORD_MAC', 'bad record mac'), rare);
	const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
	assert.is(tlsFailure(reset, '10.0.0.7', MQTT_PORT), reset);
});

test('a port without TLS reports TLS and HTTP in plain words, with the address', async (t) => {
	const port = await brokerPort(t);
	await greet(t, port.port);
	await assertTold(port, /^a client at 127\.0\.0\.1 spoke TLS to the MQTT port.*mqtt:\/\/, not/);
	await say(t, port.port, HTTP);
	await assertTold(port, /^a client at 127\.0\.0\.1 sent an HTTP request to the MQTT port/);
});

test('the error of a link says whether the broker needs TLS or speaks none', async (t) => {
	const secure = await brokerPort(t, { tls });
	const plain = await brokerPort(t);
	const open = (url: string) => rejects(Link.open({ url, id: 'node-00001' }));
	const toSecure = await open(`mqtt://127.0.0.1:${secure.port}`);
	assert.ok(isShoalError(toSecure, 'ERR_BROKER'));
	assert.match(toSecure.message, /mqtts:\/\//);
	const toPlain = await open(`mqtts://127.0.0.1:${plain.port}`);
	assert.ok(isShoalError(toPlain, 'ERR_BROKER'));
	assert.match(toPlain.message, /it speaks no TLS/);
});

test.run();
