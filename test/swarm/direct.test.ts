import { randomBytes } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { ShoalNode } from '../../node/index.ts';
import { decodeNodeState, Link, makeNodeId, type NodeState } from '../../protocol/index.ts';
import { startBroker } from '../helpers/broker.ts';
import { makeFolder } from '../helpers/folder.ts';
import { makeFile, startNode } from '../helpers/node.ts';
import { type Scope, suite } from '../helpers/suite.ts';
import { until } from '../helpers/until.ts';

const test = suite('direct lanes', { timeout: 40_000 });
const MIB = 1024 * 1024;
const content = randomBytes(16 * MIB + 5);

/** Does something to every connection that is made to `port` from now on, each time it is called. */
function onSockets(t: Scope, port: number, act: (socket: Socket) => void): () => number {
	const sockets = new Set<Socket>();
	const keep = (message: unknown): void => {
		sockets.add((message as { socket: Socket }).socket);
	};
	subscribe('net.client.socket', keep);
	t.defer(() => void unsubscribe('net.client.socket', keep));
	return () => {
		const open = [...sockets].filter((socket) => {
			return !socket.destroyed && socket.remotePort === port;
		});
		for (const socket of open) {
			act(socket);
		}
		return open.length;
	};
}

async function get(t: Scope, node: ShoalNode, id: string) {
	const output = join(await makeFolder(t), 'copy');
	const result = await node.get(id, { output });
	assert.ok((await readFile(output)).equals(content));
	return result;
}

test('nodes that reach each other leave the broker out', async (t) => {
	const broker = await startBroker(t);
	const seeder = await startNode(t, broker.url);
	const { seed } = await seeder.share(await makeFile(t, content));
	const { sources } = await get(t, await startNode(t, broker.url), seed.id);
	assert.equal(
		sources.map(({ node, lane, bytes }) => [node, lane, bytes]),
		[[seeder.id, 'direct', content.length]],
	);
	assert.is(seeder.sent.total - seed.body().length, content.length, 'nothing was sent twice');
});

test('what went on which lane and who feeds it stands in the state of a node, how many sources are on which in the progress', async (t) => {
	const { url } = await startBroker(t);
	const seeder = await startNode(t, url, { maxUp: 8 * MIB });
	const { seed } = await seeder.share(await makeFile(t, content));
	const watcher = await Link.open({ url, id: makeNodeId() });
	t.defer(() => watcher.close());
	const states = new Map<string, NodeState>();
	const feeds = new Set<string>();
	watcher.on('message', ({ topic, payload }) => {
		if (payload.length > 0) {
			const state = decodeNodeState(payload);
			states.set(topic, state);
			for (const { node: from, lane } of state.sources ?? []) {
				feeds.add(`${topic} ${from} ${lane}`);
			}
		}
	});
	await watcher.subscribe('shoal/1/node/+/state');
	const node = await startNode(t, url);
	const seen: unknown[] = [];
	const output = join(await makeFolder(t), 'copy');
	await node.get(seed.id, { output, onProgress: ({ lanes }) => seen.push(lanes) });
	assert.equal(seen.at(-1), { direct: 1, broker: 0 });
	const lanesOf = (id: string) => states.get(`shoal/1/node/${id}/state`)?.lanes;
	await until('both have told', () => {
		const received = lanesOf(node.id)?.direct.received;
		return received === content.length && (lanesOf(seeder.id)?.direct.sent ?? 0) >= content.length;
	});
	assert.is(lanesOf(node.id)?.broker.received, 0);
	assert.equal([...feeds], [`shoal/1/node/${node.id}/state ${seeder.id} direct`]);
	const isAtRest = () => states.get(`shoal/1/node/${node.id}/state`)?.sources === undefined;
	await until('nobody feeds it any more', isAtRest);
});

test('who does not listen, or wants the broker lane only, is served through the broker', async (t) => {
	const { url } = await startBroker(t);
	const shy = await startNode(t, url, { listen: false });
	const { seed } = await shy.share(await makeFile(t, content));
	for (const options of [{ listen: false } as const, { lane: 'broker' } as const]) {
		const { sources } = await get(t, await startNode(t, url, options), seed.id);
		assert.ok(sources.some(({ lane }) => lane === 'broker'));
	}
});

