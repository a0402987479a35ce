import fc from 'fast-check';
import { generate, type IPublishPacket, parser } from 'mqtt-packet';
import * as assert from 'uvu/assert';
import { PLAIN_PUBLISH, parsePlainPublish, plainPublishHeader } from '../../../protocol/index.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { throwsCode } from '../../helpers/harness/throws-code.ts';

const test = suite('publish packet');

const anyTopic = fc
	.string({ unit: 'binary', minLength: 1, maxLength: 200 })
	// mqtt-packet refuses wildcards, and NUL is in no topic.
	.filter((topic) => !/[+#\0]/.test(topic));
// Among them the lengths at which the encoded length takes one more byte.
const anyLength = fc.oneof(
	fc.integer({ min: 0, max: 300 }),
	fc.integer({ min: 16_100, max: 16_400 }),
	fc.constantFrom(262_144, 2_097_130, 2_097_152),
);

function plain(topic: string, payload: Buffer): Buffer {
	return generate({ cmd: 'publish', topic, payload, qos: 0, retain: false, dup: false });
}

test('a packet is written as mqtt-packet writes it, and mqtt-packet parses it', () => {
	fc.assert(
		fc.property(anyTopic, anyLength, (topic, length) => {
			const payload = Buffer.alloc(length, 0xa5);
			const packet = Buffer.concat([plainPublishHeader(topic, length), payload]);
			assert.ok(packet.equals(plain(topic, payload)));
			const read: IPublishPacket[] = [];
			const reader = parser();
			reader.on('packet', (each) => read.push(each as IPublishPacket));
			reader.parse(packet);
			assert.is(read.length, 1);
			assert.is(read[0]?.topic, topic);
			assert.ok(payload.equals(read[0]?.payload as Buffer));
		}),
	);
});

test('a packet that mqtt-packet writes is parsed to its topic and payload', () => {
	fc.assert(
		fc.property(anyTopic, fc.uint8Array({ maxLength: 300 }), (topic, payload) => {
			const packet = plain(topic, Buffer.from(payload));
			assert.is(packet[0], PLAIN_PUBLISH);
			const read = parsePlainPublish(packet);
			assert.is(read.topic, topic);
			assert.equal(Buffer.from(read.payload), Buffer.from(payload));
		}),
	);
});

test('the payload is a view of the packet', () => {
	const packet = plain('a', Buffer.from('x'));
	assert.is(parsePlainPublish(packet).payload.buffer, packet.buffer);
});

test('a byte order mark is a part of the topic', () => {
	assert.is(parsePlainPublish(plain('\ufeffa', Buffer.alloc(1))).topic, '\ufeffa');
});

test('a packet that ends within its topic, or has a topic that is no UTF-8, is an error', () => {
	const malformed = [
		[PLAIN_PUBLISH, 0],
		[PLAIN_PUBLISH, 1, 0],
		[PLAIN_PUBLISH, 2, 0, 1],
		[PLAIN_PUBLISH, 3, 0xff, 0xff, 97],
		[PLAIN_PUBLISH, 3, 0, 1, 0xff],
		[PLAIN_PUBLISH, 0xff, 0xff],
	];
	for (const bytes of malformed) {
		throwsCode('ERR_MESSAGE', () => parsePlainPublish(new Uint8Array(bytes)));
	}
});

test('any bytes are parsed or are an ERR_MESSAGE', () => {
	fc.assert(
		fc.property(fc.uint8Array({ minLength: 1, maxLength: 20 }), (bytes) => {
			try {
				parsePlainPublish(bytes);
			} catch (error) {
				assert.is((error as { code?: string }).code, 'ERR_MESSAGE');
			}
		}),
	);
});

test.run();
