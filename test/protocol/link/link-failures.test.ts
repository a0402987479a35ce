import { generate } from 'mqtt-packet';
import * as assert from 'uvu/assert';
import type { LinkOptions } from '../../../protocol/link/base-link.ts';
import { Link } from '../../../protocol/link/link.ts';
import { type Answer, acceptOnly, startFakeBroker } from '../../helpers/adversaries/fake-broker.ts';
import { nothingLeftOpen, openResources } from '../../helpers/harness/open-resources.ts';
import { startPlainBroker } from '../../helpers/harness/plain-broker.ts';
import { rejects } from '../../helpers/harness/rejects.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';
import { holdTimers } from '../../helpers/harness/timers.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('failures of a link');
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function open(t: Scope, url: string, options: Partial<LinkOptions> = {}): Promise<Link> {
	const link = await Link.open({
		url,
		id: 'node-one',
		will: (session) => ({ topic: 'will', payload: bytes(session) }),
		random: () => 0,
		...options,
	});
	t.defer(() => link.close());
	return link;
}

/** Accepts clients and their subscriptions. */
const acceptAll: Answer = (packet, reply, socket) => {
	acceptOnly(packet, reply, socket);
	if (packet.cmd === 'subscribe') {
		reply({ cmd: 'suback', messageId: packet.messageId as number, granted: [1] });
	}
};

test('opening a link fails at the first error, without another try', async (t) => {
	let connects = 0;
	const broker = await startFakeBroker(t, (_packet, reply) => {
		connects += 1;
		reply({ cmd: 'connack', returnCode: 2, sessionPresent: false });
	});
	const before = openResources();
	assert.is((await rejects(open(t, broker.url))).code, 'ERR_ID_TAKEN');
	await nothingLeftOpen(before);
	await new Promise((resolve) => setTimeout(resolve, 300));
	assert.is(connects, 1);
});

test('a denied subscription is ERR_REFUSED, and is not repeated after a reconnect', async (t) => {
	const { aedes, url } = await startPlainBroker(t);
	aedes.authorizeSubscribe = (_client, subscription, done) => {
		done(null, subscription.topic === '#' ? null : subscription);
	};
	const link = await open(t, url);
	assert.is((await rejects(link.subscribe('#'))).code, 'ERR_REFUSED');
	await link.subscribe('x');
	let isUpAgain = false;
	link.on('up', () => {
		isUpAgain = true;
	});
	link.drop();
	await until('it is up again', () => isUpAgain);
});

test('a link reconnects if the broker fails right after the last SUBACK', async (t) => {
	let connects = 0;
	const broker = await startFakeBroker(t, (packet, reply, socket) => {
		connects += packet.cmd === 'connect' ? 1 : 0;
		if (packet.cmd === 'subscribe' && connects === 2) {
			const messageId = packet.messageId as number;
			const suback = generate({ cmd: 'suback', messageId, granted: [1] });
			socket.end(Buffer.concat([suback, Buffer.from([0xf0, 0xff, 0xff, 0xff, 0xff, 0xff])]));
		} else {
			acceptAll(packet, reply, socket);
		}
	});
	const link = await open(t, broker.url);
	await link.subscribe('x');
	link.drop();
	await until('it is up for the third time', () => connects === 3 && link.isUp);
});

test('a reconnect that fails is tried again, each time a little later', async (t) => {
	const times: number[] = [];
	const broker = await startFakeBroker(t, (packet, reply, socket) => {
		if (packet.cmd === 'connect') {
			times.push(performance.now());
		}
		if (times.length > 1 && times.length < 4) {
			socket.destroy();
		} else {
			acceptAll(packet, reply, socket);
		}
	});
	const link = await open(t, broker.url);
	link.drop();
	await until('it is up again', () => times.length === 4 && link.isUp);
	const gaps = times.slice(1).map((time, index) => time - (times[index] as number));
	// Only the lower bounds are checked, as other work can delay the reconnects.
	const isLater = gaps.every((gap, attempt) => gap > 120 * 2 ** attempt);
	assert.ok(isLater, String(gaps));
});

test('close while the link waits to reconnect leaves nothing open', async (t) => {
	const broker = await startPlainBroker(t);
	const link = await open(t, broker.url);
	const before = openResources();
	await broker.stop();
	await until('it is down', () => !link.isUp);
	await link.close();
	await nothingLeftOpen(before);
});

for (const stage of ['connect', 'subscribe'] as const) {
	test(`close while the broker does not answer the ${stage} of a reconnect leaves nothing open`, async (t) => {
		let isMute = false;
		const broker = await startFakeBroker(t, (packet, reply, socket) => {
			if (!(isMute && packet.cmd === stage)) {
				acceptAll(packet, reply, socket);
			}
		});
		const before = openResources();
		const link = await open(t, broker.url);
		await link.subscribe('x');
		isMute = true;
		link.drop();
		await until(
			'it reconnects',
			() => broker.packets.filter(({ cmd }) => cmd === stage).length === 2,
		);
		await link.close();
		await until('the socket is closed', () => broker.sockets.size === 0);
		await nothingLeftOpen(before);
		assert.not(link.isUp);
	});
}

test('close settles all requests that the broker has not answered', async (t) => {
	const broker = await startFakeBroker(t, acceptOnly);
	const link = await open(t, broker.url);
	const pending = [
		link.publish('x', bytes('1')),
		link.retain('x', bytes('1')),
		link.forget('x'),
		link.subscribe('x'),
		link.unsubscribe('x'),
	].map(rejects);
	link.send('x', new Uint8Array(100));
	const draining = link.drained();
	await link.close();
	for (const error of await Promise.all(pending)) {
		assert.is(error.code, 'ERR_CLOSED');
	}
	await draining;
});

test('a publish without PUBACK is ERR_TIMEOUT, and a publish whose connection is cut is ERR_DISCONNECTED', async (t) => {
	const broker = await startFakeBroker(t, acceptOnly);
	const link = await open(t, broker.url, { timeout: 600_000 });
	const timers = holdTimers(t, 600_000);
	const silent = rejects(link.publish('x', bytes('1')));
	timers.fire();
	assert.is((await silent).code, 'ERR_TIMEOUT');
	const publishing = rejects(link.publish('x', bytes('1')));
	for (const socket of broker.sockets) {
		socket.destroy();
	}
	assert.is((await publishing).code, 'ERR_DISCONNECTED');
});

test('a link over a given stream opens no connection of its own', async (t) => {
	const { connect } = await import('node:net');
	const broker = await startPlainBroker(t);
	const link = await open(t, 'mqtt://127.0.0.1:1', {
		openStream: () => connect(broker.port, '127.0.0.1'),
	});
	await link.publish('x', bytes('1'));
	assert.is(broker.aedes.connectedClients, 1);
});

test.run();
