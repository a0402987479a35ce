import * as assert from 'uvu/assert';
import { Topics } from '../../protocol/index.ts';
import {
	copies,
	documentsOfChannels,
	keysOfChannels,
	newDocuments,
	receipts,
} from '../helpers/adversaries/channel-floods.ts';
import { EVIL, pour } from '../helpers/adversaries/floods.ts';
import { Pinger } from '../helpers/adversaries/pings.ts';
import { connectRaw, publishPacket } from '../helpers/adversaries/raw-client.ts';
import { makeChannel } from '../helpers/fixtures/channel-keys.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { ChannelClient, retainedOf } from '../helpers/harness/channel-client.ts';
import { peakBytes, resetPeak } from '../helpers/harness/proc.ts';
import { spawnBroker } from '../helpers/harness/shoal.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('floods of channels');
const topics = new Topics();

/** Number of messages in a flood. */
const MANY = 10_000;

/** A broker in this process that a client floods, and its figures after the flood. */
async function flooded(t: Scope, flood: Buffer) {
	const broker = await startBroker(t, { tracker: false });
	const pinger = await Pinger.join(t, broker.url);
	const evil = await connectRaw(t, broker.port, EVIL);
	await Promise.all([pour(evil, flood), pinger.ping()]);
	return { broker, evil, ...broker.stats() };
}

test('T29: of the receipts of one node for 10,000 channels 16 are retained, and the others are counted', async (t) => {
	const { receipts: kept, unkept, retained, evil } = await flooded(t, receipts(MANY));
	assert.equal([kept, retained, unkept], [16, 16, MANY - 16]);
	assert.not.ok(evil.isClosed());
});

test('T29: of the documents of 10,000 channels without keys none is retained', async (t) => {
	const { channels, retained } = await flooded(t, documentsOfChannels(MANY));
	assert.equal([channels, retained], [0, 0]);
});

test('T29: of the keys of 500 channels of one node 16 are retained, and few signatures are checked', async (t) => {
	const { channels, unkept, broker } = await flooded(t, keysOfChannels(500));
	assert.is(channels, 16);
	assert.is(unkept, 500 - 16);
	assert.is(broker.stats().refused.channel, 0);
});

test('T29: of 5,000 new documents of one channel few are checked, and a node that follows gets on', async (t) => {
	const { broker, unkept, retained } = await flooded(t, newDocuments(5_000));
	console.log(`${unkept} of 5,000 documents were not checked`);
	assert.ok(unkept > 4_000, `${unkept}`);
	assert.is(retained, 2);
	const ann = await ChannelClient.join(t, broker.url);
	const { chain, document } = makeChannel();
	await ann.keys(chain);
	await ann.document(document());
	assert.is((await retainedOf(t, broker.url, chain.channel)).documents.length, 1);
});

test('T29: 10,000 copies of a document cost no check, and one is retained', async (t) => {
	const { unkept, retained } = await flooded(t, copies(MANY));
	assert.equal([unkept, retained], [0, 2]);
});

test('T29: a broker retains 1,000 channels and no more', async (t) => {
	const limits = { signatureTotal: 10_000, nodeChannels: 16 };
	const broker = await startBroker(t, { tracker: false, limits });
	const channels = Array.from({ length: 1_008 }, () => makeChannel());
	for (let node = 0; node < 63; node += 1) {
		const ann = await ChannelClient.join(t, broker.url);
		for (const { chain, document } of channels.slice(node * 16, node * 16 + 16)) {
			await ann.keys(chain);
			await ann.document(document());
		}
		await ann.link.close();
	}
	// A document without keys is not one beyond a limit.
	await until('the last is stored', () => broker.stats().unkept === 8);
	assert.equal([broker.stats().channels, broker.stats().retained], [1_000, 2_000]);
	const [first, last] = [channels[0], channels[1_007]];
	const found = async (id = ''): Promise<number> =>
		(await retainedOf(t, broker.url, id)).documents.length;
	assert.equal([await found(first?.chain.channel), await found(last?.chain.channel)], [1, 0]);
});

test('receipts of 1,000 nodes take less than 50 MB in the broker, and all reach one subscriber', async (t) => {
	// More clients connect one after the other than the defaults allow.
	const limits = ['connectBurst=9999', 'addressConnectBurst=9999'];
	const { broker, url } = await spawnBroker(t, ...limits.flatMap((each) => ['--limit', each]));
	const port = Number(new URL(url).port);
	const { channel } = makeChannel().chain;
	const text = Buffer.alloc(1_000, 'x');
	const publishAll = async (topicOf: (node: string) => string, first: number): Promise<void> => {
		for (let block = 0; block < 20; block += 1) {
			const nodes = Array.from({ length: 50 }, (_, slot) => `node-${block}-${slot}-of-many`);
			await Promise.all(
				nodes.map(async (node) => {
					const client = await connectRaw(t, port, node);
					await pour(client, publishPacket(topicOf(node), text, first));
					client.socket.destroy();
				}),
			);
		}
	};
	// The first round makes the broker connect as many clients without a receipt.
	await publishAll((node) => topics.request(node, node), 0x32);
	resetPeak(broker.pid);
	const before = peakBytes(broker.pid);
	await publishAll((node) => topics.receipt(channel, node), 0x33);
	const grown = peakBytes(broker.pid) - before;
	const fleet = await ChannelClient.join(t, url);
	const begun = performance.now();
	await fleet.link.subscribe(topics.receiptFilter(channel));
	await until('all receipts', () => fleet.receipts().length === 1_000);
	console.log(`grew by ${grown} bytes; read in ${Math.round(performance.now() - begun)} ms`);
	assert.ok(grown < 50e6, `grew by ${grown}`);
});

test.run();
