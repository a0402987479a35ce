import * as assert from 'uvu/assert';
import { Tracker } from '../../../broker/index.ts';
import type { ShoalNode } from '../../../node/index.ts';
import { MemoryStorage } from '../../../node/storage/memory-storage.ts';
import { Announcer } from '../../../node/tracker/announcer.ts';
import {
	Bitfield,
	decodeAnnounce,
	decodeNodeState,
	type Incoming,
	type Limits,
	Link,
	makeNodeId,
	type NodeListing,
} from '../../../protocol/index.ts';
import { topics } from '../../helpers/adversaries/peer.ts';
import { contentOf, seedOf } from '../../helpers/fixtures/seeds.ts';
import { startBroker } from '../../helpers/harness/broker.ts';
import { openContext } from '../../helpers/harness/context.ts';
import { Member, retainedBelow } from '../../helpers/harness/member.ts';
import { makeFile, startNode } from '../../helpers/harness/node.ts';
import { startPlainBroker } from '../../helpers/harness/plain-broker.ts';
import { rejects } from '../../helpers/harness/rejects.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('announcer');
/**
 * A ttl that ends soon, and a renewal short enough that a node that is blocked for seconds still
 * renews in time.
 */
const SHORT = { ttl: 4_500, renewal: 500 };
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Collects all messages on the control topics from now on. */
async function watch(t: Scope, url: string): Promise<Incoming[]> {
	const seen: Incoming[] = [];
	const link = await Link.open({ url, id: makeNodeId() });
	t.defer(() => link.close());
	link.on('message', (message) => seen.push(message));
	for (const filter of topics.stateFilters()) {
		await link.subscribe(filter);
	}
	return seen;
}

async function shareAll(t: Scope, node: ShoalNode, count: number): Promise<string[]> {
	const ids: string[] = [];
	for (let index = 0; index < count; index += 1) {
		const share = await node.share(await makeFile(t, contentOf(index)));
		ids.push(share.seed.id);
	}
	return ids.sort();
}

/** The parts of a node with `count` contents, and its announcer, which has not joined yet. */
async function inside(t: Scope, url: string, count: number, limits: Partial<Limits> = {}) {
	const context = await openContext(t, url, { limits });
	const refused: string[] = [];
	let looks = 0;
	const tracker = new Proxy(context.tracker, {
		get: (target, key) => {
			looks += 1;
			const value: unknown = Reflect.get(target, key, target);
			return typeof value === 'function' ? value.bind(target) : value;
		},
	});
	const announcer = new Announcer({
		...context,
		tracker,
		addresses: () => ({ addresses: [] }),
		refused: (seeds) => refused.push(...seeds),
	});
	const contents = Array.from({ length: count }, (_, index) => {
		const seed = seedOf(contentOf(1_000 + index));
		const storage = new MemoryStorage(seed.length);
		const content = { seed, have: Bitfield.full(seed.chunks), storage };
		context.contents.add(content);
		return content;
	});
	/**
	 * `looks`: how often the announcer has read the tracker. Each of its repeated actions begins
	 * with that.
	 */
	return { context, presence: announcer, holdings: contents, refused, looks: () => looks };
}

const announcesOf = (seen: readonly Incoming[]): Incoming[] =>
	seen.filter(({ topic, payload }) => payload.length > 0 && topic.includes('/announce/'));

