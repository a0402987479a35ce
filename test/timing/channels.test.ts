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
import { ChannelClient } from '../helpers/harness/channel-client.ts';
import { spawnBroker } from '../helpers/harness/shoal.ts';
import { judge, timingSuite } from '../helpers/harness/timing.ts';
import { until } from '../helpers/harness/until.ts';

const test = await timingSuite('channels');
const topics = new Topics();
const DELAY = { unit: 'ms', most: 100 };

const FLOODS: Readonly<Record<string, Buffer>> = {
	'4,000 receipts': receipts(4_000),
	'4,000 documents without keys': documentsOfChannels(4_000),
	'the keys of 800 channels': keysOfChannels(800),
	'4,000 new documents': newDocuments(4_000),
	'4,000 copies of a document': copies(4_000),
};

for (const [what, flood] of Object.entries(FLOODS)) {
	test(`T29: ${what} of one node delay no other client`, async (t) => {
		await judge(`p99 beside ${what}`, DELAY, async () => {
			const { url } = await spawnBroker(t);
			const evil = await connectRaw(t, Number(new URL(url).port), EVIL);
			const pinger = await Pinger.join(t, url);
			return await pinger.p99While(() => pour(evil, flood));
		});
	});
}

test('1,000 receipts reach a new subscriber within 1 s', async (t) => {
	const { url } = await spawnBroker(t);
	const port = Number(new URL(url).port);
	const { channel } = makeChannel().chain;
	const text = Buffer.alloc(1_000, 'x');
	for (let number = 0; number < 1_000; number += 1) {
		const node = `node-${number}-of-many`;
		const client = await connectRaw(t, port, node);
		await pour(client, publishPacket(topics.receipt(channel, node), text, 0x33));
		client.socket.destroy();
	}
	await judge('1,000 receipts', { unit: 'ms', most: 1_000 }, async () => {
		const fleet = await ChannelClient.join(t, url);
		const begun = performance.now();
		await fleet.link.subscribe(topics.receiptFilter(channel));
		await until('all receipts', () => fleet.messages.length === 1_000);
		return performance.now() - begun;
	});
});

test.run();
