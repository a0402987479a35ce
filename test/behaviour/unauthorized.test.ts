import * as assert from 'uvu/assert';
import { makeTokens } from '../../broker/access/token-auth.ts';
import type { Broker } from '../../broker/index.ts';
import { encodeJson, Link, makeNodeId, Topics } from '../../protocol/index.ts';
import {
	connectRaw,
	messagesOf,
	publishPacket,
	subscribePacket,
} from '../helpers/adversaries/raw-client.ts';
import { seedId, state } from '../helpers/fixtures/registry.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { rejects } from '../helpers/harness/rejects.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('unauthorized clients');
const topics = new Topics();

async function open(t: Scope, { url }: Broker, token: string, id = makeNodeId()): Promise<Link> {
	const link = await Link.open({ url, id, password: `${token}:secret of ${id}` });
	t.defer(() => link.close());
	return link;
}

test('T20: a client without the token is refused, whatever it guesses', async (t) => {
	const tokens = makeTokens();
	const broker = await startBroker(t, { tokens });
	for (const token of ['', 'admin', tokens.node.slice(1), `${tokens.node}x`]) {
		assert.is((await rejects(open(t, broker, token))).code, 'ERR_REFUSED', token);
	}
	const { received } = await connectRaw(t, broker.port, 'anonymous-1');
	assert.is(received[0]?.[3], 5, 'not authorised: MQTT 3.1.1, 3.2.2.3');
	assert.is(broker.stats().refused.token, 5);
	assert.is(broker.stats().clients, 0);
});

test('T7: the will of a watcher is not published', async (t) => {
	const tokens = makeTokens();
	const broker = await startBroker(t, { tokens });
	const id = makeNodeId();
	const will = () => ({ topic: topics.nodeState(id), payload: Buffer.from('{}') });
	const link = await Link.open({ url: broker.url, id, password: `${tokens.watch}:secret`, will });
	t.defer(() => link.close());
	await rejects(link.publish(topics.trackerRequest(id), Buffer.from('{}')));
	await until('message and will were refused', () => broker.stats().refused.watcher >= 2);
});

test('T9: 25 connects with the id of a node neither disconnect the node nor take its id while its state is retained', async (t) => {
	const tokens = makeTokens();
	const broker = await startBroker(t, { tokens });
	const victim = await open(t, broker, tokens.node);
	await victim.retain(topics.nodeState(victim.id), encodeJson(state(victim.session)));
	let downs = 0;
	victim.on('down', () => {
		downs += 1;
	});
	const steal = async (): Promise<string | undefined> => {
		const password = `${tokens.node}:guess`;
		return (await rejects(Link.open({ url: broker.url, id: victim.id, password }))).code;
	};
	for (let tries = 0; tries < 25; tries += 1) {
		assert.is(await steal(), 'ERR_ID_TAKEN');
	}
	assert.is(downs, 0);
	assert.is(broker.stats().refused.taken, 25);
	await victim.close();
	await until('it has left', () => broker.stats().clients === 0);
	assert.is(await steal(), 'ERR_ID_TAKEN', 'its state is still retained');
	assert.ok((await open(t, broker, tokens.node, victim.id)).isUp, 'the node itself comes back');
});

for (const filter of [
	...['#', '+/#', 'shoal/#', '$SYS/#', '$share/g/#'],
	...['shoal/1/inbox/+/chunk/+', 'shoal/1/swarm/+/+'],
]) {
	test(`T8: a subscription to ${filter} delivers no message of others, live or retained`, async (t) => {
		const broker = await startBroker(t);
		const [ann, bob] = [await open(t, broker, ''), await open(t, broker, '')];
		const swarm = topics.swarm(seedId(1), 'sender-01');
		await bob.subscribe(topics.inboxFilter(bob.id));
		await bob.subscribe(swarm);
		let got = 0;
		bob.on('message', () => {
			got += 1;
		});
		await ann.retain(topics.nodeState(ann.id), encodeJson(state(ann.session)));
		const spy = await connectRaw(t, broker.port, 'evil-reader');
		spy.socket.write(subscribePacket(filter));
		await until('SUBACK', () => Buffer.concat(spy.received).length >= 9);
		assert.is(Buffer.concat(spy.received).at(-1), 128);
		const sender = await connectRaw(t, broker.port, 'sender-01');
		for (const topic of [topics.chunk(bob.id, 'sender-01'), swarm]) {
			sender.socket.write(publishPacket(topic, Buffer.alloc(64)));
		}
		await ann.publish(topics.reply(bob.id, ann.id), Buffer.from('{}'));
		await until('the intended receiver has all messages', () => got === 3);
		assert.equal(messagesOf(spy), []);
	});
}

test.run();
