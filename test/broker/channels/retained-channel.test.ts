import type { PublishPacket } from 'aedes';
import * as assert from 'uvu/assert';
import { RetainedChannel } from '../../../broker/channels/retained-channel.ts';
import { KeyChain } from '../../../protocol/index.ts';
import { makeChannel, newKeys, verify } from '../../helpers/fixtures/channel-keys.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('retained channel');
const { chain, document, keys } = makeChannel(1);
const before = KeyChain.parse(chain.text.slice(0, firstBlock(chain.text)), verify);
const packet = {
	...{ cmd: 'publish', topic: 'any', payload: Buffer.alloc(0) },
	...{ qos: 1, retain: true, dup: false },
} as PublishPacket;

/** Bytes of the first block of a chain. */
function firstBlock(text: Uint8Array): number {
	return Buffer.from(text).indexOf('shoal-keys', 1);
}

function make(mostSenders = 8): RetainedChannel {
	const channel = new RetainedChannel(mostSenders);
	channel.keepKeys(chain, 'ann', packet);
	return channel;
}

const sendersOf = (channel: RetainedChannel, kind: 'keys' | 'documents'): string[] => [
	...channel.messages(kind).keys(),
];

test('a longer chain replaces all shorter ones, and a shorter one is not retained any more', () => {
	const channel = new RetainedChannel(8);
	assert.is(channel.keepKeys(before, 'ann', packet), 'kept');
	assert.is(channel.keepKeys(before, 'bob', packet), 'kept');
	assert.is(channel.keepKeys(chain, 'cid', packet), 'kept');
	assert.equal(sendersOf(channel, 'keys'), ['cid']);
	assert.is(channel.keepKeys(before, 'bob', packet), 'older');
	assert.is(channel.chain, chain);
});

test('T28: another second block than the known one is not retained', () => {
	const first = newKeys();
	const own = KeyChain.begin(first, verify);
	const [one, two] = [0, 1].map(() => own.rotate(newKeys(), first.signDrawer, verify)) as [
		KeyChain,
		KeyChain,
	];
	const channel = new RetainedChannel(8);
	channel.keepKeys(one, 'ann', packet);
	assert.is(channel.keepKeys(two, 'bob', packet), 'older');
	assert.is(
		channel.keepKeys(
			two.rotate(
				keys,
				() => new Uint8Array(64),
				() => true,
			),
			'bob',
			packet,
		),
		'older',
	);
	assert.is(channel.chain, one);
});

test('T27: a newer document replaces all older ones, and an older one is not retained', () => {
	const channel = make();
	assert.is(channel.keepDocument(document({ seq: 5 }), 'ann', packet), 'kept');
	assert.is(channel.keepDocument(document({ seq: 5 }), 'bob', packet), 'kept');
	assert.is(channel.keepDocument(document({ seq: 4 }), 'eve', packet), 'older');
	assert.equal(sendersOf(channel, 'documents'), ['ann', 'bob']);
	assert.is(channel.keepDocument(document({ seq: 6 }), 'cid', packet), 'kept');
	assert.equal(sendersOf(channel, 'documents'), ['cid']);
	assert.is(channel.keepDocument(document({ seq: 5 }), 'ann', packet), 'older');
	assert.is(channel.newest?.seq, 6);
});

test('of two documents with the same number the one with the smaller digest stays, in whatever order they come', () => {
	const pair = [document({ seq: 5 }), document({ seq: 5, name: 'other' })];
	pair.sort((a, b) => (a.digest < b.digest ? -1 : 1));
	for (const order of [pair, [...pair].reverse()]) {
		const channel = make();
		for (const each of order) {
			channel.keepDocument(each, 'ann', packet);
		}
		assert.is(channel.newest?.digest, pair[0]?.digest);
	}
});

test('T28: after a rotation the documents of the block before stay, and no new one of that block is retained', () => {
	const channel = new RetainedChannel(8);
	channel.keepKeys(before, 'ann', packet);
	const [old, stolen] = [document({ block: 0, seq: 5 }), document({ block: 0, seq: 2 ** 53 - 1 })];
	assert.is(channel.keepDocument(old, 'ann', packet), 'kept');
	channel.keepKeys(chain, 'ann', packet);
	assert.is(channel.keepDocument(stolen, 'eve', packet), 'older');
	assert.is(channel.keepDocument(old, 'bob', packet), 'kept', 'a copy of the known one');
	assert.is(channel.keepDocument(document({ seq: 1 }), 'ann', packet), 'kept');
	assert.equal(sendersOf(channel, 'documents'), ['ann']);
});

test('a few senders have a copy, and only those may replace it', () => {
	const channel = make(2);
	assert.is(channel.keepKeys(chain, 'bob', packet), 'kept');
	assert.is(channel.keepKeys(chain, 'cid', packet), 'full');
	assert.is(channel.keepKeys(chain, 'ann', packet), 'kept');
	for (const [from, outcome] of [
		['ann', 'kept'],
		['bob', 'kept'],
		['cid', 'full'],
	] as const) {
		assert.is(channel.keepDocument(document(), from, packet), outcome);
	}
	assert.is(channel.size, 4);
	channel.forget('keys', 'ann');
	assert.ok(channel.has('ann'), 'its document');
	channel.forget('documents', 'ann');
	assert.not.ok(channel.has('ann'));
	assert.is(channel.keepDocument(document(), 'cid', packet), 'kept');
});

test('T27: an older document is not retained after the newest was deleted', () => {
	const channel = make();
	channel.keepDocument(document({ seq: 5 }), 'ann', packet);
	channel.forget('documents', 'ann');
	assert.is(channel.keepDocument(document({ seq: 4 }), 'eve', packet), 'older');
	assert.is(channel.keepDocument(document({ seq: 5 }), 'bob', packet), 'kept');
});

test('the copies of a text share its memory', () => {
	const channel = make();
	channel.keepKeys(chain, 'bob', packet);
	const [one, two] = [...channel.messages('keys').values()].map(({ payload }) => payload as Buffer);
	assert.ok(one?.equals(chain.text));
	assert.is(one?.buffer, two?.buffer);
});

test.run();
