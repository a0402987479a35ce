import { once } from 'node:events';
import { Aedes } from 'aedes';
import { parser } from 'mqtt-packet';
import * as assert from 'uvu/assert';
import type { Broker } from '../../../broker/index.ts';
import { Topics } from '../../../protocol/index.ts';
import {
	connectPacket,
	connectRaw,
	messagesOf,
	openRaw,
	publishPacket,
	type RawClient,
	subscribePacket,
} from '../../helpers/adversaries/raw-client.ts';
import { seedId } from '../../helpers/fixtures/registry.ts';
import { startBroker } from '../../helpers/harness/broker.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('chunk forwarder');
const topics = new Topics();
const SENDER = 'sender-01';
const SWARM = topics.swarm(seedId(1), SENDER);
const PINGREQ = Buffer.from([0xc0, 0]);
const LARGEST = 256 * 1024;
const CHUNK = Buffer.alloc(100_000, 'chunk');

/** 512 KiB in which no four bytes are repeated, so that bytes from a wrong place are noticed. */
const PATTERN = Buffer.alloc(2 * LARGEST);
for (let at = 0; at < PATTERN.length; at += 4) {
	PATTERN.writeUInt32BE((at * 2_654_435_761) % 2 ** 32, at);
}

/** The payload of message `number`: the number, then a range of the pattern that depends on it. */
function payloadOf(number: number): Buffer {
	const length = number % 3 === 0 ? LARGEST : 4 + ((number * 7_919) % LARGEST);
	const payload = Buffer.from(PATTERN.subarray(number, number + length));
	payload.writeUInt32BE(number);
	return payload;
}

/** A client that checks every byte it receives, and records the numbers of the messages. */
async function startReader(t: Scope, broker: Broker, id: string): Promise<Reader> {
	const client = await connectRaw(t, broker.port, id);
	const numbers: number[] = [];
	const wrong: number[] = [];
	const reader = parser();
	reader.on('packet', (each) => {
		if (each.cmd === 'publish') {
			const payload = each.payload as Buffer;
			const number = payload.readUInt32BE();
			numbers.push(number);
			if (each.topic !== SWARM || !payload.equals(payloadOf(number))) {
				wrong.push(number);
			}
		} else if (each.cmd === 'pingresp') {
			reader.emit('pong');
		}
	});
	client.socket.removeAllListeners('data');
	client.socket.on('data', (bytes) => reader.parse(bytes));
	client.socket.write(subscribePacket(SWARM));
	await once(reader, 'packet');
	const catchUp = async (): Promise<void> => {
		const answered = once(reader, 'pong');
		client.socket.resume();
		client.socket.write(PINGREQ);
		await answered;
		client.socket.pause();
	};
	return { client, numbers, wrong, catchUp };
}

interface Reader {
	readonly client: RawClient;
	readonly numbers: number[];
	readonly wrong: number[];
	/** Reads all that is queued for the client now, and then stops reading. */
	readonly catchUp: () => Promise<void>;
}

/** A client that is subscribed to its inbox, or to `filters`. */
async function listen(
	t: Scope,
	broker: Broker,
	id: string,
	filters: readonly string[] = [topics.inboxFilter(id)],
): Promise<RawClient> {
	const client = await connectRaw(t, broker.port, id);
	for (const filter of filters) {
		client.socket.write(subscribePacket(filter));
	}
	await until('SUBACK', () => Buffer.concat(client.received).length >= 4 + 5 * filters.length);
	return client;
}

