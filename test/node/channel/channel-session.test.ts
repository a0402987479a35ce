import * as assert from 'uvu/assert';
import { ChannelSession } from '../../../node/channel/channel-session.ts';
import { Link, makeNodeId, Topics } from '../../../protocol/index.ts';
import { makeChannel, verify } from '../../helpers/fixtures/channel-keys.ts';
import { startBroker } from '../../helpers/harness/broker.ts';
import { ChannelClient } from '../../helpers/harness/channel-client.ts';
import { startPlainBroker } from '../../helpers/harness/plain-broker.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('session of a channel');
const topics = new Topics();

async function open(
	t: Scope,
	url: string,
	channel: string,
	options: { isKeeper?: boolean; random?: () => number } = {},
) {
	const link = await Link.open({ url, id: makeNodeId(), random: () => 0 });
	t.defer(() => link.close());
	const { isKeeper = true, random = () => 0 } = options;
	const about = { link, topics, channel, verify, isKeeper, random, warn: () => {} };
	const session = await ChannelSession.open(about);
	t.defer(() => session.close());
	return { link, session };
}

test('a broker that has forgotten gets the document back from a follower, without the publisher', async (t) => {
	const { chain, document } = makeChannel();
	const broker = await startBroker(t);
	const { url, port } = broker;
	const publisher = await open(t, url, chain.channel, { isKeeper: false });
	await publisher.session.publish(chain, document({ seq: 4 }));
	const follower = await open(t, url, chain.channel);
	await until('the follower has it', () => follower.session.newest?.seq === 4);
	await publisher.link.close();
	await broker.close();
	await startBroker(t, { port });
	await until('the follower is back', () => follower.link.isUp);
	const late = await open(t, url, chain.channel, { isKeeper: false });
	assert.is(late.session.newest, undefined);
	await until('the late follower has it', () => late.session.newest?.seq === 4, 10_000);
});

test('a follower that has published an older document replaces it, or withdraws it', async (t) => {
	const { chain, document } = makeChannel();
	const { url } = await startBroker(t);
	const keepers = await Promise.all([0, 1, 2].map(() => open(t, url, chain.channel)));
	const follower = await open(t, url, chain.channel, { random: () => 0.05 });
	await follower.session.publish(chain, document({ seq: 1 }));
	await Promise.all(
		keepers.map(({ session }) => session.publish(chain, document({ seq: 2 })).catch(() => {})),
	);
	await until('the follower has the newer one', () => follower.session.newest?.seq === 2);
	const watcher = await Link.open({ url, id: makeNodeId() });
	t.defer(() => watcher.close());
	const own = topics.channel(chain.channel, follower.link.id);
	const seqOf = async (): Promise<string> => {
		let text = '';
		const off = watcher.on('message', ({ payload }) => {
			text = Buffer.from(payload).toString();
		});
		await watcher.subscribe(own);
		await new Promise((resolve) => setTimeout(resolve, 50));
		await watcher.unsubscribe(own);
		off();
		return text.split('\n')[3] ?? '';
	};
	await until('the older document is gone', async () => (await seqOf()) !== '0 1', 10_000);
});

test('each refusal of a sender is told once', async (t) => {
	const { chain, document } = makeChannel();
	const { url } = await startBroker(t);
	const { session } = await open(t, url, chain.channel, { isKeeper: false });
	const refused: unknown[] = [];
	session.on('refused', ({ reason, seq }) => refused.push([reason, seq]));
	const publisher = await open(t, url, chain.channel, { isKeeper: false });
	await publisher.session.publish(chain, document({ seq: 4 }));
	await until('the document', () => session.newest?.seq === 4);
	const replayer = await Link.open({ url, id: makeNodeId() });
	t.defer(() => replayer.close());
	for (const seq of [1, 1, 2, 1]) {
		const topic = topics.channel(chain.channel, replayer.id);
		await replayer.publish(topic, document({ seq }).text);
	}
	await until('both are refused', () => refused.length >= 2);
	assert.equal(refused, [
		['older', 1],
		['older', 2],
	]);
});

test('handlers that are given at the start hear of retained messages, however early they arrive', async (t) => {
	const { url } = await startPlainBroker(t);
	const { chain, document } = makeChannel();
	const ann = await ChannelClient.join(t, url);
	await ann.keys(chain);
	await ann.document(document({ seq: 5 }));
	const evil = await ChannelClient.join(t, url);
	const forged = Buffer.from(document({ seq: 9 }).text);
	forged[forged.indexOf('lab')] = 76;
	await evil.document({ channel: chain.channel, text: forged });
	const link = await Link.open({ url, id: makeNodeId() });
	t.defer(() => link.close());
	const heard: string[] = [];
	const session = await ChannelSession.open({
		...{ link, topics, channel: chain.channel, verify, isKeeper: false },
		warn: () => {},
		handlers: {
			newest: ({ seq }) => heard.push(`newest ${seq}`),
			refused: ({ reason, from }) => heard.push(`${reason} from ${from}`),
		},
	});
	t.defer(() => session.close());
	await until('both are heard of', () => heard.length === 2);
	assert.equal(heard.sort(), [`forged from ${evil.id}`, 'newest 5'].sort());
});

test.run();