test('the broker retains the state and the announces of a node, and their fields are right', async (t) => {
	const { url } = await startBroker(t);
	const node = await startNode(t, url);
	const before = Date.now() - 1;
	const share = await node.share(await makeFile(t, contentOf(700_000), 'a name.bin'));
	const { id, length, chunks } = share.seed;
	const seen = await watch(t, url);
	const announceTopic = topics.announce(id, node.id);
	await until('the announce', () => seen.some(({ topic }) => topic === announceTopic));
	const { payload } = seen.find(({ topic }) => topic === announceTopic) as Incoming;
	const { session, since = 0, seq = 0, ...announce } = decodeAnnounce(payload);
	assert.ok(since > before && since <= Date.now());
	const have = { count: chunks, map: Bitfield.full(chunks).toBuckets() };
	assert.equal(announce, { name: 'a name.bin', length, chunks, have, ttl: 90_000 });
	const state = seen.find(({ topic }) => topic === topics.nodeState(node.id)) as Incoming;
	const { addresses, seq: first = 0, ...rest } = decodeNodeState(state.payload);
	assert.ok(0 < first && first < seq);
	const none = { sent: 0, received: 0 };
	const lanes = { direct: none, broker: none };
	assert.equal(rest, { state: 'ready', session, up: 0, down: 0, lanes });
	// The broker is on loopback, so the node listens there only.
	assert.match(addresses.join(), /^mqtt:\/\/127\.0\.0\.1:\d+$/);
});

test('when a content counts as announced, the next answer of the tracker lists it', async (t) => {
	const { url } = await startBroker(t);
	const { context, presence, holdings } = await inside(t, url, 1);
	t.defer(() => presence.leave());
	const { contents, tracker } = context;
	let query: Promise<{ readonly nodes: readonly NodeListing[] }> | undefined;
	contents.on('announced', ({ seed }) => {
		query = tracker.ask('query', { seed: seed.id });
	});
	await presence.join();
	const { nodes = [] } = (await query) ?? {};
	assert.equal(
		nodes.map(({ node, chunks }) => [node, chunks]),
		[[context.id, holdings[0]?.seed.chunks]],
	);
});

test('a clean close withdraws all announces and the state', async (t) => {
	const { url } = await startBroker(t);
	const node = await startNode(t, url);
	await shareAll(t, node, 40);
	const member = await Member.join(t, url);
	await until('all are listed', async () => (await member.listed()).length === 40);
	await node.close();
	assert.equal(await member.listed(), []);
	assert.equal(await retainedBelow(url, 'shoal/1/announce/+/+'), []);
	await until('its state is forgotten', async () => {
		return !(await retainedBelow(url, 'shoal/1/node/+/state')).includes(topics.nodeState(node.id));
	});
});

test('a node that renews stays listed beyond its ttl; a node that does not renew is removed', async (t) => {
	const { url } = await startPlainBroker(t);
	const tracker = await Tracker.start({ url, isAlone: true, limits: SHORT, sweep: 50 });
	t.defer(() => tracker.close());
	const node = await startNode(t, url);
	const ids = await shareAll(t, node, 3);
	const silent = await Member.join(t, url);
	await silent.share('f'.repeat(64));
	await until('all are listed', async () => (await silent.listed()).length === 4);
	await until('one is dropped', async () => (await silent.listed()).length < 4);
	assert.equal(await silent.listed(), ids);
});

test('retained announces that were lost are announced again after the next renewal', async (t) => {
	const plain = await startPlainBroker(t);
	const tracker = await Tracker.start({ url: plain.url, limits: { renewal: 300 }, isAlone: true });
	t.defer(() => tracker.close());
	const node = await startNode(t, plain.url);
	const ids = await shareAll(t, node, 3);
	const member = await Member.join(t, plain.url);
	await until('all are listed', async () => (await member.listed()).length === 3);
	const seen = await watch(t, plain.url);
	const lost = ids.slice(1).map((id) => topics.announce(id, node.id));
	for (const topic of lost) {
		await member.link.forget(topic);
	}
	await until('both are announced again', () =>
		lost.every((of) => {
			const lengths = seen.flatMap(({ topic, payload }) => (topic === of ? [payload.length] : []));
			return lengths.lastIndexOf(0) >= 0 && (lengths.at(-1) as number) > 0;
		}),
	);
	await until('the list is whole again', async () => (await member.listed()).length === 3);
	assert.equal(await member.listed(), ids);
});

