import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { Tracker } from '../../broker/index.ts';
import { startUnsureBroker } from '../helpers/adversaries/unsure-broker.ts';
import { ChannelClient } from '../helpers/harness/channel-client.ts';
import { channelRig } from '../helpers/harness/channel-rig.ts';
import { startNode } from '../helpers/harness/node.ts';
import { seededRandom } from '../helpers/harness/random.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('channels on a broker that promises nothing');

async function rig(
	t: Scope,
	...how: Parameters<typeof startUnsureBroker> extends [Scope, ...infer H] ? H : never
) {
	const broker = await startUnsureBroker(t, ...how);
	const tracker = await Tracker.start({ url: broker.url });
	t.defer(() => tracker.close());
	return { ...(await channelRig(t, broker.url)), faults: broker.faults };
}

test('nothing is retained: a follower that starts later asks for the document, and has the version', async (t) => {
	const { publish, follow } = await rig(t, { retains: false });
	const { link } = await publish();
	const machine = await follow(link, 'pc-1');
	await machine.has(1);
});

test('nothing is retained: another follower answers when the publisher is gone', async (t) => {
	const { publish, follow, publisher } = await rig(t, { retains: false });
	const { link } = await publish();
	await (await follow(link, 'pc-1')).has(1);
	await publisher.close();
	await (await follow(link, 'pc-2')).has(1);
});

const BOTH = 'pc-1 applied,pc-2 applied';

test('nothing is retained: the fleet is asked for its receipts', async (t) => {
	const { publish, follow, url } = await rig(t, { retains: false });
	const { link } = await publish();
	await Promise.all(['pc-1', 'pc-2'].map(async (name) => (await follow(link, name)).has(1)));
	const fleet = await (await startNode(t, url)).fleet(link);
	const start = performance.now();
	await fleet.settled();
	assert.ok(performance.now() - start > 3_000, 'it waits for those that it has asked');
	await until('both receipts', () => {
		return `${fleet.members.map(({ name, state }) => `${name} ${state}`)}` === BOTH;
	});
});

test('a broker that has kept an older document only: the newest is published again', async (t) => {
	const { publish, follow, image, faults } = await rig(t);
	const { link } = await publish();
	await (await follow(link, 'pc-1')).has(1);
	faults.retains = false;
	writeFileSync(join(image, 'a.txt'), 'two');
	await publish();
	// A follower publishes its document within 20 s: pc-1 the newest, or pc-2 the older one, which
	// another node answers. Then pc-2 has to fetch the files.
	await (await follow(link, 'pc-2')).has(2, 40_000);
});

test('a server that was away brings back older documents and receipts: the newest ones are published again', async (t) => {
	const { publish, follow, image, publisher, url } = await rig(t);
	const { link } = await publish();
	const machine = await follow(link, 'pc-1');
	const server = await ChannelClient.join(t, url);
	await server.link.subscribe('shoal/1/channel/+/+');
	await server.link.subscribe('shoal/1/receipt/+/+');
	await until('a receipt says applied', () => {
		return server.messages.some(({ payload }) => /"state":"applied"/.test(`${payload}`));
	});
	const retained = server.messages.splice(0);
	writeFileSync(join(image, 'a.txt'), 'two');
	await publish();
	await machine.has(2);
	const isTold = (): boolean =>
		server.messages.some(({ payload }) => /"seq":2,.*"state":"applied"/.test(`${payload}`));
	await until('its receipt', isTold);
	server.messages.length = 0;
	for (const { topic, payload } of retained) {
		await server.link.retain(topic, payload);
	}
	await until('the newest receipt is there again', isTold);
	const fleet = await publisher.fleet(link);
	await until('the fleet is right', () => fleet.members.some(({ isCurrent }) => isCurrent));
});

test('documents and receipts are delayed, doubled, dropped and reordered: all followers have the newest version', async (t) => {
	const random = seededRandom(7);
	const lossy = () => random() < 0.05;
	const faults = { retains: false, delay: 300, doubles: 0.3, drops: lossy };
	const { publish, follow, image, publisher, faults: now } = await rig(t, faults, random);
	const { link } = await publish();
	const machines = await Promise.all(['pc-1', 'pc-2', 'pc-3'].map((name) => follow(link, name)));
	for (const text of ['two', 'three']) {
		writeFileSync(join(image, 'a.txt'), text);
		await publish();
	}
	Object.assign(now, { delay: 0, doubles: 0, drops: () => false });
	await until('all have the newest version', () => {
		return machines.every(({ applied }) => applied.some(({ seq }) => seq === 3));
	});
	const fleet = await publisher.fleet(link);
	await until('all receipts are right', () => {
		return fleet.members.filter(({ state, seq }) => state === 'applied' && seq === 3).length === 3;
	});
	for (const { applied } of machines) {
		const order = applied.map(({ seq }) => seq);
		assert.equal(order, [...order].sort(), 'never an older one');
	}
});

test.run();
