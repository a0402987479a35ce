import * as assert from 'uvu/assert';
import { Tracker } from '../../../broker/index.ts';
import { MOST_PEERS } from '../../../node/peers/peer-slots.ts';
import type { HaveReply } from '../../../node/peers/peer-types.ts';
import { Peers } from '../../../node/peers/peers.ts';
import { decodeReply, encodeJson, makeNodeId } from '../../../protocol/index.ts';
import { fakeListener } from '../../helpers/adversaries/fake-listener.ts';
import { Peer, topics } from '../../helpers/adversaries/peer.ts';
import { announce } from '../../helpers/fixtures/registry.ts';
import { contentOf, seedOf } from '../../helpers/fixtures/seeds.ts';
import { startBroker } from '../../helpers/harness/broker.ts';
import { jumpingClock } from '../../helpers/harness/clock.ts';
import { openContext } from '../../helpers/harness/context.ts';
import { startNode } from '../../helpers/harness/node.ts';
import { nothingLeftOpen, openResources } from '../../helpers/harness/open-resources.ts';
import { startPlainBroker } from '../../helpers/harness/plain-broker.ts';
import { rejects } from '../../helpers/harness/rejects.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('Peers');
const content = contentOf(2_000);
const seed = seedOf(content);

/** Starts `count` peers that announce {@link seed}, and prepares a `Peers` for it. */
async function start(t: Scope, count: number, options: Parameters<typeof startBroker>[1] = {}) {
	const { url } = await startBroker(t, options);
	const peers: Peer[] = [];
	for (let index = 0; index < count; index += 1) {
		const peer = await Peer.join(t, url);
		peer.serve(seed, { content });
		await peer.announce(seed);
		peers.push(peer);
	}
	const has: string[] = [];
	const gone: string[] = [];
	const listed: number[] = [];
	let sources: Peers | undefined;
	const context = await openContext(t, url, {
		onMessage: (topic, payload) => {
			if (topic.kind === 'reply') {
				const reply = decodeReply(payload);
				if (reply.op === 'have') {
					sources?.onHave(topic.from, reply);
				}
			}
		},
	});
	const begin = (): Peers => {
		sources = new Peers(context, seed.id, {
			has: (node) => has.push(node),
			gone: (node) => gone.push(node),
			listed: (nodes) => listed.push(nodes),
		});
		t.defer(() => sources?.close());
		return sources;
	};
	return { url, context, peers, has, gone, listed, begin };
}

const someHave: HaveReply = {
	op: 'have',
	id: '0'.repeat(16),
	seed: seed.id,
	name: 'x',
	length: 1,
	chunks: 1,
	kind: 'sha256',
	have: 'all',
};

test('the nodes that the tracker lists are asked, and become peers when they answer', async (t) => {
	const { peers, has, listed, begin } = await start(t, 3);
	const [silent] = peers as [Peer];
	silent.onRequest = () => {};
	begin();
	await until('two nodes have answered', () => has.length === 2);
	assert.equal(has.sort(), [peers[1]?.id, peers[2]?.id].sort());
	assert.equal(
		silent.requests.map(({ request }) => request.op),
		['have'],
	);
	assert.equal(listed, [3]);
});

test('a node never asks itself', async (t) => {
	const { context, listed, begin } = await start(t, 0);
	const { link, topics } = context;
	const peer = await Peer.join(t, link.url);
	await peer.announce(seed);
	const { length, chunks } = seed;
	const own = announce(link.session, { length, chunks }, chunks);
	await link.retain(topics.announce(seed.id, link.id), encodeJson(own));
	begin();
	await until('the tracker has answered', () => listed.length > 0);
	assert.equal(listed, [1]);
});

test('after close, no node becomes a peer, and no answer takes a download slot', async (t) => {
	const { peers, has, begin } = await start(t, 1);
	const [peer] = peers as [Peer];
	peer.onRequest = () => {};
	const closed = begin();
	await until('the peer is asked', () => peer.requests.length === 1);
	closed.close();
	assert.is(closed.onHave(peer.id, someHave), false, 'its answer was on its way');
	closed.asked('another-node');
	assert.is(closed.onHave('another-node', someHave), false);
	assert.equal([has, closed.isWaiting], [[], false]);
});

