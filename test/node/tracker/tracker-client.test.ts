import * as assert from 'uvu/assert';
import { TrackerClient } from '../../../node/tracker/tracker-client.ts';
import { encodeJson, formatRequestId, Link, makeNodeId } from '../../../protocol/index.ts';
import { Peer, topics } from '../../helpers/adversaries/peer.ts';
import { seedId } from '../../helpers/fixtures/registry.ts';
import { startBroker } from '../../helpers/harness/broker.ts';
import { openContext } from '../../helpers/harness/context.ts';
import { Member } from '../../helpers/harness/member.ts';
import { nothingLeftOpen, openResources } from '../../helpers/harness/open-resources.ts';
import { startPlainBroker } from '../../helpers/harness/plain-broker.ts';
import { rejects } from '../../helpers/harness/rejects.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('TrackerClient');

const stateOf = (state: 'ready' | 'lost', session: string, tracker = 'tracker-1') => {
	const numbers = { ttl: 90_000, renewal: 30_000, part: 262_144 };
	return encodeJson({ state, session, tracker, ...(state === 'ready' ? numbers : {}) });
};

/** Opens a client on a broker without a tracker: the test sends all messages itself. */
async function alone(t: Scope) {
	const { url } = await startPlainBroker(t);
	const link = await Link.open({ url, id: makeNodeId() });
	t.defer(() => link.close());
	const client = new TrackerClient(link, topics, 1_000);
	t.defer(() => client.close());
	return { link, client, url };
}

test('the client queries all seeds page by page, and the nodes of one seed', async (t) => {
	const { url } = await startBroker(t, { limits: { listPage: 3 } });
	const member = await Member.join(t, url);
	const ids = Array.from({ length: 8 }, (_, index) => seedId(index + 1));
	for (const id of ids) {
		await member.share(id);
	}
	const { tracker } = await openContext(t, url);
	const listed: string[] = [];
	for await (const { seed } of tracker.seeds()) {
		listed.push(seed);
	}
	assert.equal(listed, ids);
	const [after, next] = ids as [string, string];
	assert.is((await tracker.seeds(after).next()).value?.seed, next);
	assert.is((await rejects(tracker.seeds('no id').next())).code, 'ERR_ID');
	const { seeders, nodes } = await tracker.ask('query', { seed: seedId(3) });
	assert.is(seeders, 1);
	assert.equal(
		nodes.map(({ node }) => node),
		[member.id],
	);
	assert.equal((await tracker.ask('query', { seed: seedId(99) })).nodes, []);
});

test('concurrent queries each get their own answer', async (t) => {
	const { url } = await startBroker(t);
	const member = await Member.join(t, url);
	await member.share(seedId(7));
	const { tracker } = await openContext(t, url);
	const answers = await Promise.all(
		Array.from({ length: 50 }, (_, index) => tracker.ask('query', { seed: seedId(index) })),
	);
	assert.equal(
		answers.map(({ seeders }) => seeders),
		Array.from({ length: 50 }, (_, index) => (index === 7 ? 1 : 0)),
	);
});

test('onState returns true once for each session that becomes ready', async (t) => {
	const { client } = await alone(t);
	assert.is(client.state, undefined);
	assert.is(client.onState(stateOf('ready', 'session-a')), true);
	assert.is(client.onState(stateOf('ready', 'session-a')), false);
	assert.is(client.state?.session, 'session-a');
	assert.is(client.onState(stateOf('ready', 'session-b')), true);
	assert.is(client.onState(stateOf('lost', 'session-b')), false);
	assert.is(client.state, undefined);
	assert.is(client.onState(stateOf('ready', 'session-b')), true);
});

test('a state lost from another session is ignored, and so is an empty message', async (t) => {
	const { client } = await alone(t);
	client.onState(stateOf('ready', 'session-b'));
	assert.is(client.onState(stateOf('lost', 'session-a')), false);
	assert.is(client.onState(new Uint8Array()), false);
	assert.is(client.state?.session, 'session-b');
	assert.throws(() => client.onState(new TextEncoder().encode('{}')));
	assert.is(client.state?.session, 'session-b');
});

test('an answer counts once, and only if it comes from the tracker and matches a request', async (t) => {
	const { client, link, url } = await alone(t);
	client.onState(stateOf('ready', 'session-a'));
	const spy = await Link.open({ url, id: makeNodeId() });
	t.defer(() => spy.close());
	let id = '';
	spy.on('message', ({ payload }) => {
		id = (JSON.parse(new TextDecoder().decode(payload)) as { id: string }).id;
	});
	await spy.subscribe(topics.trackerRequest(link.id));
	const asking = client.ask('query', { seed: seedId(1) });
	await until('the question', () => id !== '');
	const answer = (seeders: number) =>
		({ op: 'query', id, seeders, downloaders: 0, nodes: [] }) as const;
	client.onReply('a-stranger', answer(1));
	client.onReply('tracker-1', { ...answer(2), id: formatRequestId(1n) });
	client.onReply('tracker-1', { op: 'get_seed', id, seeds: [] });
	client.onReply('tracker-1', answer(3));
	client.onReply('tracker-1', answer(4));
	assert.is((await asking).seeders, 3);
});

test('another node cannot answer for the tracker', async (t) => {
	const { url } = await startBroker(t);
	const context = await openContext(t, url);
	const liar = await Peer.join(t, url);
	const id = formatRequestId(1n);
	const reply = { op: 'query', id, seeders: 9, downloaders: 9, nodes: [] };
	liar.link.send(topics.reply(context.id, liar.id), encodeJson(reply));
	assert.is((await context.tracker.ask('query', { seed: seedId(1) })).seeders, 0);
});

test('without a tracker a query is ERR_NO_TRACKER, and the message says how to start one', async (t) => {
	const { client } = await alone(t);
	const error = await rejects(client.ask('query', { seed: seedId(1) }));
	assert.is(error.code, 'ERR_NO_TRACKER');
	assert.match(error.message, 'shoal tracker');
});

test('a query without an answer is ERR_TIMEOUT after five seconds', async (t) => {
	const { client } = await alone(t);
	client.onState(stateOf('ready', 'session-a'));
	// Timers of one process run in the order of their times, even if they are late.
	const second = (wait: number) =>
		new Promise((resolve) => setTimeout(resolve, wait, `${wait} ms`));
	const sooner = second(4_900);
	const later = second(6_000);
	const asking = rejects(client.ask('query', { seed: seedId(1) })).then(({ code }) => code);
	assert.is(await Promise.race([asking, sooner]), '4900 ms');
	assert.is(await Promise.race([asking, later]), 'ERR_TIMEOUT');
});

test('a query without a connection fails at once', async (t) => {
	const { client, link } = await alone(t);
	client.onState(stateOf('ready', 'session-a'));
	link.drop();
	await until('it is down', () => !link.isUp);
	const error = await rejects(client.ask('query', { seed: seedId(1) }));
	assert.is(error.code, 'ERR_DISCONNECTED');
});

test('close ends waiting queries, and leaves no timer', async (t) => {
	const { client } = await alone(t);
	const before = openResources();
	const waiting = client.ready(60_000);
	client.onState(stateOf('ready', 'session-a'));
	assert.is(await waiting, true);
	const asking = rejects(client.ask('query', { seed: seedId(1) }));
	client.close();
	assert.is((await asking).code, 'ERR_CLOSED');
	await nothingLeftOpen(before);
});

test('ready waits for a tracker, but not for ever', async (t) => {
	const { client } = await alone(t);
	assert.is(await client.ready(20), false);
	const waiting = client.ready(60_000);
	client.close();
	assert.is(await waiting, false);
});

test.run();
