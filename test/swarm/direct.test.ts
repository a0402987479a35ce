import { randomBytes } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { ShoalNode } from '../../node/index.ts';
import { decodeNodeState, Link, makeNodeId, type NodeState } from '../../protocol/index.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { makeFile, startNode } from '../helpers/harness/node.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('direct lanes');
const MIB = 1024 * 1024;
const content = randomBytes(16 * MIB + 5);

async function get(t: Scope, node: ShoalNode, id: string) {
	const output = join(await makeFolder(t), 'copy');
	const result = await node.get(id, { output });
	assert.ok((await readFile(output)).equals(content));
	return result;
}

test('nodes that reach each other send no chunks through the broker', async (t) => {
	const broker = await startBroker(t);
	const seeder = await startNode(t, broker.url);
	const { seed } = await seeder.share(await makeFile(t, content));
	const { sources } = await get(t, await startNode(t, broker.url), seed.id);
	assert.equal(
		sources.map(({ node, lane, bytes }) => [node, lane, bytes]),
		[[seeder.id, 'direct', content.length]],
	);
	// Requests without an answer for seconds are sent again.
	const twice = seeder.sent.total - seed.body().length - content.length;
	assert.ok(twice < content.length / 2, `${twice} bytes twice`);
});

test('the state of a node has its bytes per lane and its sources, and the progress the number of sources per lane', async (t) => {
	const { url } = await startBroker(t);
	const seeder = await startNode(t, url, { maxUp: 6 * MIB });
	const { seed } = await seeder.share(await makeFile(t, content));
	const watcher = await Link.open({ url, id: makeNodeId() });
	t.defer(() => watcher.close());
	const states = new Map<string, NodeState>();
	const peerTraffic = new Set<string>();
	watcher.on('message', ({ topic, payload }) => {
		if (payload.length > 0) {
			const state = decodeNodeState(payload);
			states.set(topic, state);
			for (const { node: from, lane } of state.sources ?? []) {
				peerTraffic.add(`${topic} ${from} ${lane}`);
			}
		}
	});
	await watcher.subscribe('shoal/1/node/+/state');
	const seen: unknown[] = [];
	const output = join(await makeFolder(t), 'copy');
	const getOnce = async (): Promise<ShoalNode> => {
		const getter = await startNode(t, url);
		await getter.get(seed.id, { output, onProgress: ({ lanes }) => seen.push(lanes) });
		return getter;
	};
	let node = await getOnce();
	// States are published every two seconds. On a busy machine no transfer may run at these times.
	while (peerTraffic.size === 0) {
		await node.close();
		await rm(output);
		node = await getOnce();
	}
	assert.equal(seen.at(-1), { direct: 1, broker: 0 });
	const lanesOf = (id: string) => states.get(`shoal/1/node/${id}/state`)?.lanes;
	await until('both states have all bytes', () => {
		const received = lanesOf(node.id)?.direct.received;
		return (
			(received ?? 0) >= content.length && (lanesOf(seeder.id)?.direct.sent ?? 0) >= content.length
		);
	});
	assert.is(lanesOf(node.id)?.broker.received, 0);
	assert.ok(
		[...peerTraffic].every((feed) => feed.endsWith(` ${seeder.id} direct`)),
		[...peerTraffic].join(),
	);
	const isAtRest = () => states.get(`shoal/1/node/${node.id}/state`)?.sources === undefined;
	await until('the state has no sources any more', isAtRest);
});

test('a node that does not listen, or has --lane broker, gets its chunks through the broker', async (t) => {
	const { url } = await startBroker(t);
	const shy = await startNode(t, url, { listen: false });
	const { seed } = await shy.share(await makeFile(t, content));
	for (const options of [{ listen: false } as const, { lane: 'broker' } as const]) {
		const { sources } = await get(t, await startNode(t, url, options), seed.id);
		assert.ok(sources.some(({ lane }) => lane === 'broker'));
	}
});

test('with the lane direct no chunk comes through the broker', async (t) => {
	const { url } = await startBroker(t);
	const seeder = await startNode(t, url);
	const { seed } = await seeder.share(await makeFile(t, content));
	const { sources } = await get(t, await startNode(t, url, { lane: 'direct' }), seed.id);
	assert.equal(
		sources.map(({ lane }) => lane),
		['direct'],
	);
});

test('several downloaders exchange chunks on direct lanes, and each completes', async (t) => {
	const { url } = await startBroker(t);
	const seeder = await startNode(t, url, { maxUp: 10_000_000 });
	const { seed } = await seeder.share(await makeFile(t, content));
	const nodes = await Promise.all(Array.from({ length: 4 }, () => startNode(t, url)));
	const results = await Promise.all(nodes.map((node) => get(t, node, seed.id)));
	const exchanged = results.flatMap(({ sources }) =>
		sources.filter(({ node }) => node !== seeder.id),
	);
	assert.ok(exchanged.length > 0, 'the downloaders exchange chunks');
	const copies = seeder.sent.total / content.length;
	assert.ok(copies < 3, `${copies} copies of four`);
});

test.run();
