import { parser } from 'mqtt-packet';
import * as assert from 'uvu/assert';
import { encodeJson, Topics } from '../../protocol/index.ts';
import { ALL_ANNOUNCES, pour } from '../helpers/adversaries/floods.ts';
import {
	connectRaw,
	messagesOf,
	openRaw,
	packet,
	publishPacket,
	subscribePacket,
	text,
} from '../helpers/adversaries/raw-client.ts';
import { announce, seedId } from '../helpers/fixtures/registry.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('watchers that read slowly');
const topics = new Topics();
const MIB = 1024 * 1024;
const ANNOUNCES = 5_000;
const SENDER = 'sender-01';

/** The topic of the announce with this number. */
function topicOf(number: number): string {
	return topics.announce(seedId(number), SENDER);
}

/** An announce that is retained, as a packet. */
function announced(number: number): Buffer {
	const message = { ...announce('session-1'), padding: 'x'.repeat(3_000) };
	return publishPacket(topicOf(number), encodeJson(message), 0x33);
}

/**
 * Starts a broker that retains 5,000 announces, and subscribes a client to them, which reads
 * nothing until 6 MiB are queued for it.
 *
 * @returns the broker; the client that announces; the client that is subscribed; and a function by
 *   which it begins to read and to acknowledge. The function returns a map that is filled with the
 *   last message that the client has read of each topic
 */
async function subscribeSlow(t: Scope) {
	const limits = {
		...{ nodeAnnounces: ANNOUNCES, announceBurst: ANNOUNCES },
		// The queue of a client may have 8 MiB of retained messages.
		...{ clients: 10, cutQueue: 64 * MIB },
	};
	const broker = await startBroker(t, { limits });
	const sender = await connectRaw(t, broker.port, SENDER);
	const all = Array.from({ length: ANNOUNCES }, (_, number) => announced(number));
	await pour(sender, Buffer.concat(all));
	const slow = await connectRaw(t, broker.port, 'slow-0001');
	const { socket } = slow;
	socket.pause();
	socket.write(subscribePacket(ALL_ANNOUNCES));
	await until('its queue is long', () => broker.stats().queued > 6 * MIB);
	const read = (): Map<string, string> => {
		const last = new Map<string, string>();
		const reader = parser();
		reader.on('packet', (each) => {
			if (each.cmd === 'publish') {
				last.set(each.topic, String(each.payload));
				const id = each.messageId ?? 0;
				socket.write(packet(0x40, [Buffer.from([id >> 8, id & 255])]));
			}
		});
		socket.on('data', (bytes) => {
			reader.parse(bytes);
			socket.pause();
			setImmediate(() => socket.resume());
		});
		socket.resume();
		return last;
	};
	return { broker, sender, slow, read };
}

test('a client that reads slowly and acknowledges each of 5,000 retained messages stays connected', async (t) => {
	const { broker, slow, read } = await subscribeSlow(t);
	const last = read();
	await until('it has all, or is cut', () => last.size === ANNOUNCES || slow.isClosed());
	assert.is(last.size, ANNOUNCES);
	await pour(slow, Buffer.alloc(0));
	assert.not(slow.isClosed());
	assert.is(broker.stats().cut, 0);
});

test('announces that are deleted while it reads nothing do not arrive after their deletion', async (t) => {
	const { sender, slow, read } = await subscribeSlow(t);
	const gone = Array.from({ length: ANNOUNCES }, (_, number) =>
		publishPacket(topicOf(number), Buffer.alloc(0), 0x33),
	);
	await pour(sender, Buffer.concat(gone));
	const last = read();
	await until('it has the last deletion', () => last.get(topicOf(ANNOUNCES - 1)) === '');
	await pour(slow, Buffer.alloc(0));
	assert.is(last.size, ANNOUNCES);
	assert.equal([...new Set(last.values())], ['']);
});

test('a client in bridge mode gets announces that are new or deleted, although they are marked as retained', async (t) => {
	const broker = await startBroker(t);
	const bridge = await openRaw(t, broker.port);
	// The protocol level with the bit that bridges of mosquitto set; a keepalive of 600 s.
	const connect = [text('MQTT'), Buffer.from([0x84, 2, 2, 88]), text('bridge-01')];
	bridge.socket.write(packet(0x10, connect));
	bridge.socket.write(subscribePacket(ALL_ANNOUNCES));
	// CONNACK has 4 bytes, SUBACK has 5.
	await until('it is subscribed', () => Buffer.concat(bridge.received).length >= 9);
	const sender = await connectRaw(t, broker.port, SENDER);
	sender.socket.write(announced(1));
	sender.socket.write(publishPacket(topicOf(1), Buffer.alloc(0), 0x33));
	const lengths = (): number[] => messagesOf(bridge).map(({ payload }) => payload.length);
	await until('both have arrived', () => lengths().length === 2);
	assert.ok((lengths()[0] as number) > 3_000);
	assert.is(lengths()[1], 0);
});

test.run();
