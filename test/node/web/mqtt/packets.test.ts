import fc from 'fast-check';
import mqttPacket, { type Packet } from 'mqtt-packet';
import * as assert from 'uvu/assert';
import {
	connectPacket,
	packetLength,
	pubackPacket,
	publishPacket,
	readPacket,
	subscribePacket,
	unsubscribePacket,
} from '../../../../node/web/mqtt/packets.ts';
import { plainPublishHeader } from '../../../../protocol/index.ts';
import { suite } from '../../../helpers/harness/suite.ts';
import { throwsCode } from '../../../helpers/harness/throws-code.ts';

// Packets that are written here must be read by MQTT.js, and the other way round.

const test = suite('packets of a browser');

const ids = fc.integer({ min: 1, max: 0xffff });
const texts = fc.string({ unit: 'binary', maxLength: 300 });
const topics = texts.filter((topic) => topic !== '' && !/[+#\0]/.test(topic));
const payloads = fc.uint8Array({ maxLength: 20_000 });

/** Returns all packets that MQTT.js reads in `bytes`. */
function parse(bytes: Uint8Array): Packet[] {
	const parser = mqttPacket.parser({ protocolVersion: 4 });
	const packets: Packet[] = [];
	parser.on('packet', (packet) => packets.push(packet));
	parser.on('error', (error) => {
		throw error;
	});
	parser.parse(Buffer.from(bytes));
	return packets;
}

/** Returns these fields of the only packet in `bytes`. */
function only(bytes: Uint8Array, fields: readonly string[]): unknown[] {
	const packets = parse(bytes);
	assert.is(packets.length, 1);
	assert.is(packetLength(bytes), bytes.length);
	const [packet] = packets as unknown as [Record<string, unknown>];
	return fields.map((field) => packet[field]);
}

test('a broker reads the fields of a CONNECT as they were written', () => {
	fc.assert(
		fc.property(
			...[texts, fc.option(texts), fc.option(texts), fc.option(payloads), ids],
			(clientId, username, password, will, keepalive) => {
				const bytes = connectPacket({
					clientId,
					username: username ?? undefined,
					password: username === null ? undefined : (password ?? undefined),
					will: will === null ? undefined : { topic: 'gone', payload: will },
					keepalive,
				});
				const packet = parse(bytes)[0] as Extract<Packet, { cmd: 'connect' }>;
				assert.equal(
					[packet.cmd, packet.clientId, packet.clean, packet.keepalive, packet.protocolVersion],
					['connect', clientId, true, keepalive, 4],
				);
				assert.is(packet.username ?? null, username);
				assert.is(packet.password?.toString() ?? null, username === null ? null : password);
				if (will === null) {
					assert.is(packet.will, undefined);
				} else {
					const { topic, payload, qos, retain } = packet.will as NonNullable<typeof packet.will>;
					assert.equal([topic, qos, retain], ['gone', 1, true]);
					assert.ok(Buffer.from(will).equals(payload as unknown as Buffer));
				}
			},
		),
		{ numRuns: 200 },
	);
});

test('a broker reads PUBLISH, SUBSCRIBE and acknowledgements as they were written', () => {
	fc.assert(
		fc.property(ids, topics, payloads, fc.boolean(), (id, topic, payload, retain) => {
			const [cmd, messageId, name, qos, isRetained, bytes] = only(
				publishPacket(id, topic, payload, retain),
				['cmd', 'messageId', 'topic', 'qos', 'retain', 'payload'],
			);
			assert.equal([cmd, messageId, name, qos, isRetained], ['publish', id, topic, 1, retain]);
			assert.ok(Buffer.from(payload).equals(bytes as Buffer));
			const plain = Buffer.concat([plainPublishHeader(topic, payload.length), payload]);
			assert.equal(only(plain, ['cmd', 'topic', 'qos', 'retain']), ['publish', topic, 0, false]);
			assert.equal(only(subscribePacket(id, topic, 1), ['cmd', 'messageId']), ['subscribe', id]);
			assert.equal(only(unsubscribePacket(id, topic), ['cmd', 'messageId', 'unsubscriptions']), [
				'unsubscribe',
				id,
				[topic],
			]);
			assert.equal(only(pubackPacket(id), ['cmd', 'messageId']), ['puback', id]);
		}),
		{ numRuns: 300 },
	);
});

test('packets of a broker are read as it has written them', () => {
	const written = (packet: Packet): Uint8Array => new Uint8Array(mqttPacket.generate(packet));
	fc.assert(
		fc.property(ids, topics, payloads, fc.boolean(), (id, topic, payload, retain) => {
			for (const qos of [0, 1] as const) {
				const read = readPacket(
					written({
						...{ cmd: 'publish', topic, payload: Buffer.from(payload), qos, retain },
						...{ dup: false, messageId: id },
					}),
				);
				assert.is(read.kind, 'publish');
				if (read.kind === 'publish') {
					assert.equal([read.topic, read.isRetained], [topic, retain]);
					assert.is(read.id, qos === 0 ? undefined : id);
					assert.ok(Buffer.from(payload).equals(read.payload));
				}
			}
		}),
		{ numRuns: 300 },
	);
	const ack = { kind: 'ack', id: 7, isRefused: false };
	assert.equal(readPacket(written({ cmd: 'puback', messageId: 7 })), ack);
	assert.equal(readPacket(written({ cmd: 'unsuback', messageId: 7, granted: [] })), ack);
	assert.equal(readPacket(written({ cmd: 'suback', messageId: 7, granted: [1] })), ack);
	const no = { ...ack, isRefused: true };
	assert.equal(readPacket(written({ cmd: 'suback', messageId: 7, granted: [128] })), no);
	const connack = { cmd: 'connack', returnCode: 5, sessionPresent: false } as const;
	assert.equal(readPacket(written(connack)), { kind: 'connack', code: 5 });
	assert.equal(readPacket(written({ cmd: 'pingresp' })), { kind: 'pong' });
});

test('malformed packets are refused with their own error', () => {
	fc.assert(
		fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (bytes) => {
			try {
				readPacket(bytes);
			} catch (error) {
				assert.is((error as { code?: string }).code, 'ERR_MESSAGE');
			}
		}),
		{ numRuns: 2_000 },
	);
	throwsCode('ERR_MESSAGE', () => readPacket(new Uint8Array([0x30, 3, 0, 9, 65])));
	throwsCode('ERR_MESSAGE', () => readPacket(new Uint8Array([0x34, 5, 0, 1, 65, 0, 1])));
});

test.run();
