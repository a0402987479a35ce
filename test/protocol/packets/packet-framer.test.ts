import fc from 'fast-check';
import { generate } from 'mqtt-packet';
import * as assert from 'uvu/assert';
import { PacketFramer, type PacketFramerOptions, ShoalError } from '../../../protocol/index.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { throwsCode } from '../../helpers/harness/throws-code.ts';

const test = suite('packet framer');
const PING = Buffer.from([0xc0, 0]);

interface Framed {
	readonly framer: PacketFramer;
	readonly packets: Uint8Array[];
	readonly admitted: Array<readonly [type: number, length: number]>;
	readonly allocated: Uint8Array[];
}

function frame(options: Partial<PacketFramerOptions> = {}): Framed {
	const packets: Uint8Array[] = [];
	const admitted: Array<readonly [number, number]> = [];
	const allocated: Uint8Array[] = [];
	const framer = new PacketFramer({
		admit: (type, length) => void admitted.push([type, length]),
		allocate: (_first, length) => {
			const buffer = new Uint8Array(length);
			allocated.push(buffer);
			return buffer;
		},
		onPacket: (packet) => void packets.push(packet),
		...options,
	});
	return { framer, packets, admitted, allocated };
}

/** Passes `bytes` on like a socket: in reads of at most `sizes` in turn, as far as they fit. */
function feed(framer: PacketFramer, bytes: Uint8Array, sizes: readonly number[]): void {
	for (let at = 0, slot = 0; at < bytes.length; slot += 1) {
		const { target } = framer;
		const size = sizes[slot % sizes.length] as number;
		const piece = bytes.subarray(at, at + Math.min(size, target.length));
		target.set(piece);
		framer.filled(piece.length);
		at += piece.length;
	}
}

function publish(length: number): Buffer {
	const payload = Buffer.alloc(length, length);
	return generate({ cmd: 'publish', topic: 'a/b', payload, qos: 0, retain: false, dup: false });
}

const anyPacket = fc.oneof(
	fc.constant(PING),
	fc.integer({ min: 0, max: 300 }).map(publish),
	fc.integer({ min: 0, max: 40_000 }).map(publish),
	fc.constantFrom(121, 122, 123, 8_183, 8_184, 8_185, 16_376, 16_377).map(publish),
);
const anySizes = fc.array(
	fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 70_000 })),
	{ minLength: 1, maxLength: 9 },
);

test('the packets of a stream come out unchanged, wherever the stream is divided', () => {
	fc.assert(
		fc.property(fc.array(anyPacket, { maxLength: 12 }), anySizes, (sent, sizes) => {
			const { framer, packets, admitted } = frame();
			feed(framer, Buffer.concat(sent), sizes);
			assert.equal(packets.map(Buffer.from), sent);
			assert.is(admitted.length, sent.length);
		}),
	);
});

test('a stream may be divided after any byte', () => {
	const sent = [PING, publish(0), publish(200), PING, publish(9_000), publish(1)];
	const bytes = Buffer.concat(sent);
	for (let cut = 1; cut < bytes.length; cut += 1) {
		const { framer, packets } = frame();
		feed(framer, bytes.subarray(0, cut), [70_000]);
		feed(framer, bytes.subarray(cut), [70_000]);
		assert.is(packets.length, sent.length, `cut at ${cut}`);
		assert.ok(Buffer.concat(packets).equals(bytes), `cut at ${cut}`);
	}
});

test('admit is called once for each packet, with type and length, before memory is allocated', () => {
	const { framer, admitted, allocated } = frame();
	feed(framer, Buffer.from([0x30, 0x80, 0x80]), [1]);
	assert.equal(admitted, []);
	assert.equal(allocated, []);
	feed(framer, Buffer.from([0x01, 1, 2, 3]), [1]);
	assert.equal(admitted, [[3, 16_384]]);
	assert.equal(
		allocated.map(({ length }) => length),
		[16_388],
	);
});

test('no memory is allocated for a packet that is not admitted', () => {
	for (const size of [1, 70_000]) {
		const { framer, allocated, packets } = frame({
			admit: (_type, length) => {
				if (length > 100) {
					throw new ShoalError('ERR_LIMIT', 'too large');
				}
			},
		});
		const hostile = Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f, 1, 2, 3]);
		throwsCode('ERR_LIMIT', () => feed(framer, Buffer.concat([PING, hostile]), [size]));
		assert.is(packets.length, 1);
		assert.is(allocated.length, 1);
	}
});

test('a length of five bytes is an error, wherever it is divided', () => {
	for (const size of [1, 70_000]) {
		const { framer, allocated } = frame();
		const hostile = Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0x01]);
		throwsCode('ERR_MESSAGE', () => feed(framer, hostile, [size]));
		assert.equal(allocated, []);
	}
});

test('the rest of a large packet is read into the buffer in which the packet stays', () => {
	const { framer, packets, allocated } = frame();
	feed(framer, publish(50_000).subarray(0, 5_000), [5_000]);
	const [room] = allocated;
	assert.is(framer.target.buffer, room?.buffer);
	assert.is(framer.target.byteOffset, 5_000);
	feed(framer, publish(50_000).subarray(5_000), [70_000]);
	assert.is(packets[0], room);
});

test('allocate is called with the first byte and the length of a packet', () => {
	const asked: number[][] = [];
	const { framer } = frame({
		allocate: (first, length) => {
			asked.push([first, length]);
			return new Uint8Array(length);
		},
	});
	feed(framer, Buffer.concat([PING, Buffer.from([0x31, 3, 0, 1, 97])]), [1]);
	assert.equal(asked, [
		[0xc0, 2],
		[0x31, 5],
	]);
});

test.run();