test('a restarted tracker has the complete list within seconds', async (t) => {
	const plain = await startPlainBroker(t);
	const options = { url: plain.url, isAlone: true, limits: SHORT, sweep: 50 };
	const first = await Tracker.start(options);
	const node = await startNode(t, plain.url);
	const ids = await shareAll(t, node, 3);
	const member = await Member.join(t, plain.url);
	await member.share('f'.repeat(64));
	await until('all are listed', async () => (await member.listed()).length === 4);
	await first.close();
	const second = await Tracker.start(options);
	t.defer(() => second.close());
	await until('the list is whole', async () => (await member.listed()).length === 4);
	await until('the silent node is removed', async () => (await member.listed()).length < 4);
	assert.equal(await member.listed(), ids);
});

test('a restarted broker has the complete list within seconds', async (t) => {
	const first = await startBroker(t);
	const { port, url } = first;
	const node = await startNode(t, url);
	const ids = await shareAll(t, node, 40);
	const events: string[] = [];
	node.on('down', () => events.push('down'));
	node.on('up', () => events.push('up'));
	await first.close();
	await until('it is down', () => events.includes('down'));
	await startBroker(t, { port });
	const member = await Member.join(t, url);
	await until('the list is whole', async () => (await member.listed()).length === 40);
	assert.equal(await member.listed(), ids);
	assert.equal(events, ['down', 'up']);
});

test('refused announces are not repeated at each renewal', async (t) => {
	const broker = await startBroker(t, { limits: { nodeAnnounces: 3, renewal: 100 } });
	const { url } = broker;
	const renewals = (): number => broker.tracker?.stats().requests.update ?? 0;
	const several = async (): Promise<void> => {
		const enough = renewals() + 5;
		await until('it has renewed some times', () => renewals() >= enough);
	};
	const node = await startNode(t, url);
	const seen = await watch(t, url);
	const warnings: unknown[] = [];
	node.on('warning', (error) => warnings.push(error));
	await shareAll(t, node, 3);
	for (let index = 3; index < 8; index += 1) {
		const path = await makeFile(t, contentOf(index));
		assert.is((await rejects(node.share(path))).code, 'ERR_LIMIT');
	}
	const member = await Member.join(t, url);
	await until('three seeds are listed', async () => (await member.listed()).length === 3);
	await several();
	const [announced, warned] = [announcesOf(seen).length, warnings.length];
	await several();
	assert.is(announcesOf(seen).length, announced);
	assert.is(warnings.length, warned);
	assert.ok(announced <= 24, `${announced}`);
	assert.is((await member.listed()).length, 3);
});

test('gained chunks are announced once a second, and at once when the content is complete', async (t) => {
	const { url } = await startBroker(t);
	const { context, presence: announcer } = await inside(t, url, 0);
	t.defer(() => announcer.leave());
	await announcer.join();
	const seed = seedOf(contentOf(50_000));
	const storage = new MemoryStorage(seed.length);
	const content = { seed, have: new Bitfield(seed.chunks), storage };
	const seen = await watch(t, url);
	const told: number[] = [];
	const { link } = context;
	const retain = link.retain.bind(link);
	link.retain = async (topic, payload) => {
		if (topic.includes('/announce/')) {
			told.push(decodeAnnounce(payload).have.count);
		}
		return await retain(topic, payload);
	};
	context.contents.add(content);
	const start = performance.now();
	for (let chunk = 0; chunk < seed.chunks; chunk += 1) {
		context.contents.gain(content, chunk);
		await wait(chunk < seed.chunks - 1 ? 15 : 0);
	}
	const took = performance.now() - start;
	// This timer starts after the announce was due and ends before the next second, so it ends
	// after the announce even on a busy machine.
	await wait(500);
	assert.is(told.at(-1), seed.chunks);
	assert.ok(told.length <= took / 1_000 + 3, `${told}`);
	const counts = () => announcesOf(seen).map(({ payload }) => decodeAnnounce(payload).have.count);
	await until('all is heard', () => counts().length === told.length);
	assert.equal(counts(), told);
});

