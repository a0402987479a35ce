import type { PublishPacket } from 'aedes';
import * as assert from 'uvu/assert';
import { ChannelStore } from '../../../broker/channels/channel-store.ts';
import {
	isChannelId,
	type Limits,
	resolveLimits,
	Topics,
	type Verify,
} from '../../../protocol/index.ts';
import { makeChannel, verify } from '../../helpers/fixtures/channel-keys.ts';
import { fakeClock } from '../../helpers/harness/clock.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('channel store');
const topics = new Topics();
const [ANN, BOB, EVE] = ['node-ann1', 'node-bob1', 'node-eve1'];
const own = makeChannel(1);
const { channel: id } = own.chain;

/** Publishes as the authorizer and Aedes do. */
function make(limits: Partial<Limits> = {}, check: Verify = verify) {
	const clock = fakeClock();
	let checks = 0;
	const store = new ChannelStore({
		topics,
		limits: resolveLimits(limits),
		now: clock.now,
		verify: (...args) => {
			checks += 1;
			return check(...args);
		},
	});
	const publish = (topic: string, text: Uint8Array, client: object = topics): boolean => {
		// The buffer of a packet is used again for another one.
		const payload = Buffer.from(text);
		const parsed = topics.tryParse(topic);
		assert.ok(parsed !== undefined && 'channel' in parsed, topic);
		const isFine = store.check(client, parsed, payload);
		if (isFine) {
			const flags = { qos: 1, retain: true, dup: false } as const;
			store.store({ cmd: 'publish', topic, payload, ...flags } as PublishPacket);
		}
		payload.fill(0);
		return isFine;
	};
	const found = (filter: string): string[] => store.matches(filter).map(({ topic }) => topic);
	return { clock, store, publish, found, checks: () => checks };
}

const keysTopic = (from: string, channel = id): string => topics.channelKeys(channel, from);
const topicOf = (from: string, channel = id): string => topics.channel(channel, from);
const [keysFilter, filter] = topics.channelFilters(id) as [string, string];

test('keys and document are retained, and found by the filters of their channel', () => {
	const { store, publish, found } = make();
	const document = own.document();
	assert.ok(publish(keysTopic(ANN), own.chain.text));
	assert.ok(publish(topicOf(ANN), document.text));
	assert.equal(found(keysFilter), [keysTopic(ANN)]);
	assert.equal(found(filter), [topicOf(ANN)]);
	assert.equal(found(topicOf(ANN)), [topicOf(ANN)]);
	assert.equal(found(topicOf(BOB)), []);
	assert.equal(found(keysTopic(ANN)), [keysTopic(ANN)]);
	assert.ok(Buffer.from(document.text).equals(store.matches(filter)[0]?.payload as Buffer));
	assert.equal([store.channels, store.size, store.unkept], [1, 2, 0]);
	publish(keysTopic(ANN), new Uint8Array());
	publish(topicOf(ANN), new Uint8Array());
	assert.equal([store.channels, store.size], [0, 0]);
});

test('T27: malformed and forged keys and documents are refused', () => {
	const { store, publish } = make();
	const other = makeChannel(1);
	const forged = Buffer.from(own.chain.text);
	forged[forged.length - 10] = forged[forged.length - 10] === 65 ? 66 : 65;
	for (const text of [Buffer.from('x'), forged, other.chain.text, own.document().text]) {
		assert.not.ok(publish(keysTopic(EVE), text));
	}
	assert.is(store.size, 0);
	publish(keysTopic(ANN), own.chain.text);
	const changed = Buffer.from(own.document({ seq: 3 }).text);
	changed[changed.indexOf('lab')] = 66;
	const stranger = makeChannel(1).document({ channel: id, seq: 9 });
	for (const text of [Buffer.from('x'), changed, stranger.text, other.document().text]) {
		assert.not.ok(publish(topicOf(EVE), text));
	}
	assert.not.ok(publish(topicOf(EVE, other.chain.channel), own.document().text), 'keys unknown');
	assert.equal([store.channels, store.size], [1, 1]);
});

test('a document whose keys are not known is allowed, and not retained', () => {
	const { store, publish } = make();
	assert.ok(publish(topicOf(ANN), own.document().text));
	assert.is(store.size, 0);
	const first = Buffer.from(own.chain.text);
	assert.ok(publish(keysTopic(ANN), first.subarray(0, first.indexOf('shoal-keys', 1))));
	assert.ok(publish(topicOf(ANN), own.document().text), 'its block is not known');
	assert.is(store.size, 1);
	assert.ok(publish(topicOf(ANN), own.document({ block: 0 }).text));
	assert.is(store.size, 2);
});