test('a direct lane that is cut in the middle costs no chunk, and the download goes on', async (t) => {
	const { url } = await startBroker(t);
	const seeder = await startNode(t, url, { maxUp: 8_000_000 });
	const { seed } = await seeder.share(await makeFile(t, content));
	const node = await startNode(t, url);
	const [listing] = (await node.who(seed.id)).nodes;
	const port = Number(new URL(listing?.addresses[0] as string).port);
	const cut = onSockets(t, port, (socket) => socket.destroy());
	let cuts = 0;
	const output = join(await makeFolder(t), 'copy');
	const { sources } = await node.get(seed.id, {
		output,
		onProgress: ({ have }) => {
			if (have > (cuts + 1) * 4 * MIB && cuts < 3) {
				cuts += cut() > 0 ? 1 : 0;
			}
		},
	});
	assert.ok(cuts > 0);
	assert.ok((await readFile(output)).equals(content));
	const twice = seeder.sent.total - content.length;
	assert.ok(twice < cuts * 4 * MIB, `${twice} bytes twice`);
	assert.ok(sources.every(({ node: from }) => from === seeder.id));
	assert.ok(sources.some(({ lane }) => lane === 'direct'));
});

test('a direct lane that falls silent is left within a second or two, and found again', async (t) => {
	const { url } = await startBroker(t);
	const seeder = await startNode(t, url, { maxUp: 4_000_000 });
	const { seed } = await seeder.share(await makeFile(t, content));
	const node = await startNode(t, url);
	const [listing] = (await node.who(seed.id)).nodes;
	const port = Number(new URL(listing?.addresses[0] as string).port);
	const silence = onSockets(t, port, (socket) => socket.pause());
	let isSilent = false;
	let [have, since, stall] = [0, performance.now(), 0];
	const output = join(await makeFolder(t), 'copy');
	const { sources } = await node.get(seed.id, {
		output,
		onProgress: (progress) => {
			isSilent ||= progress.have > 4 * MIB && silence() > 0;
			if (progress.have > have) {
				stall = have === 0 ? 0 : Math.max(stall, performance.now() - since);
				[have, since] = [progress.have, performance.now()];
			}
		},
	});
	assert.ok(isSilent);
	assert.ok((await readFile(output)).equals(content));
	assert.ok(stall < 3_000, `nothing for ${stall} ms`);
	const byLane = new Map(sources.map(({ lane, bytes }) => [lane, bytes]));
	assert.ok((byLane.get('broker') ?? 0) > 0, 'it went on through the broker');
	assert.ok((byLane.get('direct') ?? 0) > 6 * MIB, 'and came back');
});

test('a broker that is away does not stop what comes straight', async (t) => {
	const broker = await startBroker(t);
	const seeder = await startNode(t, broker.url, { maxUp: 8_000_000 });
	const { seed } = await seeder.share(await makeFile(t, content));
	const node = await startNode(t, broker.url);
	let closing: Promise<void> | undefined;
	const output = join(await makeFolder(t), 'copy');
	const { sources } = await node.get(seed.id, {
		output,
		onProgress: ({ have }) => {
			if (have > 4 * MIB) {
				closing ??= broker.close();
			}
		},
	});
	await closing;
	assert.ok(closing !== undefined);
	assert.ok((await readFile(output)).equals(content));
	assert.equal([...new Set(sources.map(({ lane }) => lane))], ['direct']);
});

test('with --lane direct nothing comes through the broker', async (t) => {
	const { url } = await startBroker(t);
	const seeder = await startNode(t, url);
	const { seed } = await seeder.share(await makeFile(t, content));
	const { sources } = await get(t, await startNode(t, url, { lane: 'direct' }), seed.id);
	assert.equal(
		sources.map(({ lane }) => lane),
		['direct'],
	);
});

test('several get from each other straight, each all of it', async (t) => {
	const { url } = await startBroker(t);
	const seeder = await startNode(t, url, { maxUp: 10_000_000 });
	const { seed } = await seeder.share(await makeFile(t, content));
	const nodes = await Promise.all(Array.from({ length: 4 }, () => startNode(t, url)));
	const results = await Promise.all(nodes.map((node) => get(t, node, seed.id)));
	const exchanged = results.flatMap(({ sources }) =>
		sources.filter(({ node }) => node !== seeder.id),
	);
	assert.ok(exchanged.length > 0, 'they give each other chunks');
	const copies = seeder.sent.total / content.length;
	assert.ok(copies < 3, `${copies} copies of four`);
});

test.run();
