import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, Socket } from 'node:net';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import * as assert from 'uvu/assert';
import { fingerprintOf, Listener, makeCertificate } from '../../broker/index.ts';
import { ShoalNode } from '../../node/index.ts';
import { dial } from '../../node/lanes/dial.ts';
import { Lanes } from '../../node/lanes/lanes.ts';
import { brokerStream } from '../../node/lanes/transport/broker-stream.ts';
import { Link, makeNodeId, resolveLimits, Topics } from '../../protocol/index.ts';
import { startRelay } from '../helpers/adversaries/relay.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { makeFile } from '../helpers/harness/node.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('direct lanes with TLS');
const pair = makeCertificate();
const cert = fingerprintOf(pair.cert);
const content = randomBytes(16 * 1024 * 1024 + 5);
const topics = new Topics();
const limits = resolveLimits();

async function startSecureNode(t: Scope, broker: string): Promise<ShoalNode> {
	const node = await ShoalNode.start({ broker, cert, lane: 'direct' });
	t.defer(() => node.close());
	return node;
}

/** A listener with TLS behind a relay, and a function that dials it through the relay. */
async function startRelayed(t: Scope) {
	const [near, far] = [makeNodeId(), makeNodeId()];
	const got: Buffer[] = [];
	const tickets: string[] = [];
	const listener = await Listener.start({
		...{ id: far, host: '127.0.0.1', port: 0, topics, limits, tls: pair },
		admit: (_from, ticket) => tickets.push(ticket),
		onMessage: ({ payload }) => got.push(Buffer.from(payload)),
	});
	t.defer(() => listener.close());
	const relay = await startRelay(t, listener.address.port);
	const aborting = new AbortController();
	t.defer(() => aborting.abort());
	const reach = (scheme: string, expected: string | undefined) =>
		dial({
			...{ id: near, node: far, cert: expected, ticket: 'any', topics, keepalive: 30 },
			addresses: [`${scheme}://127.0.0.1:${relay.port}`],
			onMessage: () => {},
			onClosed: () => {},
			signal: aborting.signal,
		});
	return { near, far, got, tickets, relay, reach };
}

test('nodes with an encrypted broker announce mqtts: addresses, and transfer a file on a direct lane', async (t) => {
	const { url } = await startBroker(t, { tls: pair });
	const seeder = await startSecureNode(t, url);
	const { seed } = await seeder.share(await makeFile(t, content));
	const getter = await startSecureNode(t, url);
	const output = join(await makeFolder(t), 'copy');
	const { sources } = await getter.get(seed.id, { output });
	assert.ok((await readFile(output)).equals(content));
	assert.equal(
		sources.map(({ node, lane, bytes }) => [node, lane, bytes]),
		[[seeder.id, 'direct', content.length]],
	);
	const { nodes } = await getter.who(seed.id);
	const listing = nodes.find(({ node }) => node === seeder.id);
	assert.ok(
		listing?.addresses.length && listing.addresses.every((at) => at.startsWith('mqtts://')),
	);
	assert.match(listing.cert ?? '', /^[0-9a-f]{64}$/);
	assert.is.not(listing.cert, cert, 'each process has its own certificate');
});

test('a file is transferred if Node.js does not read TLS into the buffers of others', async (t) => {
	withoutUserBuffers(t);
	const { url } = await startBroker(t, { tls: pair });
	const seeder = await startSecureNode(t, url);
	const { seed } = await seeder.share(await makeFile(t, content));
	const getter = await startSecureNode(t, url);
	const output = join(await makeFolder(t), 'copy');
	await getter.get(seed.id, { output });
	assert.ok((await readFile(output)).equals(content));
});

/** Takes from TLS sockets, until the test ends, what only Node.js itself is meant to use. */
function withoutUserBuffers(t: Scope): void {
	const { _handle: handle } = new TLSSocket(new Socket()) as unknown as { _handle: object };
	const methods = Object.getPrototypeOf(handle) as { useUserBuffer: unknown };
	assert.ok(Object.hasOwn(methods, 'useUserBuffer'));
	const { useUserBuffer } = methods;
	methods.useUserBuffer = undefined;
	t.defer(() => {
		methods.useUserBuffer = useUserBuffer;
	});
}

test('T17: the bytes of a direct lane show neither names nor topics nor chunks', async (t) => {
	const { near, far, got, relay, reach } = await startRelayed(t);
	const lane = await reach('mqtts', cert);
	t.defer(() => lane.close());
	const marker = randomBytes(100_000);
	lane.send(topics.request(far, near), Buffer.from('a name'));
	lane.send(topics.chunk(far, near), marker);
	await until('it is there', () => got.some((bytes) => bytes.equals(marker)));
	const all = Buffer.concat(relay.seen);
	assert.ok(all.length > marker.length);
	for (const secret of [marker.subarray(0, 32), 'a name', 'shoal/1', near]) {
		assert.not.ok(all.includes(secret));
	}
});

test('T22: no direct lane is opened with another certificate, without a fingerprint, or without TLS', async (t) => {
	const { tickets, relay, reach } = await startRelayed(t);
	for (const expected of [fingerprintOf(makeCertificate().cert), undefined]) {
		const failed = await reach('mqtts', expected).then(
			() => false,
			() => true,
		);
		assert.ok(failed);
	}
	assert.ok(
		await reach('mqtt', undefined).then(
			() => false,
			() => true,
		),
	);
	assert.ok(relay.seen.length > 0);
	assert.equal(tickets, []);
});

test('T22: a node with an encrypted broker dials no address without TLS', async (t) => {
	let knocks = 0;
	const server = createServer((socket) => {
		knocks += 1;
		socket.destroy();
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	t.defer(() => new Promise<void>((resolve) => server.close(() => resolve())));
	const { port } = server.address() as { port: number };
	const knocksBeside = async (tls: typeof pair | undefined): Promise<number> => {
		const { url } = await startBroker(t, { tls });
		const openStream = brokerStream(url, tls && cert);
		const link = await Link.open({ url, id: makeNodeId(), openStream });
		t.defer(() => link.close());
		const lanes = new Lanes({
			link,
			topics,
			limits,
			kind: 'auto',
			dial,
			onMessage: () => {},
			warn: () => {},
		});
		const before = knocks;
		const addresses = [`mqtt://127.0.0.1:${port}`];
		const route = { addresses, verified: 1, ticket: 'any' };
		await lanes.reach(makeNodeId(), route);
		if (tls !== undefined) {
			await lanes.reach(makeNodeId(), { ...route, cert });
		}
		return knocks - before;
	};
	assert.is(await knocksBeside(pair), 0);
	assert.ok((await knocksBeside(undefined)) > 0);
});

test.run();
