import type { Client } from 'aedes';
import * as assert from 'uvu/assert';
import { GrantedQos } from '../../../broker/aedes/granted-qos.ts';
import { encodeJson, Link, makeNodeId, Topics } from '../../../protocol/index.ts';
import { connectRaw, messagesOf, subscribePacket } from '../../helpers/adversaries/raw-client.ts';
import { state } from '../../helpers/fixtures/registry.ts';
import { startBroker } from '../../helpers/harness/broker.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('granted QoS');
const topics = new Topics();

test('a message has the highest QoS of the matching subscriptions, but at most the QoS of its publish', () => {
	const granted = new GrantedQos();
	const client = {} as Client;
	assert.is(granted.of(client, 'a/b', 2), 2, 'no subscription is known');
	granted.granted(client, 'a/#', 1);
	granted.granted(client, 'a/b', 0);
	granted.granted(client, 'c/+', 2);
	assert.is(granted.of(client, 'a/b', 2), 1);
	assert.is(granted.of(client, 'a/b', 0), 0);
	assert.is(granted.of(client, 'c/d', 2), 2);
	assert.is(granted.of({} as Client, 'a/b', 2), 2, 'another client has other subscriptions');
	granted.gaveUp(client, 'a/#');
	assert.is(granted.of(client, 'a/b', 2), 0);
	granted.granted(client, 'a/b', 2);
	assert.is(granted.of(client, 'a/b', 2), 2, 'a later subscription replaces the earlier one');
});

interface Received {
	readonly retain: boolean;
	readonly qos: number;
}

/**
 * Subscribes a client to `filters`, one after the other.
 *
 * @returns retain flag and QoS of each copy that it receives of a retained state and of a later one
 */
async function received(
	t: Scope,
	filters: ReadonlyArray<readonly [filter: string, qos: number]>,
	id: string,
): Promise<Received[]> {
	const broker = await startBroker(t);
	const node = await Link.open({ url: broker.url, id });
	t.defer(() => node.close());
	const tell = () => node.retain(topics.nodeState(id), encodeJson(state(node.session)));
	await tell();
	await until('the state is kept', () => broker.stats().retained >= 1);
	const raw = await connectRaw(t, broker.port, 'watcher-01');
	const ofNode = () => messagesOf(raw).filter(({ topic }) => topic === topics.nodeState(id));
	for (const [index, [filter, qos]] of filters.entries()) {
		raw.socket.write(subscribePacket(filter, qos));
		await until('the retained state has arrived', () => ofNode().length === index + 1);
	}
	await tell();
	const copies = new Set(filters.map(([filter]) => filter)).size;
	await until('the later state has arrived', () => ofNode().length === filters.length + copies);
	return ofNode().map(({ retain, qos }) => ({ retain, qos }));
}

const id = makeNodeId();
const WIDE = 'shoal/1/node/+/state';
const EXACT = topics.nodeState(id);

const CASES: ReadonlyArray<
	readonly [what: string, Array<readonly [string, number]>, kept: number[], sent: number[]]
> = [
	['a wildcard with QoS 0', [[WIDE, 0]], [0], [0]],
	['a wildcard with QoS 1', [[WIDE, 1]], [1], [1]],
	['a topic with QoS 0', [[EXACT, 0]], [0], [0]],
	['a topic with QoS 2', [[EXACT, 2]], [1], [1]],
	[
		'a wildcard with QoS 1 and the topic with QoS 0',
		[
			[WIDE, 1],
			[EXACT, 0],
		],
		[1, 1],
		[0, 1],
	],
	[
		'a topic with QoS 1 and a wildcard with QoS 0',
		[
			[EXACT, 1],
			[WIDE, 0],
		],
		[1, 1],
		[0, 1],
	],
	[
		'a wildcard with QoS 1, then the same with QoS 0',
		[
			[WIDE, 1],
			[WIDE, 0],
		],
		[1, 0],
		[0],
	],
];

for (const [what, filters, kept, sent] of CASES) {
	test(`MQTT-3.3.5-1: a client subscribed to ${what} receives messages with the granted QoS`, async (t) => {
		const all = await received(t, filters, id);
		const qosOf = (isKept: boolean) =>
			all.filter(({ retain }) => retain === isKept).map(({ qos }) => qos);
		assert.equal(qosOf(true), kept);
		assert.equal(qosOf(false).sort(), sent);
	});
}

test.run();
