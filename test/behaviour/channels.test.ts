import * as assert from 'uvu/assert';
import { isMatch } from '../../broker/aedes/topic-filter.ts';
import { Broker, brokerMetrics, makeTokens } from '../../broker/index.ts';
import { compareDocuments, type DocumentFields, Topics } from '../../protocol/index.ts';
import { makeChannel } from '../helpers/fixtures/channel-keys.ts';
import { seedId } from '../helpers/fixtures/registry.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { ChannelClient, retainedOf } from '../helpers/harness/channel-client.ts';
import { Member } from '../helpers/harness/member.ts';
import { rejects } from '../helpers/harness/rejects.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('channels on a broker');
const topics = new Topics();
const RECEIPT = '{"seq":1}';

/** A broker with a channel whose newest document has the number 5, and a client that follows it. */
async function start(t: Scope) {
	const broker = await startBroker(t, { tracker: false });
	const channel = makeChannel(1);
	const id = channel.chain.channel;
	const ann = await ChannelClient.join(t, broker.url);
	await ann.keys(channel.chain);
	const newest = channel.document({ seq: 5 });
	await ann.document(newest);
	const follower = await ChannelClient.join(t, broker.url);
	await follower.follow(id);
	return { broker, url: broker.url, channel, id, ann, newest, follower };
}

const numbersOf = (documents: readonly DocumentFields[]): number[] =>
	documents.map(({ seq }) => seq);

test('T27: keys and documents that are malformed, forged or of another channel are refused and counted', async (t) => {
	const { broker, url, channel, id, newest, follower } = await start(t);
	const forged = Buffer.from(channel.document({ seq: 9 }).text);
	forged[forged.indexOf('lab')] = 76;
	const stranger = makeChannel(1);
	const forgedKeys = Buffer.from(channel.chain.text);
	forgedKeys.write('AAAA', forgedKeys.indexOf('sig new-drawer', 600) + 20);
	const evil = await ChannelClient.join(t, url);
	const attempts: Array<() => Promise<void>> = [
		() => evil.document({ channel: id, text: Buffer.from('rubbish\n') }),
		() => evil.document({ channel: id, text: forged }),
		() => evil.document({ channel: id, text: stranger.document({ seq: 9 }).text }),
		() => evil.document(stranger.document({ channel: id, seq: 9 })),
		() => evil.keys({ channel: id, text: Buffer.from('rubbish\n') }),
		() => evil.keys({ channel: id, text: forgedKeys }),
		() => evil.keys({ channel: id, text: stranger.chain.text }),
	];
	for (const attempt of attempts) {
		await rejects(attempt());
		await until('evil is back', () => evil.link.isUp);
	}
	assert.is(broker.stats().refused.channel, attempts.length);
	await follower.settle();
	assert.equal(numbersOf(follower.documents()), [5]);
	assert.is(follower.chains().length, 1);
	const { documents, chains } = await retainedOf(t, url, id);
	assert.equal([numbersOf(documents), chains.length], [[newest.seq], 1]);
});

test('T5, T6, T27: no client writes or deletes a message of another, or a text that is too large', async (t) => {
	const { broker, url, channel, id, ann } = await start(t);
	await ann.receipt(id, RECEIPT);
	const evil = await ChannelClient.join(t, url);
	const large = Buffer.alloc(1_025, 'x');
	const { text } = channel.document({ seq: 6 });
	const attempts: Array<[topic: string, text: Uint8Array]> = [
		[topics.channel(id, ann.id), text],
		[topics.channel(id, ann.id), new Uint8Array()],
		[topics.channelKeys(id, ann.id), new Uint8Array()],
		[topics.receipt(id, ann.id), new Uint8Array()],
		[topics.channel(id, evil.id), large],
		[topics.receipt(id, evil.id), large],
		[topics.channelKeys(id, evil.id), Buffer.alloc(4_097, 'x')],
	];
	for (const [topic, payload] of attempts) {
		await rejects(evil.link.retain(topic, payload));
		await until('evil is back', () => evil.link.isUp);
	}
	const { spoof, size } = broker.stats().refused;
	assert.equal([spoof, size], [4, 3]);
	assert.is(broker.stats().retained, 3);
});