test('a content that is removed while it waits for its announce is not announced', async (t) => {
	const { url } = await startBroker(t);
	const { context, presence: announcer, holdings: contents } = await inside(t, url, 200);
	t.defer(() => announcer.leave());
	const joining = announcer.join();
	await until('some are announced', async () => {
		return (await retainedBelow(url, 'shoal/1/announce/+/+')).length > 0;
	});
	for (const content of contents) {
		context.contents.remove(content);
	}
	await joining;
	const announced = async () => (await retainedBelow(url, 'shoal/1/announce/+/+')).length;
	await until('none is announced any more', async () => (await announced()) === 0);
	await wait(100);
	assert.is(await announced(), 0);
});

for (const delay of [0, 3, 10]) {
	test(`a node that leaves ${delay} ms after it began to join leaves no announce and does nothing more`, async (t) => {
		const { url } = await startBroker(t, { limits: { renewal: 20 } });
		const { presence: announcer, looks } = await inside(t, url, 200);
		const joining = announcer.join().catch(() => {});
		await wait(delay);
		await announcer.leave();
		await joining;
		await until('nothing is left of it', async () => {
			return (await retainedBelow(url, 'shoal/1/announce/+/+')).length === 0;
		});
		const before = looks();
		await wait(100);
		assert.is(looks(), before);
	});
}

test('close does not wait for ever for the acknowledgement of its last messages', async (t) => {
	const plain = await startPlainBroker(t);
	const tracker = await Tracker.start({ url: plain.url, isAlone: true });
	t.defer(() => tracker.close());
	const node = await startNode(t, plain.url);
	await shareAll(t, node, 3);
	plain.aedes.authorizePublish = (client, _packet, done) => {
		if (client?.id !== node.id) {
			done(null);
		}
	};
	await node.close();
});

test('a tracker that does not answer delays no share; announces that it refuses later are reported', async (t) => {
	const { url } = await startBroker(t, { limits: { nodeAnnounces: 1 } });
	const context = await openContext(t, url);
	let answer = (): void => {};
	const held = new Promise<void>((resolve) => {
		answer = resolve;
	});
	const tracker = new Proxy(context.tracker, {
		get: (target, key) => {
			const value: unknown = Reflect.get(target, key, target);
			if (key === 'ask') {
				return async (...args: Parameters<typeof target.ask>) => {
					await held;
					return await target.ask(...args);
				};
			}
			return typeof value === 'function' ? value.bind(target) : value;
		},
	});
	const refused: string[] = [];
	const announcer = new Announcer({
		...context,
		tracker,
		addresses: () => ({ addresses: [] }),
		refused: (seeds) => refused.push(...seeds),
	});
	t.defer(() => announcer.leave());
	await announcer.join();
	for (const index of [1, 2]) {
		const seed = seedOf(contentOf(1_000 + index));
		context.contents.add({
			seed,
			have: Bitfield.full(seed.chunks),
			storage: new MemoryStorage(seed.length),
		});
	}
	await announcer.flush();
	assert.is((await announcer.confirm()).size, 0, 'confirm does not wait for it');
	answer();
	await until('it is reported', () => refused.length === 1);
});

for (const [demand, renewal] of Object.entries({
	'less than once in 25 days': 2 ** 40,
	'every millisecond': 1,
})) {
	test(`a node does not renew all the time if the tracker demands it ${demand}`, async (t) => {
		const { url } = await startBroker(t);
		const context = await openContext(t, url);
		let looks = 0;
		const tracker = new Proxy(context.tracker, {
			get: (target, key) => {
				looks += 1;
				const value: unknown = Reflect.get(target, key, target);
				return key === 'state' ? { ...target.state, renewal } : value;
			},
		});
		const addresses = () => ({ addresses: [] });
		const announcer = new Announcer({ ...context, tracker, addresses, refused: () => {} });
		t.defer(() => announcer.leave());
		await announcer.join();
		const before = looks;
		await wait(50);
		assert.is(looks, before);
	});
}

test.run();