test('peers that are not in a sample of the tracker stay peers, however small the sample is', async (t) => {
	const limits = { queryAll: 2, querySample: 2 };
	const { peers, has, gone, listed, begin } = await start(t, 6, { limits });
	const sources = begin();
	for (const { id } of peers) {
		sources.consider(id);
	}
	await until('all nodes have answered', () => new Set(has).size === 6);
	// After 1.5 s without a message, a node that is not listed would be removed.
	const since = performance.now();
	const before = listed.length;
	await until('the tracker was asked twice', () => {
		return performance.now() - since > 2_000 && listed.length > before + 1;
	});
	assert.equal(gone, []);
});

test('T30: complete peers that send only useless bytes give their slots to a node that sends others', async (t) => {
	const { peers, has, begin } = await start(t, 11);
	const sources = begin();
	await until('ten peers have answered', () => new Set(has).size === 10);
	const useless = new Set(has);
	const other = peers.find(({ id }) => !useless.has(id)) as Peer;
	sources.askAll();
	// A peer that sends nothing for ten seconds gives way. These send something all the time.
	const timer = setInterval(() => {
		for (const id of useless) {
			sources.heard(id, false);
		}
	}, 100);
	t.defer(() => clearInterval(timer));
	await until('the other node is a peer', () => has.includes(other.id), 30_000);
});

test('an answer from a node that was not asked is ignored', async (t) => {
	const { has, begin } = await start(t, 0);
	assert.is(begin().onHave('a-stranger', someHave), false);
	assert.equal(has, []);
});

test('at most ten nodes are peers at a time', async (t) => {
	const { peers, has, begin } = await start(t, 14);
	begin();
	await until('ten have answered', () => has.length === 10);
	await new Promise((resolve) => setTimeout(resolve, 700));
	assert.is(has.length, 10);
	assert.is(peers.filter(({ requests }) => requests.length > 0).length, 10);
});

test('the removal of a peer is reported once, and the node becomes a peer again if it is still listed', async (t) => {
	const { peers, has, gone, begin } = await start(t, 1);
	const sources = begin();
	const [{ id }] = peers as [Peer];
	await until('it has answered', () => has.length === 1);
	sources.remove(id, false);
	sources.remove(id, false);
	assert.equal(gone, [id]);
	await until('it has answered again', () => has.length === 2);
});

test('a banned node is not asked again, not counted, and its answers are ignored', async (t) => {
	const { peers, has, gone, listed, begin } = await start(t, 1);
	const sources = begin();
	const [peer] = peers as [Peer];
	await until('it has answered', () => has.length === 1);
	sources.remove(peer.id, true);
	assert.equal(gone, [peer.id]);
	await until('the tracker is asked again', () => listed.length === 2);
	assert.equal(listed, [1, 0]);
	assert.is(sources.onHave(peer.id, someHave), false);
	assert.is(peer.requests.length, 1);
});

test('askAll reports the known answers at once, and asks all peers again', async (t) => {
	const { peers, has, begin } = await start(t, 2);
	const sources = begin();
	await until('both have answered', () => has.length === 2);
	sources.askAll();
	assert.is(has.length, 4, 'the known answers are reported at once');
	await until('both have answered again', () => has.length === 6);
	assert.ok(peers.every(({ requests }) => requests.length === 2));
});

test('the only complete node keeps its slot although ten others answer sooner', async (t) => {
	const { url, peers, has, gone, listed, begin } = await start(t, 1);
	const [seeder] = peers as [Peer];
	const answer = seeder.onRequest;
	seeder.onRequest = () => {};
	for (let index = 0; index < 14; index += 1) {
		const peer = await Peer.join(t, url);
		peer.serve(seed, { content, about: { have: { first: 0, bits: 'AA==' } } });
		await peer.announce(seed, { have: 0 });
	}
	begin();
	await until('all others with a slot have answered', () => has.length >= 9);
	await until('the seeder was asked', () => seeder.requests.length > 0);
	// After a quarter of a second, a node without an answer would give way to a node that is listed.
	await new Promise((resolve) => setTimeout(resolve, 500));
	const before = listed.length;
	await until('the tracker is asked again', () => listed.length > before);
	assert.not(gone.includes(seeder.id));
	seeder.onRequest = answer;
	await until('the seeder has answered', () => has.includes(seeder.id));
});

