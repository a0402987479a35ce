import { randomBytes, X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import * as assert from 'uvu/assert';
import { Broker, makeCertificate } from '../../broker/index.ts';
import { ShoalNode, type ShoalNodeOptions } from '../../node/index.ts';
import { connectPacket } from '../helpers/adversaries/raw-client.ts';
import { startRelay } from '../helpers/adversaries/relay.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { rejects } from '../helpers/harness/rejects.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('tls');
const pair = makeCertificate();
const fingerprint = fingerprintOf(pair.cert);

function fingerprintOf(cert: string): string {
	return new X509Certificate(cert).fingerprint256;
}

/** Checks that `promise` fails with `code`, and with a message that matches `says`. */
async function fails(promise: Promise<unknown>, code: string, says = /./): Promise<void> {
	const error = await rejects(promise);
	assert.is(error.code, code);
	assert.match(error.message, says);
}

async function startNode(t: Scope, port: number, options: ShoalNodeOptions = {}) {
	const broker = `mqtts://127.0.0.1:${port}`;
	const node = await ShoalNode.start({ broker, cert: fingerprint, ...options });
	t.defer(() => node.close());
	return node;
}

test('a new certificate is signed by its own key, and differs from every other', () => {
	const cert = new X509Certificate(pair.cert);
	assert.ok(cert.verify(cert.publicKey));
	assert.is(cert.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
	assert.not.equal(fingerprintOf(makeCertificate().cert), fingerprint);
});

test('T17: the bytes of the connection to the broker show neither the name nor the content of a file', async (t) => {
	const broker = await startBroker(t, { tls: pair });
	assert.ok(broker.url.startsWith('mqtts://'));
	const relay = await startRelay(t, broker.port);
	const folder = await makeFolder(t);
	const marker = randomBytes(32);
	// No two chunks are the same: chunks that repeat each other are sent once.
	const blocks = Array.from({ length: 32_768 }, () => [marker, randomBytes(32)]);
	const bytes = Buffer.concat(blocks.flat());
	await writeFile(join(folder, 'secret-name.bin'), bytes);
	const throughIt = { lane: 'broker' } as const;
	const ann = await startNode(t, relay.port, throughIt);
	const bob = await startNode(t, relay.port, throughIt);
	const { seed } = await ann.share(join(folder, 'secret-name.bin'));
	const out = join(folder, 'out.bin');
	await bob.get(seed.id, { output: out });
	assert.ok((await readFile(out)).equals(bytes));
	const all = Buffer.concat(relay.seen);
	assert.ok(all.length > bytes.length);
	assert.not.ok(all.includes(marker));
	assert.not.ok(all.includes('secret-name'));
	assert.not.ok(all.includes('shoal/1'));
});

test('T22: a certificate other than the expected one is refused before anything is sent', async (t) => {
	const broker = await startBroker(t, { tls: makeCertificate() });
	await fails(startNode(t, broker.port), 'ERR_BROKER', /its certificate is .*Nothing was sent/);
	assert.is(broker.stats().clients, 0);
});

test('T22: without an expected fingerprint, a certificate of an unknown authority is refused', async (t) => {
	const broker = await startBroker(t, { tls: pair });
	const url = `mqtts://127.0.0.1:${broker.port}`;
	await fails(ShoalNode.start({ broker: url }), 'ERR_BROKER', /no authority vouches/);
});

test('T22: a node that expects TLS sends no MQTT to a broker without TLS', async (t) => {
	const plain = await startBroker(t);
	const relay = await startRelay(t, plain.port);
	await fails(startNode(t, relay.port), 'ERR_BROKER');
	assert.not.ok(Buffer.concat(relay.seen).includes('MQTT'));
	await fails(
		ShoalNode.start({ broker: plain.url, cert: fingerprint }),
		'ERR_USAGE',
		/name it by an mqtts: URL/,
	);
});

test('T17, T22: with an encrypted broker direct lanes are encrypted, and unencrypted ones are refused', async (t) => {
	const broker = await startBroker(t, { tls: pair });
	const [ann, bob] = [await startNode(t, broker.port), await startNode(t, broker.port)];
	const folder = await makeFolder(t);
	const bytes = randomBytes(3_000_000);
	await writeFile(join(folder, 'file.bin'), bytes);
	const { seed } = await ann.share(join(folder, 'file.bin'));
	const [listing] = (await bob.who(seed.id)).nodes;
	assert.match(listing?.addresses[0] ?? '', /^mqtts:/);
	const { sources } = await bob.get(seed.id, { output: join(folder, 'copy') });
	assert.ok(sources.some(({ lane }) => lane === 'direct'));
	assert.ok((await readFile(join(folder, 'copy'))).equals(bytes));
	const { hostname, port } = new URL(listing?.addresses[0] as string);
	const plain = connect(Number(port), hostname);
	const said = new Promise<string>((resolve) => {
		plain.on('error', () => resolve(''));
		plain.on('data', (data) => resolve(data.toString('latin1')));
		plain.on('close', () => resolve(''));
	});
	plain.write(connectPacket('stranger-1'));
	assert.not.match(await said, /^\x20/, 'no CONNACK for a client without TLS');
	plain.destroy();
});

test('a broker with TLS refuses clients without TLS, and closes silent connections', async (t) => {
	const broker = await startBroker(t, { tls: pair, limits: { connectTime: 300 } });
	await fails(ShoalNode.start({ broker: `mqtt://127.0.0.1:${broker.port}` }), 'ERR_BROKER');
	let closed = 0;
	connect(broker.port, '127.0.0.1')
		.on('error', () => {})
		.once('close', () => closed++);
	connectTls({ port: broker.port, host: '127.0.0.1', rejectUnauthorized: false })
		.on('error', () => {})
		.once('close', () => closed++);
	await until('both are closed', () => closed === 2);
});

test('a client whose encrypted bytes are no MQTT is disconnected, however many there are; others are served', async (t) => {
	const broker = await startBroker(t, { tls: pair });
	// A packet of an unknown type, a length of more than four bytes, QoS 3, and a length that is not allowed.
	for (const bad of ['00', 'ff', '3f', '30ffff7f']) {
		const socket = connectTls({ port: broker.port, host: '127.0.0.1', rejectUnauthorized: false });
		socket.on('error', () => {});
		t.defer(() => socket.destroy());
		const closed = new Promise((resolve) => socket.once('close', resolve));
		socket.write(connectPacket(`stranger-${bad}`));
		socket.write(Buffer.alloc(4 * 1024 * 1024, bad, 'hex'));
		await closed;
	}
	const node = await startNode(t, broker.port);
	assert.ok(node.id);
	await until('only the node is left', () => broker.stats().clients === 1);
});

test('a key that does not belong to the certificate is an error when the broker starts', async () => {
	const tls = { cert: pair.cert, key: makeCertificate().key };
	await fails(Broker.start({ port: 0, tls }), 'ERR_USAGE', /belong together/);
});

test.run();