test('a document is retained that is checked before its keys are stored, unless it is forged', () => {
	const forged = Buffer.from(own.document({ seq: 9 }).text);
	forged[forged.indexOf('lab')] = 76;
	for (const [text, kept] of [
		[own.document().text, [topicOf(ANN)]],
		[forged, []],
	] as const) {
		const { store, found } = make();
		const packets = (
			[
				[keysTopic(ANN), own.chain.text],
				[topicOf(ANN), text],
			] as const
		).map(([topic, payload]) => {
			const flags = { qos: 1, retain: true, dup: false } as const;
			return { cmd: 'publish', topic, payload: Buffer.from(payload), ...flags } as PublishPacket;
		});
		// Aedes acknowledges a message before it stores it.
		for (const { topic, payload } of packets) {
			const parsed = topics.tryParse(topic);
			assert.ok(parsed !== undefined && 'channel' in parsed);
			assert.ok(store.check(topics, parsed, payload as Buffer));
		}
		for (const packet of packets) {
			store.store(packet);
		}
		assert.equal(found(filter), kept);
	}
});

test('an older document is allowed and not retained, and copies of the newest cost no check', () => {
	const { store, publish, found, checks } = make();
	publish(keysTopic(ANN), own.chain.text);
	publish(topicOf(ANN), own.document({ seq: 2 }).text);
	assert.ok(publish(topicOf(BOB), own.document({ seq: 1 }).text));
	assert.equal(found(filter), [topicOf(ANN)]);
	const before = checks();
	for (let copy = 0; copy < 100; copy += 1) {
		assert.ok(publish(topicOf(BOB), own.document({ seq: 2 }).text));
		assert.ok(publish(keysTopic(BOB), own.chain.text));
	}
	assert.is(checks(), before);
	assert.equal(found(filter), [topicOf(ANN), topicOf(BOB)]);
	publish(topicOf(BOB), own.document({ seq: 3 }).text);
	assert.equal(found(filter), [topicOf(BOB)]);
	assert.is(store.unkept, 0);
});

test('T29: beyond the rate of its signatures a message of a client is allowed, not checked and not retained', () => {
	const { clock, store, publish, found, checks } = make({ signatureRate: 5, signatureBurst: 6 });
	publish(keysTopic(ANN), own.chain.text);
	const evil = {};
	for (let seq = 1; seq <= 50; seq += 1) {
		assert.ok(publish(topicOf(EVE), own.document({ seq }).text, evil));
	}
	assert.is(checks(), 5 + 6, 'of the keys, and of the documents');
	assert.is(store.unkept, 44);
	assert.ok(publish(topicOf(BOB), own.document({ seq: 60 }).text, {}), 'another client');
	assert.equal(found(filter), [topicOf(BOB)]);
	clock.advance(1_000);
	assert.ok(publish(topicOf(EVE), own.document({ seq: 61 }).text, evil));
	assert.equal(found(filter), [topicOf(EVE)]);
});

test('T29: channels are limited in all and for each node, and so are the senders of a channel', () => {
	const { store, publish } = make({ channels: 3, nodeChannels: 2, channelSenders: 2 });
	const channels = [0, 1, 2, 3].map(() => makeChannel());
	const offer = (number: number, from: string): boolean => {
		const { chain } = channels[number] as (typeof channels)[0];
		publish(keysTopic(from, chain.channel), chain.text, {});
		return store.matches(keysTopic(from, chain.channel)).length === 1;
	};
	assert.equal(
		[0, 1, 2].map((number) => offer(number, ANN)),
		[true, true, false],
	);
	assert.equal(
		[2, 3].map((number) => offer(number, BOB)),
		[true, false],
	);
	assert.equal(
		[BOB, EVE].map((from) => offer(0, from)),
		[true, false],
	);
	assert.equal([store.channels, store.unkept], [3, 3]);
	publish(keysTopic(ANN, channels[1]?.chain.channel), new Uint8Array());
	assert.ok(offer(3, ANN), 'a channel less');
});

test('receipts are retained whatever they contain, until they are too old', () => {
	const { clock, store, publish, found } = make({ receiptTtl: 1_000 });
	const topic = topics.receipt(id, ANN);
	assert.ok(publish(topic, Buffer.from('any text')));
	assert.equal(found(topics.receiptFilter(id)), [topic]);
	assert.equal(found(topic), [topic]);
	assert.is(String(store.matches(topic)[0]?.payload), 'any text');
	assert.equal([store.receipts, store.size, store.channels], [1, 1, 0]);
	clock.advance(999);
	store.expire();
	assert.is(store.receipts, 1);
	clock.advance(1);
	store.expire();
	assert.equal(found(topics.receiptFilter(id)), []);
});

test('a failure of the library that verifies is not taken for a forged message', () => {
	const { publish } = make({}, () => {
		throw new TypeError('broken');
	});
	assert.throws(() => publish(keysTopic(ANN), own.chain.text), 'broken');
	assert.ok(isChannelId(id));
});

test.run();
