import fc from 'fast-check';
import * as assert from 'uvu/assert';
import {
	type ChunkHeader,
	decodeChunk,
	HEADER_BYTES,
	isShoalError,
	MAX_LENGTH,
	writeChunkHeader,
} from '../../../protocol/index.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { throwsCode } from '../../helpers/harness/throws-code.ts';

const test = suite('chunk-codec');
const SEED = '00112233445566778899aabbccddeeff'.repeat(2);

/** A chunk message of `header` and `bytes`. */
function encode(header: ChunkHeader, bytes: Uint8Array): Uint8Array {
	const message = new Uint8Array(HEADER_BYTES + bytes.length);
	writeChunkHeader(message, header);
	message.set(bytes, HEADER_BYTES);
	return message;
}

const EXAMPLE: ChunkHeader = {
	of: 'content',
	request: 0x0123_4567_89ab_cdefn,
	seed: SEED,
	offset: 0x01_0203_0405,
};

test('the header has exactly these bytes', () => {
	const message = encode({ ...EXAMPLE, of: 'seed' }, new Uint8Array([0xaa, 0xbb]));
	const expected = `53010100 0123456789abcdef 0000000102030405 ${SEED} aabb`.replaceAll(' ', '');
	assert.is(Buffer.from(message).toString('hex'), expected);
	assert.is(encode(EXAMPLE, new Uint8Array(1))[2], 0);
});

test('a message that starts inside a larger buffer is written and read in place', () => {
	const buffer = new Uint8Array(200).fill(0xee);
	writeChunkHeader(buffer.subarray(100, 160), EXAMPLE);
	assert.ok(buffer.subarray(0, 100).every((byte) => byte === 0xee));
	assert.ok(buffer.subarray(152).every((byte) => byte === 0xee));
	const { bytes, ...header } = decodeChunk(buffer.subarray(100, 160));
	assert.equal(header, EXAMPLE);
	assert.is(bytes.buffer, buffer.buffer, 'the bytes are a view');
	assert.is(bytes.byteOffset, 152);
	assert.is(bytes.length, 8);
});

test('the reserved byte is written as zero, whatever was there before', () => {
	const message = new Uint8Array(60).fill(0xff);
	writeChunkHeader(message, EXAMPLE);
	assert.is(message[3], 0);
});

test('any header and bytes are decoded as they were encoded', () => {
	const headers: fc.Arbitrary<ChunkHeader> = fc.record(
		{
			of: fc.constantFrom('content', 'seed'),
			request: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
			seed: fc
				.uint8Array({ minLength: 32, maxLength: 32 })
				.map((b) => Buffer.from(b).toString('hex')),
			offset: fc.integer({ min: 0, max: MAX_LENGTH - 1 }),
		},
		{ noNullPrototype: true },
	);
	fc.assert(
		fc.property(headers, fc.uint8Array({ minLength: 1 }), (header, bytes) => {
			const { bytes: again, ...read } = decodeChunk(encode(header, bytes));
			assert.equal(read, header);
			assert.equal(Buffer.from(again), Buffer.from(bytes));
		}),
	);
});

test('a message that ends in the header, or right after it, is refused', () => {
	const message = encode(EXAMPLE, new Uint8Array([1]));
	for (let length = 0; length <= HEADER_BYTES; length += 1) {
		throwsCode('ERR_HEADER', () => decodeChunk(message.subarray(0, length)), `${length} bytes`);
	}
	assert.is(decodeChunk(message).bytes.length, 1);
});

test('every wrong value of magic, version, kind and reserved byte is refused', () => {
	const allowed: Readonly<Record<number, readonly number[]>> = {
		0: [0x53],
		1: [1],
		2: [0, 1],
		3: [0],
	};
	for (const [position, values] of Object.entries(allowed)) {
		for (let value = 0; value < 256; value += 1) {
			const message = encode(EXAMPLE, new Uint8Array(4));
			message[Number(position)] = value;
			if (values.includes(value)) {
				decodeChunk(message);
			} else {
				throwsCode('ERR_HEADER', () => decodeChunk(message), `byte ${position} is ${value}`);
			}
		}
	}
});

test('an offset beyond the longest content is refused', () => {
	const message = encode({ ...EXAMPLE, offset: MAX_LENGTH - 1 }, new Uint8Array(1));
	assert.is(decodeChunk(message).offset, MAX_LENGTH - 1);
	const view = new DataView(message.buffer);
	for (const offset of [BigInt(MAX_LENGTH), 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n]) {
		view.setBigUint64(12, offset);
		throwsCode('ERR_HEADER', () => decodeChunk(message), String(offset));
	}
});

test('any bytes are a chunk message or refused with ERR_HEADER', () => {
	const start = encode(EXAMPLE, new Uint8Array(9));
	const spoiled = fc.tuple(fc.nat(60), fc.nat(255)).map(([at, value]) => {
		const message = start.slice();
		message[at] = value;
		return message;
	});
	fc.assert(
		fc.property(fc.oneof(fc.uint8Array({ maxLength: 120 }), spoiled), (message) => {
			try {
				const chunk = decodeChunk(message);
				assert.ok(chunk.offset < MAX_LENGTH && chunk.bytes.length > 0);
			} catch (error) {
				assert.ok(isShoalError(error, 'ERR_HEADER'), String(error));
			}
		}),
		{ numRuns: 1_000 },
	);
});

test.run();
