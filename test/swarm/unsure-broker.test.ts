import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { Tracker, type TrackerOptions } from '../../broker/index.ts';
import type { ShoalNode } from '../../node/index.ts';
import { Link, makeNodeId, Topics } from '../../protocol/index.ts';
import { startUnsureBroker } from '../helpers/adversaries/unsure-broker.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { listed, makeFile, startNode } from '../helpers/harness/node.ts';
import { seededRandom } from '../helpers/harness/random.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('a swarm on a broker that promises nothing');
const topics = new Topics();
/** ms. A node renews within a quarter of the time for which its announces are valid. */
const LIMITS = { ttl: 1_200, renewal: 300 };

async function startTracker(t: Scope, url: string, options: Partial<TrackerOptions> = {}) {
	const tracker = await Tracker.start({ url, limits: LIMITS, sweep: 50, ...options });
	t.defer(() => tracker.close());
	return tracker;
}

/** Starts nodes, each with a file of its own. */
async function startSeeders(t: Scope, url: string, count: number): Promise<ShoalNode[]> {
	return await Promise.all(
		Array.from({ length: count }, async (_, number) => {
			const node = await startNode(t, url, { listen: false });
			await node.share(await makeFile(t, `content ${number}`));
			return node;
		}),
	);
}

const countOf = async (node: ShoalNode): Promise<number> => (await listed(node)).length;
const isGoodbye = (text: string): boolean => /"state":"(lost|disconnected)"/.test(text);

test('nothing is retained: a tracker that starts after the nodes has the whole list', async (t) => {
	const { url } = await startUnsureBroker(t, { retains: false });
	const [node] = await startSeeders(t, url, 40);
	const start = performance.now();
	const tracker = await startTracker(t, url);
	await until('all are listed', () => tracker.stats().announces === 40);
	assert.ok(performance.now() - start < 5_000);
	assert.is(await countOf(node as ShoalNode), 40);
});

test('nothing is retained: a node that starts after the tracker knows it, and downloads', async (t) => {
	const { url } = await startUnsureBroker(t, { retains: false });
	await startTracker(t, url);
	const seeder = await startNode(t, url);
	const { seed } = await seeder.share(await makeFile(t, 'a content'));
	const node = await startNode(t, url);
	await node.get(seed.id, { output: join(await makeFolder(t), 'copy') });
});

test('a node that was not told the state of the tracker asks for it', async (t) => {
	const notices: string[] = [];
	const { url } = await startUnsureBroker(t, {
		retains: false,
		drops: ({ topic }) => {
			const isNotice = topics.tryParse(topic)?.kind === 'tracker-notice';
			return isNotice && notices.push(topic) === 1;
		},
	});
	// It repeats its state a long time later only.
	await startTracker(t, url, { limits: {} });
	const node = await startNode(t, url);
	assert.equal(await listed(node), []);
	assert.is(notices.length, 2);
});

test('announces that cannot be withdrawn are gone after one ttl, and are not listed again', async (t) => {
	const broker = await startUnsureBroker(t, {
		drops: ({ text }) => text === '' || isGoodbye(text),
	});
	const { url, faults } = broker;
	const first = await startTracker(t, url);
	const [node, other] = (await startSeeders(t, url, 2)) as [ShoalNode, ShoalNode];
	await until('both are listed', async () => (await countOf(node)) === 2);
	await other.close();
	await until('one is listed', async () => (await countOf(node)) === 1);

	// A new tracker finds the announce retained: its node is not there, so it cannot be confirmed.
	await first.close();
	const second = await startTracker(t, url);
	await until('the ghost has expired', async () => {
		return second.stats().announces === 1 && (await countOf(node)) === 1;
	});
	// The tracker clears it, as soon as the broker lets it.
	faults.drops = () => false;
	await second.close();
	const third = await startTracker(t, url);
	const [, announces = ''] = topics.stateFilters();
	await until('it is cleared', async () => (await broker.retained(announces)).length === 1);
	assert.is(third.stats().announces, 1);
});

test('wills are lost: a node that is gone is not listed for longer than one ttl', async (t) => {
	const { url } = await startUnsureBroker(t, {
		retains: false,
		drops: ({ text }) => text === '' || isGoodbye(text),
	});
	const tracker = await startTracker(t, url);
	const nodes = await startSeeders(t, url, 3);
	await until('all are listed', () => tracker.stats().announces === 3);
	await Promise.all(nodes.slice(1).map((node) => node.close()));
	await until('one is left', () => tracker.stats().announces === 1 && tracker.stats().nodes === 1);
});

test('nothing is retained, and the will is lost: a second tracker takes over within three seconds', async (t) => {
	const { url } = await startUnsureBroker(t, {
		retains: false,
		drops: ({ topic, text }) => topic === topics.trackerState() && isGoodbye(text),
	});
	const first = await startTracker(t, url);
	const second = await startTracker(t, url);
	assert.equal([first.isActive, second.isActive], [true, false]);
	const [node] = (await startSeeders(t, url, 3)) as [ShoalNode];
	await first.close();
	const gone = performance.now();
	await until('the second is active', () => second.isReady);
	assert.ok(performance.now() - gone < 3_000);
	await until('its list is whole', async () => (await countOf(node)) === 3);
});

