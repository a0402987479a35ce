import { randomBytes } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { Tracker } from '../../broker/index.ts';
import { ShoalNode, type ShoalNodeOptions } from '../../node/index.ts';
import { startRelay } from '../helpers/adversaries/relay.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { listed, makeFile } from '../helpers/harness/node.ts';
import { startPlainBroker } from '../helpers/harness/plain-broker.ts';
import { rejects } from '../helpers/harness/rejects.ts';
import { sha256 } from '../helpers/harness/shoal.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('a node with a list of brokers');
/** Nothing listens on this port. */
const NOWHERE = 'mqtt://127.0.0.1:9';

/** A server at `port` that accepts connections, and sends nothing. */
async function startSilentServer(t: Scope, port: number): Promise<{ connections: number }> {
	const seen = { connections: 0 };
	const sockets: Socket[] = [];
	const server = createServer((socket) => {
		seen.connections += 1;
		sockets.push(socket.on('error', () => {}));
	});
	await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
	t.defer(async () => {
		for (const socket of sockets) {
			socket.destroy();
		}
		await new Promise((resolve) => server.close(resolve));
	});
	return seen;
}

async function start(t: Scope, options: ShoalNodeOptions): Promise<ShoalNode> {
	const node = await ShoalNode.start(options);
	t.defer(() => node.close());
	return node;
}

/** Two relays to one broker: two servers of the same cluster. */
async function twoServers(t: Scope, port: number) {
	const relays = [await startRelay(t, port), await startRelay(t, port)] as const;
	return { relays, list: relays.map((relay) => `mqtt://127.0.0.1:${relay.port}`) };
}

test('the first broker that answers is used, and all are known', async (t) => {
	const { url } = await startBroker(t);
	const list = [NOWHERE, url, url.replace('mqtt:', 'MQTT:')];
	const node = await start(t, { broker: list });
	assert.equal([node.broker, node.brokers], [url, [NOWHERE, url]]);
});

test('a token of one broker is not sent to another', async (t) => {
	const tokens = { node: 'n'.repeat(32), watch: 'w'.repeat(32) };
	const closed = await startBroker(t, { tokens });
	const relay = await startRelay(t, (await startPlainBroker(t)).port);
	const other = `mqtt://127.0.0.1:${relay.port}`;
	const node = await start(t, { broker: [other, { url: closed.url, token: tokens.node }] });
	assert.is(node.broker, other);
	assert.not.match(Buffer.concat(relay.seen).toString('latin1'), tokens.node);
	await relay.stop();
	await until('it is at the other', () => node.broker === closed.url && node.stats().isConnected);
});

test('a transfer goes on at the second broker when the first ends', async (t) => {
	const broker = await startBroker(t);
	const path = await makeFile(t, randomBytes(6_000_000));
	const { relays, list } = await twoServers(t, broker.port);
	const seeder = await start(t, { broker: list, lane: 'broker' });
	const { seed } = await seeder.share(path);
	const getter = await start(t, { broker: list, lane: 'broker', maxDown: 3_000_000 });
	const output = join(await makeFolder(t), 'copy.bin');
	let isCut = false;
	const result = await getter.get(seed, {
		output,
		onProgress: ({ have, length }) => {
			if (!isCut && have > 0 && have < length) {
				isCut = true;
				void relays[0].stop();
			}
		},
	});
	assert.ok(isCut, 'the first broker was lost in mid-transfer');
	assert.is(await sha256(result.path), await sha256(path));
	assert.equal([seeder.broker, getter.broker], [list[1], list[1]]);
	assert.is((await listed(getter)).length, 1);
});

test('a tracker goes on at the second broker when the first ends', async (t) => {
	const plain = await startPlainBroker(t);
	const { relays, list } = await twoServers(t, plain.port);
	const tracker = await Tracker.start({ url: [NOWHERE, ...list], isAlone: true });
	t.defer(() => tracker.close());
	const node = await start(t, { broker: plain.url });
	await node.share(await makeFile(t, 'shared'));
	const ready = new Promise((resolve) => tracker.on('ready', resolve));
	await relays[0].stop();
	await ready;
	await until('the node sees it', () => node.stats().hasTracker);
	assert.is((await listed(node)).length, 1);
});

test('a tracker that takes over stays on the broker that it stood by on', async (t) => {
	const { port, url } = await startPlainBroker(t);
	const relay = await startRelay(t, port);
	const list = [`mqtt://127.0.0.1:${relay.port}`, url];
	const active = await Tracker.start({ url, isAlone: true });
	t.defer(() => active.close());
	const standby = await Tracker.start({ url: list, probe: 300 });
	t.defer(() => standby.close());
	assert.is(standby.broker, list[0]);
	await relay.stop();
	await until('it is on the second broker', () => standby.broker === url);
	// A server that accepts connections and answers nothing would cost two seconds.
	const silent = await startSilentServer(t, relay.port);
	await active.close();
	await until('it has taken over', () => standby.isReady);
	assert.equal([standby.broker, silent.connections], [url, 0]);
});

test('a list that cannot be used is an error', async () => {
	const fails = async (broker: ShoalNodeOptions['broker']) =>
		(await rejects(ShoalNode.start({ broker }))).code;
	assert.is(await fails([]), 'ERR_USAGE');
	assert.is(await fails(['mqtts://127.0.0.2', 'mqtt://192.0.2.1']), 'ERR_USAGE');
	assert.is(await fails(['mqtt://127.0.0.1', 'nonsense']), 'ERR_LINK');
	assert.is((await rejects(Tracker.start({ url: [] }))).code, 'ERR_USAGE');
});

test.run();