test('four readers receive only right bytes, although one is slow and one vanishes', async (t) => {
	const broker = await startBroker(t, { tracker: false });
	const sender = await connectRaw(t, broker.port, SENDER);
	const [ann, bob, slow, gone] = (await Promise.all(
		['reader-01', 'reader-02', 'reader-03', 'reader-04'].map((id) => startReader(t, broker, id)),
	)) as [Reader, Reader, Reader, Reader];
	slow.client.socket.pause();
	const count = 1_200;
	const batch = 20;
	const keepUp = new Set([ann, bob, gone]);
	for (let number = 0; number < count; number += batch) {
		for (let next = number; next < number + batch; next += 1) {
			sender.socket.write(publishPacket(SWARM, payloadOf(next)));
		}
		if (number === count / 2) {
			keepUp.delete(gone);
			gone.client.socket.pause();
		}
		if (number === count / 2 + 10 * batch) {
			gone.client.socket.destroy();
		}
		const sent = number + batch;
		await until('all have it', () => [...keepUp].every(({ numbers }) => numbers.length === sent));
		// About 18 MB are more than the queue of one client and the buffers of the system hold.
		if (sent % (6 * batch) === 0) {
			await slow.catchUp();
		}
	}
	const all = Array.from({ length: count }, (_, number) => number);
	assert.equal(ann.numbers, all);
	assert.equal(bob.numbers, all);
	for (const { numbers, wrong } of [ann, bob, slow, gone]) {
		assert.equal(wrong, []);
		assert.ok(numbers.length >= count / 8, `${numbers.length} messages`);
		assert.ok(numbers.every((number, at) => at === 0 || number > (numbers[at - 1] as number)));
	}
	assert.ok(broker.stats().shed > 0);
	assert.is(broker.stats().cut, 0);
});

test('a client that subscribes to its chunks with another filter receives them, too', async (t) => {
	const broker = await startBroker(t);
	const sender = await connectRaw(t, broker.port, SENDER);
	const filters = ['chunk/#', 'chunk/+', `chunk/${SENDER}`, '+/+'];
	for (const [place, filter] of filters.entries()) {
		const id = `reader-0${place}`;
		const reader = await listen(t, broker, id, [`${topics.root}/inbox/${id}/${filter}`]);
		sender.socket.write(publishPacket(topics.chunk(id, SENDER), CHUNK));
		await until(`${filter} has it`, () => messagesOf(reader).length === 1);
		assert.ok(CHUNK.equals(messagesOf(reader)[0]?.payload as Buffer));
	}
});

test('a chunk in the name of another, retained, or with QoS 1 or 2 reaches nobody, and its sender is cut', async (t) => {
	const broker = await startBroker(t);
	const ann = await listen(t, broker, 'reader-01');
	const own = topics.chunk('reader-01', SENDER);
	const refused = [
		['spoof', publishPacket(topics.chunk('reader-01', 'another-1'), CHUNK)],
		['retain', publishPacket(own, CHUNK, 0x31)],
		['qos', publishPacket(own, CHUNK, 0x32)],
		['qos', publishPacket(own, CHUNK, 0x34)],
	] as const;
	for (const [why, bytes] of refused) {
		const before = broker.stats().refused[why];
		const { socket, isClosed } = await connectRaw(t, broker.port, SENDER);
		socket.write(bytes);
		await until(`it is cut for ${why}`, isClosed);
		assert.is(broker.stats().refused[why], before + 1);
	}
	assert.equal(messagesOf(ann), []);
});

test('a client receives no chunks for a refused subscription', async (t) => {
	const broker = await startBroker(t, { limits: { subscriptions: 1 } });
	const sender = await connectRaw(t, broker.port, SENDER);
	const ann = await listen(t, broker, 'reader-01', [topics.inboxFilter('reader-01'), SWARM]);
	assert.is(broker.stats().refused.subscriptions, 1);
	const evil = await listen(t, broker, 'reader-02', [topics.inboxFilter('reader-01')]);
	sender.socket.write(publishPacket(SWARM, CHUNK));
	sender.socket.write(publishPacket(topics.chunk('reader-01', SENDER), CHUNK));
	await until('its own has come', () => messagesOf(ann).length > 0);
	assert.equal(
		messagesOf(ann).map(({ topic }) => topic),
		[topics.chunk('reader-01', SENDER)],
	);
	assert.equal(messagesOf(evil), []);
	assert.is(broker.stats().refused.forward, 0);
});

