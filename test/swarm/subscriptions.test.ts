import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { Tracker } from '../../broker/index.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { makeFile, startNode } from '../helpers/harness/node.ts';
import { type PlainBroker, startPlainBroker } from '../helpers/harness/plain-broker.ts';
import { suite } from '../helpers/harness/suite.ts';

const test = suite('subscriptions of nodes and trackers');

// On a cluster, each subscription with QoS 1 costs a queue of its own.

/** The subscriptions on a broker from now on, as `filter QoS`. */
function subscriptionsOn({ aedes }: PlainBroker): string[] {
	const all: string[] = [];
	aedes.on('subscribe', (subscriptions) => {
		all.push(...subscriptions.map(({ topic, qos }) => `${topic} ${qos}`));
	});
	return all;
}

test('a node subscribes with QoS 0 only', async (t) => {
	const broker = await startPlainBroker(t);
	const all = subscriptionsOn(broker);
	const node = await startNode(t, broker.url);
	const { id } = node;
	assert.equal(all, [`shoal/1/inbox/${id}/# 0`, 'shoal/1/tracker/state 0']);
	const folder = await makeFolder(t);
	const { link } = await node.publish(await makeFile(t, 'version 1'), {
		channel: 'apps',
		data: folder,
	});
	await node.follow(link, join(folder, 'followed'));
	await node.fleet(link);
	assert.ok(all.length > 4);
	assert.equal(
		all.filter((each) => !each.endsWith(' 0')),
		[],
	);
});

test('a tracker that stands by and becomes active subscribes with QoS 0 only', async (t) => {
	const broker = await startPlainBroker(t);
	const all = subscriptionsOn(broker);
	const tracker = await Tracker.start({ url: broker.url });
	t.defer(() => tracker.close());
	assert.ok(tracker.isReady);
	assert.ok(all.length > 5);
	assert.equal(
		all.filter((each) => !each.endsWith(' 0')),
		[],
	);
});

test.run();