test('T27: an older document is delivered, and not retained; its sender is not cut', async (t) => {
	const { broker, url, channel, id, follower } = await start(t);
	const late = await ChannelClient.join(t, url);
	await late.document(channel.document({ seq: 4 }));
	await late.document(channel.document({ block: 0, seq: 2 ** 53 - 1 }));
	await follower.settle();
	assert.equal(numbersOf(follower.documents()), [5, 4, 2 ** 53 - 1]);
	assert.ok(late.link.isUp);
	assert.equal(numbersOf((await retainedOf(t, url, id)).documents), [5]);
	assert.is(broker.stats().refused.channel, 0);
});

test('a newer document replaces all copies of older ones, and at most eight nodes have a copy', async (t) => {
	const { broker, url, channel, id, ann, newest } = await start(t);
	for (let copy = 0; copy < 10; copy += 1) {
		const bob = await ChannelClient.join(t, url);
		await bob.keys(channel.chain);
		await bob.document(newest);
	}
	const { documents, chains } = await retainedOf(t, url, id);
	assert.equal([documents.length, chains.length], [8, 8]);
	assert.is(broker.stats().unkept, 3 + 3);
	await ann.document(channel.document({ seq: 6 }));
	assert.equal(numbersOf((await retainedOf(t, url, id)).documents), [6]);
});

test('two clients with one key that publish at the same time end with one document, and neither is cut', async (t) => {
	const { broker, url, channel, id } = await start(t);
	const pair = await Promise.all([0, 1].map(() => ChannelClient.join(t, url)));
	const sent = pair.map((_, which) =>
		Array.from({ length: 20 }, (_, number) =>
			channel.document({ seq: 6 + number, seed: seedId(which + 1) }),
		),
	);
	await Promise.all(
		pair.map(async (client, which) => {
			for (const document of sent[which] ?? []) {
				await client.document(document);
			}
		}),
	);
	const [best] = sent.flat().sort((a, b) => compareDocuments(b, a));
	const { documents } = await retainedOf(t, url, id);
	assert.equal(
		documents.map(({ digest }) => digest),
		[best?.digest],
	);
	assert.ok(pair.every(({ link }) => link.isUp));
	assert.is(broker.stats().refused.channel, 0);
});

test('a broker that was restarted gets keys and document again from the copies of a follower', async (t) => {
	const { broker, url, channel, id, newest, ann } = await start(t);
	const follower = await ChannelClient.join(t, url);
	await ann.link.close();
	await broker.close();
	const again = await Broker.start({ port: broker.port, tracker: false });
	t.defer(() => again.close());
	await until('the follower is back', () => follower.link.isUp);
	assert.equal((await retainedOf(t, url, id)).documents, []);
	// Until the keys are there, nobody can check the document.
	await follower.document(newest);
	assert.equal((await retainedOf(t, url, id)).documents, []);
	await follower.keys(channel.chain);
	await follower.document(newest);
	const { documents, chains } = await retainedOf(t, url, id);
	assert.equal([numbersOf(documents), chains.length], [[5], 1]);
});

test('T28: after a rotation the thief of the publishing key cannot replace a document', async (t) => {
	const broker = await startBroker(t, { tracker: false });
	const channel = makeChannel(1);
	const id = channel.chain.channel;
	const [ann, thief] = [
		await ChannelClient.join(t, broker.url),
		await ChannelClient.join(t, broker.url),
	];
	const first = Buffer.from(channel.chain.text);
	const before = first.subarray(0, first.indexOf('shoal-keys', 1));
	await thief.keys({ channel: id, text: before });
	const highest = channel.document({ block: 0, seq: 2 ** 53 - 1 });
	await thief.document(highest);
	assert.equal((await retainedOf(t, broker.url, id)).documents.length, 1);
	await ann.keys(channel.chain);
	await ann.document(channel.document({ seq: 1 }));
	await thief.keys({ channel: id, text: before });
	await thief.document(highest);
	const { documents, chains } = await retainedOf(t, broker.url, id);
	assert.equal(numbersOf(documents), [1]);
	assert.equal(
		chains.map(({ length }) => length),
		[channel.chain.text.length],
	);
});