test('a client receives no chunks after it unsubscribed, nor for subscriptions of an earlier connection', async (t) => {
	const broker = await startBroker(t);
	const sender = await connectRaw(t, broker.port, SENDER);
	const ann = await listen(t, broker, 'reader-01', [SWARM]);
	const bob = await listen(t, broker, 'reader-02', [SWARM]);
	const unsubscribe = subscribePacket(SWARM).subarray(0, -1);
	unsubscribe[0] = 0xa2;
	unsubscribe[1] = (unsubscribe[1] as number) - 1;
	ann.socket.write(unsubscribe);
	await until('UNSUBACK', () => Buffer.concat(ann.received).length === 4 + 5 + 4);
	sender.socket.write(publishPacket(SWARM, CHUNK));
	await until('bob has it', () => messagesOf(bob).length === 1);
	bob.socket.destroy();
	await until('bob is gone', () => broker.stats().clients === 2);
	const again = await listen(t, broker, 'reader-02', []);
	const late = await listen(t, broker, 'reader-03', [SWARM]);
	sender.socket.write(publishPacket(SWARM, CHUNK));
	await until('the new one has it', () => messagesOf(late).length === 1);
	assert.equal([ann, again].flatMap(messagesOf), []);
});

test('a chunk sent together with CONNECT is delivered, unless the CONNECT is refused', async (t) => {
	const broker = await startBroker(t);
	const ann = await listen(t, broker, 'reader-01');
	const small = publishPacket(topics.chunk('reader-01', SENDER), Buffer.from('early'));
	const evil = await openRaw(t, broker.port);
	evil.socket.write(Buffer.concat([connectPacket('reader-01'), small]));
	await until('it is refused', evil.isClosed);
	const sender = await openRaw(t, broker.port);
	sender.socket.write(Buffer.concat([connectPacket(SENDER), small]));
	await until('it arrives', () => messagesOf(ann).length > 0);
	assert.is(messagesOf(ann).length, 1);
});

test('a large message with a malformed topic ends only the connection of its sender', async (t) => {
	const broker = await startBroker(t);
	const ann = await listen(t, broker, 'reader-01');
	const { socket, isClosed } = await connectRaw(t, broker.port, SENDER);
	const malformed = publishPacket(SWARM, CHUNK);
	malformed[6] = 0xff;
	socket.write(malformed);
	await until('it is cut', isClosed);
	assert.not.ok(ann.isClosed());
});

/** Delays messages with QoS 1 by 5 ms in every Aedes that starts during the test. */
function delayQos1(t: Scope): void {
	const { listen } = Aedes.prototype;
	t.defer(() => Object.assign(Aedes.prototype, { listen }));
	Aedes.prototype.listen = async function () {
		await listen.call(this);
		const { persistence } = this as unknown as { persistence: Persistence };
		const find = persistence.subscriptionsByTopic.bind(persistence);
		persistence.subscriptionsByTopic = async (topic) => {
			await new Promise((resolve) => setTimeout(resolve, 5));
			return await find(topic);
		};
	};
}

interface Persistence {
	subscriptionsByTopic(topic: string): Promise<unknown>;
}

test('a message with QoS 1 is not lost if messages with QoS 0 overtake it', async (t) => {
	delayQos1(t);
	const broker = await startBroker(t);
	const sender = await connectRaw(t, broker.port, SENDER);
	const ann = await listen(t, broker, 'reader-01');
	const reply = publishPacket(topics.reply('reader-01', SENDER), Buffer.from('{}'), 0x32);
	const request = publishPacket(topics.request('reader-01', SENDER), Buffer.from('{}'));
	for (let round = 0; round < 20; round += 1) {
		sender.socket.write(Buffer.concat([reply, request, request]));
	}
	await until('all are there', () => messagesOf(ann).length === 60);
	assert.is(messagesOf(ann).filter(({ qos }) => qos === 1).length, 20);
});

test.run();
