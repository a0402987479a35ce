import * as assert from 'uvu/assert';
import {
	mayReceive,
	maySubscribe,
	type Rules,
	whyNotPublish,
} from '../../../broker/access/topic-rules.ts';
import { resolveLimits, Topics } from '../../../protocol/index.ts';
import { seedId } from '../../helpers/fixtures/registry.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('topic rules');
const ME = 'node-me-1';
const YOU = 'node-you-1';
const SEED = seedId(1);
const CHANNEL = 'c'.repeat(64);
const topics = new Topics();
const rules: Rules = { topics, limits: resolveLimits(), hasTracker: true };
const plain = { qos: 0, retain: false, bytes: 100 };
const kept = { qos: 1, retain: true, bytes: 100 };
const why = (topic: string, flags = plain, own = rules) =>
	whyNotPublish(ME, { topic, ...flags }, own);

test('a node may publish in its own name', () => {
	assert.is(why(topics.nodeState(ME), kept), undefined);
	assert.is(why(topics.announce(SEED, ME), kept), undefined);
	assert.is(why(topics.announce(SEED, ME), { ...kept, bytes: 0 }), undefined, 'withdrawn');
	assert.is(why(topics.trackerRequest(ME), { ...plain, qos: 1 }), undefined);
	assert.is(why(topics.request(YOU, ME)), undefined);
	assert.is(why(topics.reply(YOU, ME), { ...plain, qos: 1 }), undefined);
	assert.is(why(topics.chunk(YOU, ME), { ...plain, bytes: 262_144 }), undefined);
	assert.is(why(topics.swarm(SEED, ME), { ...plain, bytes: 262_144 }), undefined);
});

test('T5, T6: a node may publish no message in the name of another node, not even an empty one', () => {
	const foreign = [
		topics.nodeState(YOU),
		topics.announce(SEED, YOU),
		topics.trackerRequest(YOU),
		topics.request(ME, YOU),
		topics.reply(ME, YOU),
		topics.chunk(ME, YOU),
		topics.swarm(SEED, YOU),
	];
	for (const topic of foreign) {
		assert.is(why(topic), 'spoof', topic);
		assert.is(why(topic, { qos: 1, retain: true, bytes: 0 }), 'spoof', topic);
	}
});

test('T5, T27: a node may publish keys, documents and receipts in its own name only, without a tracker too', () => {
	const sizes = { channelKeys: 4_096, channel: 1_024, receipt: 1_024 };
	const alone = { ...rules, hasTracker: false };
	for (const [name, bytes] of Object.entries(sizes)) {
		const build = (from: string) => topics[name as keyof typeof sizes](CHANNEL, from);
		assert.is(why(build(ME), { ...kept, bytes }), undefined, name);
		assert.is(why(build(ME), { ...kept, bytes }, alone), undefined, name);
		assert.is(why(build(ME), { ...kept, bytes: 0 }), undefined, name);
		assert.is(why(build(ME), { ...kept, bytes: bytes + 1 }), 'size', name);
		assert.is(why(build(ME), { ...kept, qos: 0 }), 'qos', name);
		assert.is(why(build(ME), { ...kept, qos: 2 }), 'qos', name);
		assert.is(why(build(YOU), kept), 'spoof', name);
	}
});

test('T8: nodes and watchers may read the messages of one channel, but not of all channels', () => {
	const root = topics.root;
	const granted = [
		...topics.channelFilters(CHANNEL),
		topics.receiptFilter(CHANNEL),
		topics.channel(CHANNEL, YOU),
		topics.channelKeys(CHANNEL, YOU),
		topics.receipt(CHANNEL, YOU),
	];
	const denied = [
		...[`${root}/channel/#`, `${root}/receipt/#`, `${root}/channel/+/+`, `${root}/receipt/+/+`],
		...[`${root}/channel/+/keys/+`, `${root}/channel/${CHANNEL}/#`, `${root}/receipt/${CHANNEL}/#`],
		...[`${root}/channel/${CHANNEL}/+/+`, `${root}/channel/${CHANNEL}/+/${YOU}`],
		...[`${root}/channel/${CHANNEL}`, `${root}/receipt/${CHANNEL}/keys/+`],
		...[`${root}/channel/${CHANNEL.slice(1)}/+`, `${root}/receipt/+/${ME}`],
	];
	for (const role of ['node', 'watch'] as const) {
		for (const filter of granted) {
			assert.ok(maySubscribe(ME, filter, rules, role), filter);
		}
		for (const filter of denied) {
			assert.not.ok(maySubscribe(ME, filter, rules, role), filter);
		}
		assert.ok(mayReceive(ME, topics.tryParse(topics.channel(CHANNEL, YOU)), role));
		assert.ok(mayReceive(ME, topics.tryParse(topics.receipt(CHANNEL, YOU)), role));
	}
});

