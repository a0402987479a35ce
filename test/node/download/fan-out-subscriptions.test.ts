import * as assert from 'uvu/assert';
import { FanOutSubscriptions } from '../../../node/download/fan-out-subscriptions.ts';
import { RateLimiter } from '../../../node/util/rate-limiter.ts';
import { Link, makeNodeId, Topics } from '../../../protocol/index.ts';
import { acceptOnly, startFakeBroker } from '../../helpers/adversaries/fake-broker.ts';
import { contentOf, seedOf } from '../../helpers/fixtures/seeds.ts';
import { startBroker } from '../../helpers/harness/broker.ts';
import { openContext } from '../../helpers/harness/context.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('subscriptions to fan-out topics');
const MIB = 1024 * 1024;

/** The subscriptions of a download that is subscribed to the topic of `node`. */
async function subscribed(t: Scope) {
	const { url } = await startBroker(t);
	const fanOut = new FanOutSubscriptions(await openContext(t, url), seedOf(contentOf(10)).id);
	t.defer(() => fanOut.close());
	const node = makeNodeId();
	fanOut.join(node);
	await until('the broker confirms', () => fanOut.hears(node));
	return { fanOut, node };
}

test('a download remembers the offset of the last message', async (t) => {
	const { fanOut, node } = await subscribed(t);
	assert.is(fanOut.lastFrom(node), undefined);
	assert.ok(fanOut.accepts(node, 512));
	assert.is(fanOut.lastFrom(node), 512);
	assert.not.ok(fanOut.accepts('another', 512));
});

test('a download that needs a topic no more still accepts answers to its open requests', async (t) => {
	const { fanOut, node } = await subscribed(t);
	fanOut.retire(node);
	assert.not.ok(fanOut.hears(node), 'further requests are to be answered to this node alone');
	assert.ok(fanOut.accepts(node, 0));
	await until('it has unsubscribed', () => !fanOut.accepts(node, 0));
});

test('a download that needs a topic again stays subscribed', async (t) => {
	const { fanOut, node } = await subscribed(t);
	fanOut.retire(node);
	fanOut.join(node);
	assert.ok(fanOut.hears(node));
	await new Promise((resolve) => setTimeout(resolve, 2_100));
	assert.ok(fanOut.accepts(node, 0));
});

test('a download leaves a topic with mostly useless bytes, and does not return', async (t) => {
	const { fanOut, node } = await subscribed(t);
	fanOut.count(node, 8 * MIB, 4 * MIB);
	assert.ok(fanOut.hears(node), 'half of the bytes are useful');
	fanOut.count(node, 8 * MIB, 3 * MIB);
	assert.not.ok(fanOut.hears(node));
	assert.ok(fanOut.accepts(node, 0));
	fanOut.join(node);
	assert.not.ok(fanOut.hears(node));
});

test('a download leaves the topic of a node that sent a wrong chunk at once', async (t) => {
	const { fanOut, node } = await subscribed(t);
	fanOut.leave(node);
	assert.not.ok(fanOut.accepts(node, 0));
	fanOut.join(node);
	assert.not.ok(fanOut.accepts(node, 0));
});

/** The subscriptions of a download that uses `link`. */
function fanOutOf(t: Scope, link: Link, warn: (error: unknown) => void = () => {}) {
	const context = { link, topics: new Topics(), downLimiter: new RateLimiter(undefined), warn };
	const fanOut = new FanOutSubscriptions(context, seedOf(contentOf(10)).id);
	t.defer(() => fanOut.close());
	return fanOut;
}

test('if the broker ends each connection at a subscription, the third is the last, and that is told once', async (t) => {
	const broker = await startFakeBroker(t, (packet, reply, socket) => {
		acceptOnly(packet, reply, socket);
		if (packet.cmd === 'subscribe') {
			socket.destroy();
		} else if (packet.cmd === 'publish') {
			reply({ cmd: 'puback', messageId: packet.messageId as number });
		}
	});
	// Without a random part of the pause between two attempts.
	const link = await Link.open({ url: broker.url, id: makeNodeId(), random: () => 0 });
	t.defer(() => link.close());
	const warnings: unknown[] = [];
	const fanOut = fanOutOf(t, link, (error) => warnings.push(error));
	let sessions = 1;
	link.on('up', () => {
		sessions += 1;
		fanOut.join(makeNodeId());
		fanOut.join(makeNodeId());
	});
	fanOut.join(makeNodeId());
	fanOut.join(makeNodeId());
	await until('it is connected for the fourth time', () => sessions === 4);
	await link.publish('any', new Uint8Array());
	assert.is(warnings.length, 1);
	assert.match(
		String(warnings[0]),
		/3 connections .* have ended at a subscription to shoal\/1\/swarm/,
	);
	assert.ok(link.isUp);
});

test('a subscription that fails because the connection ends is not made again', async (t) => {
	const subscribed = (): number => broker.packets.filter(({ cmd }) => cmd === 'subscribe').length;
	const broker = await startFakeBroker(t, (packet, reply, socket) => {
		acceptOnly(packet, reply, socket);
		if (packet.cmd === 'subscribe' && subscribed() === 1) {
			socket.destroy();
		} else if (packet.cmd === 'subscribe') {
			reply({ cmd: 'suback', messageId: packet.messageId as number, granted: [0] });
		}
	});
	const link = await Link.open({ url: broker.url, id: makeNodeId() });
	t.defer(() => link.close());
	let isUpAgain = false;
	link.on('up', () => {
		isUpAgain = true;
	});
	const fanOut = fanOutOf(t, link);
	fanOut.join(makeNodeId());
	// A link is up when it has made its subscriptions again.
	await until('it is up again', () => isUpAgain);
	assert.is(subscribed(), 1);
});

test.run();
