import { createServer, type Socket } from 'node:net';
import * as assert from 'uvu/assert';
import { BrokerChoice } from '../../../protocol/link/broker-choice.ts';
import { Link } from '../../../protocol/link/link.ts';
import { acceptOnly, startFakeBroker } from '../../helpers/adversaries/fake-broker.ts';
import { startPlainBroker } from '../../helpers/harness/plain-broker.ts';
import { rejects } from '../../helpers/harness/rejects.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('a list of brokers');
// Nothing listens on this port.
const NOWHERE = 'mqtt://127.0.0.1:1';

async function open(t: Scope, urls: readonly string[]): Promise<Link> {
	const [url = '', ...others] = urls;
	const link = await Link.open({
		url,
		others: others.map((each) => ({ url: each })),
		id: 'node-one',
		random: () => 0,
	});
	t.defer(() => link.close());
	return link;
}

test('the first broker that can be reached is used', async (t) => {
	const [first, second] = [await startPlainBroker(t), await startPlainBroker(t)];
	const link = await open(t, [NOWHERE, first.url, second.url]);
	assert.is(link.url, first.url);
	assert.equal(link.urls, [NOWHERE, first.url, second.url]);
});

test('the error for a list names every broker, and no password', async (t) => {
	const refusing = await startFakeBroker(t, (_packet, reply) => {
		reply({ cmd: 'connack', returnCode: 5, sessionPresent: false });
	});
	const { code, message } = await rejects(open(t, ['mqtt://me:hunter2@127.0.0.1:1', refusing.url]));
	assert.is(code, 'ERR_REFUSED');
	assert.match(message, 'none of the 2 brokers can be used: the broker at mqtt://127.0.0.1:1 ');
	assert.match(message, `the broker at ${refusing.url} requires a token`);
	assert.not.match(message, 'hunter2');
});

test('an id that is taken is not tried at the next broker', async (t) => {
	const taken = await startFakeBroker(t, (_packet, reply) => {
		reply({ cmd: 'connack', returnCode: 2, sessionPresent: false });
	});
	const other = await startPlainBroker(t);
	assert.is((await rejects(open(t, [taken.url, other.url]))).code, 'ERR_ID_TAKEN');
});

test('when its broker ends, a link goes on at the next one, with all subscriptions', async (t) => {
	const [first, second] = [await startPlainBroker(t), await startPlainBroker(t)];
	const link = await open(t, [first.url, second.url]);
	await link.subscribe('news');
	const received: string[] = [];
	link.on('message', ({ topic }) => received.push(topic));
	await first.stop();
	await until('it is at the second', () => link.isUp && link.url === second.url);
	await link.publish('news', new Uint8Array([1]));
	await until('the message has arrived', () => received.length === 1);

	// The list is a ring: after the last comes the first.
	await startPlainBroker(t, first.port);
	await second.stop();
	await until('it is at the first again', () => link.isUp && link.url === first.url);
});

test('a connection that breaks is made again with the same broker', async (t) => {
	const [first, second] = [await startPlainBroker(t), await startPlainBroker(t)];
	const link = await open(t, [NOWHERE, first.url, second.url]);
	const { session } = link;
	link.drop();
	await until('it is up again', () => link.isUp && link.session !== session);
	assert.is(link.url, first.url);
});

test('a broker that accepts the connection and is silent is left for the next', async (t) => {
	const sockets: Socket[] = [];
	const silent = createServer((socket) => sockets.push(socket));
	await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
	t.defer(() => {
		for (const socket of sockets) {
			socket.destroy();
		}
		return new Promise((resolve) => silent.close(resolve));
	});
	const { port } = silent.address() as { port: number };
	const other = await startPlainBroker(t);
	const link = await open(t, [`mqtt://127.0.0.1:${port}`, other.url]);
	assert.is(link.url, other.url);
});

test('each broker gets its own credentials', async (t) => {
	const seen: string[] = [];
	const broker = await startFakeBroker(t, (packet, reply, socket) => {
		if (packet.cmd === 'connect') {
			seen.push(`${packet.username}:${packet.password}`);
		}
		acceptOnly(packet, reply, socket);
	});
	const others = [{ url: broker.url, password: 'of the second' }];
	const link = await Link.open({ url: NOWHERE, password: 'of the first', others, id: 'node-one' });
	t.defer(() => link.close());
	assert.equal(seen, ['node-one:of the second']);
});

test('a round tries all brokers within a moment; the rounds come less and less often', () => {
	const choice = new BrokerChoice(['a', 'b', 'c'], 10_000, () => 1);
	const steps = Array.from({ length: 7 }, () => {
		const step = [choice.broker, choice.pause(), choice.connectTimeout];
		choice.next();
		return step;
	});
	assert.equal(steps, [
		['a', 250, 2_000],
		['b', 250, 2_000],
		['c', 250, 2_000],
		['a', 500, 10_000],
		['b', 250, 10_000],
		['c', 250, 10_000],
		['a', 1_000, 2_000],
	]);
	choice.ended(5_000);
	assert.equal([choice.broker, choice.pause(), choice.connectTimeout], ['b', 250, 2_000]);
});

test('a broker that cuts one connection after the other counts as failed', () => {
	const choice = new BrokerChoice(['a', 'b'], 10_000, () => 1);
	const steps = [100, 100, 100, 6_000, 100, 100].map((ms) => {
		choice.ended(ms);
		return [choice.broker, choice.pause()];
	});
	assert.equal(steps, [
		['a', 250],
		['b', 250],
		['a', 500],
		['a', 250],
		['a', 250],
		['b', 250],
	]);
});

test('a broker that cuts each client soon after its CONNECT is left for the next', async (t) => {
	const cutting = await startFakeBroker(t, (packet, reply, socket) => {
		acceptOnly(packet, reply, socket);
		setImmediate(() => socket.end());
	});
	const other = await startPlainBroker(t);
	const link = await open(t, [cutting.url, other.url]);
	await until('it is at the other', () => link.isUp && link.url === other.url);
});

test('a broker that is alone gets all the time', () => {
	assert.is(new BrokerChoice(['a'], 10_000, () => 1).connectTimeout, 10_000);
});

test.run();