test('a client with the token for watching reads channels and receipts, and publishes nothing', async (t) => {
	const tokens = makeTokens();
	const broker = await startBroker(t, { tokens, tracker: false });
	const { chain, document } = makeChannel();
	const passwordOf = (token: string) => ({ password: `${token}:secret` });
	const ann = await ChannelClient.join(t, broker.url, passwordOf(tokens.node));
	await ann.keys(chain);
	await ann.document(document());
	await ann.receipt(chain.channel, RECEIPT);
	const watcher = await ChannelClient.join(t, broker.url, passwordOf(tokens.watch));
	await watcher.follow(chain.channel);
	await watcher.link.subscribe(topics.receiptFilter(chain.channel));
	await until('all has arrived', () => watcher.receipts().length === 1);
	assert.equal([watcher.chains().length, watcher.documents().length], [1, 1]);
	for (const attempt of [
		() => watcher.keys(chain),
		() => watcher.document(document()),
		() => watcher.receipt(chain.channel, RECEIPT),
	]) {
		await rejects(attempt());
		await until('it is back', () => watcher.link.isUp);
	}
	assert.is(broker.stats().refused.watcher, 3);
});

test('T29: subscriptions to keys and documents are not limited as wide ones, those to receipts are', async (t) => {
	const broker = await startBroker(t, {
		tracker: false,
		limits: { wideBurst: 2, subscriptions: 99 },
	});
	const client = await ChannelClient.join(t, broker.url);
	for (let number = 0; number < 20; number += 1) {
		await client.follow(seedId(number));
	}
	await client.link.subscribe(topics.receiptFilter(seedId(1)));
	await client.link.subscribe(topics.receiptFilter(seedId(2)));
	await rejects(client.link.subscribe(topics.receiptFilter(seedId(3))));
	assert.is(broker.stats().refused.subscriptions, 1);
});

test('the tracker gets no message of a channel, and a receipt does not reserve the id of its node', async (t) => {
	const broker = await startBroker(t);
	const { chain, document } = makeChannel();
	const { channel: id } = chain;
	const member = await Member.join(t, broker.url);
	const ann = await ChannelClient.join(t, broker.url);
	const before = broker.tracker?.stats();
	await ann.keys(chain);
	await ann.document(document());
	await ann.receipt(id, RECEIPT);
	assert.equal(await member.listed(), []);
	const { requests, ...after } = broker.tracker?.stats() ?? { requests: undefined };
	assert.is(requests?.get_seed, 1);
	assert.equal({ ...after, requests: before?.requests }, before);
	const own = [topics.channel, topics.channelKeys, topics.receipt].map((build) =>
		build.call(topics, id, ann.id).split('/'),
	);
	for (const filter of topics.trackerFilters()) {
		assert.not.ok(
			own.some((topic) => isMatch(topic, filter.split('/'))),
			filter,
		);
	}
	await ann.link.close();
	await ChannelClient.join(t, broker.url, { id: ann.id, password: 'another' });
	assert.equal([broker.stats().channels, broker.stats().receipts], [1, 1]);
});

test('channels and receipts are in the metrics, and a receipt is deleted when its time has passed', async (t) => {
	const limits = { receiptTtl: 3_000, stall: 200 };
	const broker = await startBroker(t, { tracker: false, limits });
	// It loads a library, which takes time.
	const metrics = await brokerMetrics(broker);
	const { chain } = makeChannel();
	const ann = await ChannelClient.join(t, broker.url);
	await ann.keys(chain);
	await ann.receipt(chain.channel, RECEIPT);
	await until('both are stored', () => broker.stats().retained === 2);
	const text = await metrics.metrics();
	assert.match(text, /^shoal_channels 1$/m);
	assert.match(text, /^shoal_receipts 1$/m);
	await until('the receipt is deleted', () => broker.stats().receipts === 0);
	assert.is(broker.stats().channels, 1);
});

test.run();
