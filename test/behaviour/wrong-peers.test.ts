import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { encodeJson } from '../../protocol/index.ts';
import { Peer, topics } from '../helpers/adversaries/peer.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { state } from '../helpers/fixtures/registry.ts';
import { contentOf, seedOf } from '../helpers/fixtures/seeds.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { makeFile, startNode } from '../helpers/harness/node.ts';
import { startPlainBroker } from '../helpers/harness/plain-broker.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('addresses at which a node is not reached');
const content = contentOf(1_000_000);
const seed = seedOf(content, { chunkSize: 262_144 });

/** The most dials in `ms`: one at the start, one 5 s later, and then after twice the pause each. */
function mostDials(ms: number): number {
	let dials = 1;
	for (let [at, pause] = [0, 5_000]; at + pause <= ms; pause *= 2) {
		at += pause;
		dials += 1;
	}
	return dials;
}

/** Makes `server` listen on loopback, and counts its connections. */
async function listenAt(t: Scope, server: Server) {
	const seen = { port: 0, connections: 0 };
	server.on('connection', (socket) => {
		seen.connections += 1;
		t.defer(() => socket.destroy());
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	t.defer(() => server.close());
	seen.port = (server.address() as AddressInfo).port;
	return seen;
}

/** A node that is reached only through the broker, but announces `port`. It answers slowly. */
async function startElsewhere(t: Scope, url: string, port: number): Promise<Peer> {
	const peer = await Peer.join(t, url);
	peer.serve(seed, { content });
	const { onRequest } = peer;
	peer.onRequest = (from, request) => setTimeout(() => onRequest(from, request), 200);
	const told = { ...state(peer.link.session), addresses: [`mqtt://127.0.0.1:${port}`] };
	await peer.link.retain(topics.nodeState(peer.id), encodeJson(told));
	await peer.announce(seed);
	return peer;
}

async function get(t: Scope, url: string, maxDown?: number) {
	const node = await startNode(t, url, { maxDown });
	const warnings: string[] = [];
	node.on('warning', (error) => {
		const { message } = error as Error;
		if (message.startsWith('no direct lane to node')) {
			warnings.push(message);
		}
	});
	const output = join(await makeFolder(t), 'copy');
	const start = performance.now();
	const { sources } = await node.get(seed.id, { output });
	return { sources, warnings, most: () => mostDials(performance.now() - start) };
}

function assertThroughBroker(sources: ReadonlyArray<{ node: string; lane: string }>, from: Peer) {
	assert.equal(
		sources.map(({ node, lane }) => [node, lane]),
		[[from.id, 'broker']],
	);
}

test('a server that accepts and never answers delays no download, which uses the broker', async (t) => {
	const { url } = await startBroker(t);
	const silent = await listenAt(t, createServer());
	const from = await startElsewhere(t, url, silent.port);
	const { sources, warnings, most } = await get(t, url);
	assertThroughBroker(sources, from);
	await until('it is dialled', () => silent.connections > 0);
	assert.ok(silent.connections <= most());
	assert.equal(warnings, [], 'no warning, as nobody has answered');
});

test('a server of another protocol causes a warning, and is dialled only a few times', async (t) => {
	const { url } = await startBroker(t);
	const web = await listenAt(
		t,
		createHttpServer((_request, response) => response.end('hello')),
	);
	const from = await startElsewhere(t, url, web.port);
	// The download takes six seconds, in which the address is dialled once more.
	const { sources, warnings, most } = await get(t, url, 170_000);
	assertThroughBroker(sources, from);
	await until('a warning', () => warnings.length > 0);
	assert.ok(web.connections <= most());
	assert.ok(warnings.length <= most(), warnings.join('\n'));
});

test('the listener of another node refuses a ticket that is not for this node', async (t) => {
	const { url } = await startBroker(t);
	const other = await startNode(t, url);
	const { seed: others } = await other.share(await makeFile(t, 'of another node'));
	const [listing] = (await other.who(others.id)).nodes;
	const port = Number(new URL(listing?.addresses[0] as string).port);
	let refused = 0;
	other.on('warning', () => {
		refused += 1;
	});
	const from = await startElsewhere(t, url, port);
	const { sources, warnings, most } = await get(t, url);
	assertThroughBroker(sources, from);
	await until('both nodes have warned', () => refused > 0 && warnings.length > 0);
	// Each refusal is two warnings: one for the ticket, and one for the end of the connection.
	assert.ok(refused <= 2 * most(), `${refused} refused`);
	assert.ok(warnings.length <= most());
});

test('a broker that accepts everybody at the address of a node is left, with a warning', async (t) => {
	const { url } = await startBroker(t);
	const open = await startPlainBroker(t);
	const from = await startElsewhere(t, url, Number(new URL(open.url).port));
	const { sources, warnings, most } = await get(t, url);
	assertThroughBroker(sources, from);
	await until('a warning', () => warnings.length > 0);
	assert.ok(warnings.length <= most(), `${warnings.length} warnings`);
});

test('an address where nobody listens causes no warning', async (t) => {
	const { url } = await startBroker(t);
	const silent = createServer();
	const { port } = await listenAt(t, silent);
	await new Promise<void>((resolve) => silent.close(() => resolve()));
	const from = await startElsewhere(t, url, port);
	const { sources, warnings } = await get(t, url);
	assertThroughBroker(sources, from);
	assert.equal(warnings, []);
});

test.run();
