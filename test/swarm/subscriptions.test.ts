import * as assert from 'uvu/assert';
import { startNode } from '../helpers/harness/node.ts';
import { startPlainBroker } from '../helpers/harness/plain-broker.ts';
import { suite } from '../helpers/harness/suite.ts';

const test = suite('subscriptions of a node');

test('a node at rest has no subscription with QoS 1, each of which costs a cluster a queue', async (t) => {
	const { aedes, url } = await startPlainBroker(t);
	const filters: string[] = [];
	aedes.on('subscribe', (subscriptions) => {
		filters.push(...subscriptions.map(({ topic, qos }) => `${topic} ${qos}`));
	});
	const { id } = await startNode(t, url);
	assert.equal(filters, [`shoal/1/inbox/${id}/# 0`, 'shoal/1/tracker/state 0']);
});

test.run();