test('a late will of an earlier tracker does not make a second tracker active', async (t) => {
	const { url, aedes } = await startUnsureBroker(t);
	const first = await startTracker(t, url);
	const second = await startTracker(t, url);
	const lost = { state: 'lost', tracker: first.id, session: 'an-old-session' };
	const payload = JSON.stringify(lost);
	aedes.publish(
		{
			...{ cmd: 'publish', dup: false, qos: 1, retain: true },
			...{ topic: topics.trackerState(), payload },
		},
		() => {},
	);
	await new Promise((resolve) => setTimeout(resolve, 1_500));
	assert.equal([first.isActive, second.isActive], [true, false]);
});

test('a server that was away brings back the state of a tracker that is gone: the active one stays active', async (t) => {
	const { url } = await startUnsureBroker(t);
	const [gone, id] = [makeNodeId(), makeNodeId()].sort() as [string, string];
	const tracker = await startTracker(t, url, { id });
	const changes: string[] = [];
	tracker.on('standby', () => changes.push('standby'));
	const server = await Link.open({ url, id: makeNodeId() });
	t.defer(() => server.close());
	const states: string[] = [];
	server.on('message', ({ payload }) => states.push(`${payload}`));
	await server.subscribe(topics.trackerState());
	await until('its state', () => states.length === 1);
	await server.retain(topics.trackerState(), Buffer.from(`${states[0]}`.replace(id, gone)));
	await until('its own state again', () => states.at(-1) === states[0] && states.length > 2);
	assert.equal([tracker.isActive, changes], [true, []]);
});

test('after a split and its end, one tracker is active, and both sides are on its list', async (t) => {
	const [left, right] = [makeNodeId(), makeNodeId()].sort() as [string, string];
	const { url, faults } = await startUnsureBroker(t, { retains: false });
	const first = await startTracker(t, url, { id: left });
	const second = await startTracker(t, url, { id: right });
	const [node] = (await startSeeders(t, url, 2)) as [ShoalNode];
	// The second hears nothing of the first, nor the first of the second.
	const from = (id: string) => (topic: string) =>
		topic.endsWith(id) || topic === topics.trackerState();
	faults.hides = (client, topic) =>
		(client === left && from(right)(topic)) || (client === right && from(left)(topic));
	await until('both are active', () => first.isReady && second.isReady);
	await until('they answer', async () => (await countOf(node)) === 2);
	faults.hides = () => false;
	await until('one stands by', () => !second.isActive);
	assert.ok(first.isReady);
	await until('the list is whole', async () => {
		return first.stats().announces === 2 && (await countOf(node)) === 2;
	});
});

/** Random orders of delivery that are tried. */
const ORDERS = Number(process.env.SHOAL_ORDERS ?? 1);

for (let number = 1; number <= ORDERS; number += 1) {
	test(`messages are delayed, doubled, dropped and reordered: the list is right after one ttl (${number})`, async (t) => {
		const random = seededRandom(number);
		const { url, faults } = await startUnsureBroker(t, { retains: false }, random);
		await startTracker(t, url);
		const nodes = await startSeeders(t, url, 8);
		Object.assign(faults, { delay: 300, doubles: 0.3, drops: () => random() < 0.05 });
		// Each node shares five files, and stops sharing two of them.
		await Promise.all(
			nodes.map(async (node, place) => {
				for (let step = 0; step < 5; step += 1) {
					const share = await node.share(await makeFile(t, `${place} ${step}`));
					if (step < 2) {
						await share.stop();
					}
				}
			}),
		);
		await nodes.pop()?.close();
		const expected = nodes.map(({ id }) => `${id} 4`).sort();
		const found = (): Promise<string[]> => announcesOf(nodes[0] as ShoalNode);
		Object.assign(faults, { delay: 0, doubles: 0, drops: () => false });
		const isRight = async (): Promise<boolean> => `${await found()}` === `${expected}`;
		await until('the list is right', isRight);
		await new Promise((resolve) => setTimeout(resolve, LIMITS.ttl));
		const listed = await found();
		assert.equal(
			listed.filter((each) => !expected.includes(each)),
			[],
			'nothing that has ended comes back',
		);
		// On a busy machine a node may miss its ttl, and return.
		await until('the list is right one ttl later', isRight);
	});
}

/** How many seeds each node has, as the tracker lists them: `id count`. */
async function announcesOf(node: ShoalNode): Promise<string[]> {
	const counts = new Map<string, number>();
	for (const { seed } of await listed(node)) {
		const { nodes } = await node.who(seed);
		for (const { node: id } of nodes) {
			counts.set(id, (counts.get(id) ?? 0) + 1);
		}
	}
	return [...counts].map(([id, count]) => `${id} ${count}`).sort();
}

test.run();