test('T8: a watcher may subscribe to no inbox and to no chunks, and receives no chunks', () => {
	const swarm = topics.swarm(SEED, YOU);
	for (const filter of [topics.inboxFilter(ME), topics.reply(ME, YOU), swarm]) {
		assert.ok(maySubscribe(ME, filter, rules, 'node'), filter);
		assert.not(maySubscribe(ME, filter, rules, 'watch'), filter);
	}
	for (const topic of [swarm, topics.chunk(ME, YOU)]) {
		assert.ok(mayReceive(ME, topics.tryParse(topic), 'node'), topic);
		assert.not(mayReceive(ME, topics.tryParse(topic), 'watch'), topic);
	}
});

test('messages on topics of the tracker and on unknown topics are refused', () => {
	const others = [
		topics.trackerState(),
		topics.event('node-joined'),
		'$SYS/x/new/clients',
		'home/temperature',
		'shoal/2/node/node-me-1/state',
		`${topics.announce(SEED, ME)}/more`,
		`${topics.root}/inbox/#/reply/${ME}`,
		'',
		'a/'.repeat(1_000),
	];
	for (const topic of others) {
		assert.is(why(topic), 'topic', topic);
	}
});

test('messages with the wrong QoS, retain flag or size for their topic are refused', () => {
	assert.is(why(topics.chunk(YOU, ME), { ...plain, qos: 1 }), 'qos');
	assert.is(why(topics.swarm(SEED, ME), { ...plain, retain: true }), 'retain');
	assert.is(why(topics.reply(YOU, ME), kept), 'retain');
	assert.is(why(topics.trackerRequest(ME), { ...plain, qos: 2 }), 'qos');
	assert.is(why(topics.announce(SEED, ME), { ...kept, qos: 0 }), 'qos');
	assert.is(why(topics.reply(YOU, ME), { ...plain, bytes: 65_537 }), 'size');
});

test('a broker without a tracker refuses retained messages', () => {
	const alone = { ...rules, hasTracker: false };
	assert.is(why(topics.announce(SEED, ME), kept, alone), 'topic');
	assert.is(why(topics.nodeState(ME), kept, alone), 'topic');
	assert.is(why(topics.chunk(YOU, ME), plain, alone), undefined);
});

test('T8: a filter is refused if it matches topics that the node may not receive', () => {
	const root = topics.root;
	const denied = [
		...['#', '+/#', 'shoal/#', `${root}/#`, `${root}/+`, `${root}/+/+`, `${root}/+/state`],
		...[`${root}/+/+/+`, `${root}/+/+/+/+`, `${root}/inbox/#`, `${root}/inbox/+/chunk/+`],
		...[`${root}/inbox/${YOU}/#`, `${root}/inbox/${YOU}/reply/+`, `${root}/inbox/${ME}`],
		...[
			`${root}/swarm/#`,
			`${root}/swarm/+/+`,
			`${root}/swarm/${SEED}/+`,
			`${root}/swarm/+/${YOU}`,
		],
		...['$SYS/#', '$share/g/#', `$share/g/${root}/inbox/${ME}/#`, `${root}/tracker/#`],
		...[`${root}/tracker/request/+`, `${root}/tracker/+`, `${root}x/node/+/state`, ''],
	];
	for (const filter of denied) {
		assert.not.ok(maySubscribe(ME, filter, rules), filter);
	}
});

test('a node may subscribe to its inbox, the swarm topic of one node, and the control topics', () => {
	const root = topics.root;
	const granted = [
		topics.inboxFilter(ME),
		`${root}/inbox/${ME}/reply/+`,
		topics.swarm(SEED, YOU),
		...topics.watchFilters(),
		`${root}/announce/${SEED}/+`,
		`${root}/announce/+/${YOU}`,
		`${root}/node/${YOU}/state`,
		`${root}/event/seed-added`,
		`${root}/announce/#`,
		`${root}/node/#`,
	];
	for (const filter of granted) {
		assert.ok(maySubscribe(ME, filter, rules), filter);
	}
});

test('T15: a node whose id is a pattern may neither subscribe nor publish', () => {
	for (const id of ['#', '+', '/', `${YOU}/#`, '']) {
		assert.not.ok(maySubscribe(id, `${topics.root}/inbox/${YOU}/#`, rules));
		const spoofed = { topic: `${topics.root}/node/${id}/state`, ...kept };
		assert.is(whyNotPublish(id, spoofed, rules), 'topic', id);
	}
});

test('a message in an inbox is delivered only to the owner of the inbox', () => {
	assert.ok(mayReceive(ME, topics.tryParse(topics.chunk(ME, YOU))));
	assert.not.ok(mayReceive(YOU, topics.tryParse(topics.chunk(ME, YOU))));
	assert.not.ok(mayReceive(ME, topics.tryParse(topics.trackerRequest(YOU))));
	assert.not.ok(mayReceive(ME, topics.tryParse('$SYS/x/heartbeat')));
	assert.ok(mayReceive(ME, topics.tryParse(topics.swarm(SEED, YOU))));
});

test.run();