test('T30: nodes that do not answer lose their slots to other nodes', async (t) => {
	const { peers, has, begin } = await start(t, 14);
	const honest = peers.slice(12);
	for (const peer of peers.slice(0, 12)) {
		peer.onRequest = () => {};
	}
	begin();
	await until('both honest nodes are peers', () => honest.every(({ id }) => has.includes(id)));
});

test('T30: askAll first reports the answers of nodes that have delivered', async (t) => {
	const { context, peers, has, begin } = await start(t, 4);
	const sources = begin();
	await until('all have answered', () => has.length === 4);
	const last = has.at(-1) as string;
	context.responsiveness.delivered(last);
	sources.askAll();
	assert.is(has[4], last);
	assert.is(peers.length, 4);
});

test('the tracker is asked again as soon as it lists this node', async (t) => {
	const { context, listed, begin } = await start(t, 1);
	const sources = begin();
	await until('the tracker has answered', () => listed.length === 1);
	let queries = 0;
	const ask = context.tracker.ask.bind(context.tracker);
	context.tracker.ask = ((...args: Parameters<typeof ask>) => {
		queries += 1;
		return ask(...args);
	}) as typeof ask;
	sources.announced();
	assert.is(queries, 1);
});

test('a peer that is reached on another lane is asked again, on that lane', async (t) => {
	const { context, peers, has, begin } = await start(t, 2);
	const [peer, other] = peers as [Peer, Peer];
	begin();
	await until('both have answered', () => has.length === 2);
	const { listener, join } = fakeListener();
	context.lanes.listen(listener);
	assert.equal(join(peer.id), [topics.request(peer.id, context.id)]);
	assert.equal(join('a-stranger'), []);
	const about = { op: 'have', id: '1'.repeat(16), seed: seed.id };
	context.link.send(topics.request(other.id, context.id), encodeJson(about));
	await until('a later request has arrived', () => other.requests.length > 1);
	assert.is(other.requests.length, 2, 'and the lane to the other one has not changed');
});

test('a node that joins later is found while there are no peers', async (t) => {
	const { url, has, begin } = await start(t, 0);
	begin();
	const peer = await Peer.join(t, url);
	peer.serve(seed, { content });
	await peer.announce(seed);
	await until('it has answered', () => has.length === 1);
});

test('after close no node is asked, and no timer is left', async (t) => {
	const { peers, begin } = await start(t, 1);
	const before = openResources();
	begin().close();
	await nothingLeftOpen(before);
	await new Promise((resolve) => setTimeout(resolve, 100));
	assert.equal(peers[0]?.requests, []);
});

test('a download that begins before the tracker starts queries the tracker as soon as it is ready', async (t) => {
	const { url } = await startPlainBroker(t);
	const node = await startNode(t, url, { listen: false });
	// As long as nothing was heard, `Peers` counts silence from time 0, the start of the process.
	await until('the clock is past the first seconds', () => performance.now() > 2_000);
	const getting = rejects(node.get(seed.id, { wait: true }));
	const tracker = await Tracker.start({ url, isAlone: true });
	t.defer(() => tracker.close());
	await until('the tracker is queried', () => tracker.stats().requests.query > 0, 1_000);
	await node.close();
	await getting;
});

test('while no bytes are requested, no peer counts as idle, and none loses its slot', async (t) => {
	const { gone, begin } = await start(t, 0);
	const clock = jumpingClock(t);
	const sources = begin();
	const consider = (): void => sources.consider(makeNodeId(), { isComplete: true });
	for (let slot = 0; slot < MOST_PEERS; slot += 1) {
		consider();
	}
	sources.requesting(true);
	sources.requesting(false);
	clock.advance(60_000);
	consider();
	assert.equal(gone, [], 'nothing was requested');
	sources.requesting(true);
	clock.advance(9_000);
	sources.requesting(true);
	consider();
	assert.equal(gone, []);
	clock.advance(1_000);
	consider();
	assert.is(gone.length, 1, 'ten seconds after the first request');
});

test.run();
