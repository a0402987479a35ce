import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { Bitfield } from '../../../protocol/seed/bitfield.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { throwsCode } from '../../helpers/harness/throws-code.ts';

const test = suite('bitfield');

/** A bitfield of `size` bits in which the bits `indices` are set. */
function fieldOf(size: number, indices: Iterable<number>): Bitfield {
	const field = new Bitfield(size);
	for (const index of indices) {
		field.set(index);
	}
	return field;
}

const sizeAndBits = fc
	.integer({ min: 1, max: 300 })
	.chain((size) =>
		fc.tuple(fc.constant(size), fc.uniqueArray(fc.integer({ min: 0, max: size - 1 }))),
	);

test('a bitfield behaves like a set of indices', () => {
	const step = fc.tuple(fc.constantFrom('set', 'clear', 'run'), fc.nat(120), fc.nat(12));
	fc.assert(
		fc.property(fc.integer({ min: 1, max: 100 }), fc.array(step), (size, steps) => {
			const field = new Bitfield(size);
			const model = new Set<number>();
			for (const [what, at, length] of steps) {
				const index = at % size;
				if (what === 'set') {
					assert.is(field.set(index), !model.has(index));
					model.add(index);
				} else if (what === 'clear') {
					assert.is(field.clear(index), model.delete(index));
				} else {
					const run = Math.min(length, size - index);
					field.setRange(index, run);
					for (let each = index; each < index + run; each += 1) {
						model.add(each);
					}
				}
			}
			assert.is(field.count, model.size);
			assert.is(field.isFull, model.size === size);
			assert.equal(
				[...field.indices()],
				[...model].sort((a, b) => a - b),
			);
			for (let index = -9; index < size + 9; index += 1) {
				assert.is(field.has(index), model.has(index), String(index));
			}
		}),
	);
});

test('the missing bits of a run are those inside the field that are not set', () => {
	const run = fc.tuple(fc.nat(310), fc.nat(310));
	fc.assert(
		fc.property(sizeAndBits, fc.boolean(), run, ([size, bits], isMostlyFull, [first, count]) => {
			const field = isMostlyFull ? Bitfield.full(size) : fieldOf(size, bits);
			for (const bit of isMostlyFull ? bits.slice(0, 3) : []) {
				field.clear(bit);
			}
			const all = Array.from({ length: size }, (_, index) => index);
			const expected = all.filter((index) => !field.has(index));
			assert.equal(
				[...field.missing(first, count)],
				expected.filter((index) => index >= first && index < first + count),
			);
		}),
	);
});

test('an empty field, a full field and a field without bits have the right count', () => {
	for (const size of [0, 1, 7, 8, 9, 63, 64, 65, 1_000]) {
		const full = Bitfield.full(size);
		assert.is(full.count, size);
		assert.ok(full.isFull);
		assert.is(full.toBytes().length, Math.ceil(size / 8));
		assert.is(new Bitfield(size).isFull, size === 0);
		assert.equal([...new Bitfield(size).indices()], []);
	}
});

test('no bit outside the field can be set', () => {
	const field = new Bitfield(10);
	for (const index of [-1, 10, 15, 16, 2 ** 32, -(2 ** 32), 0.5, Number.NaN, Infinity]) {
		throwsCode('ERR_RANGE', () => field.set(index), String(index));
	}
	throwsCode('ERR_RANGE', () => field.setRange(8, 3));
	throwsCode('ERR_RANGE', () => new Bitfield(0).set(0));
	throwsCode('ERR_RANGE', () => field.setRange(10, Number.MAX_SAFE_INTEGER));
});

test('has and clear return false for every index outside the field', () => {
	const field = Bitfield.full(10);
	for (const index of [-1, 10, 15, 2 ** 32, 2 ** 32 + 3, -(2 ** 32), 2 ** 53, Number.NaN]) {
		assert.is(field.has(index), false, `has(${index})`);
		assert.is(field.clear(index), false, `clear(${index})`);
	}
	assert.is(field.count, 10);
});

test('in the bytes of a field, chunk 0 is the highest bit and the spare bits are zero', () => {
	assert.equal([...fieldOf(12, [0, 9, 11]).toBytes()], [0b1000_0000, 0b0101_0000]);
	assert.equal([...Bitfield.full(9).toBytes()], [0xff, 0x80]);
	assert.equal([...fieldOf(24, [8, 15, 16]).toBytes(8)], [0b1000_0001, 0b1000_0000]);
});

test('the bytes of a range of a field have the bits of the range and no others', () => {
	const full = Bitfield.full(24);
	assert.equal([...full.toBytes(8, 8)], [0xff]);
	assert.equal([...full.toBytes(8, 3)], [0b1110_0000]);
	assert.equal([...full.toBytes(0, 0)], []);
	assert.equal([...full.toBytes(16, 100)], [0xff]);
});

test('the bytes of a field are a copy', () => {
	const field = new Bitfield(8);
	field.toBytes()[0] = 0xff;
	assert.is(field.count, 0);
});

test('the bytes of a field, divided at any multiple of 8, make the same field again', () => {
	fc.assert(
		fc.property(sizeAndBits, fc.nat(40), ([size, bits], at) => {
			const field = fieldOf(size, bits);
			const copy = new Bitfield(size);
			const split = Math.min(at * 8, Math.floor(size / 8) * 8);
			copy.addBytes(split, field.toBytes(split));
			copy.addBytes(0, field.toBytes(0, split));
			assert.equal(copy.toBytes(), field.toBytes());
			assert.is(copy.count, field.count);
		}),
	);
});

test('adding bytes clears no bit, and counts each bit once', () => {
	const field = fieldOf(16, [0, 1]);
	field.addBytes(0, new Uint8Array([0b0100_0000, 0]));
	field.addBytes(0, new Uint8Array([0b0100_0001]));
	assert.equal([...field.indices()], [0, 1, 7]);
});

test('bytes that do not fit are refused', () => {
	const field = new Bitfield(12);
	const one = new Uint8Array([0x80]);
	for (const first of [-8, 1, 7, 9, 0.5, 16, 2 ** 32, 2 ** 53, Number.NaN, Infinity]) {
		throwsCode('ERR_RANGE', () => field.addBytes(first, one), String(first));
	}
	throwsCode('ERR_RANGE', () => field.addBytes(8, new Uint8Array([0b0000_1000])), 'a spare bit');
	throwsCode('ERR_RANGE', () => field.addBytes(0, new Uint8Array([0, 0, 1])), 'a third byte');
	assert.is(field.count, 0);
	field.addBytes(0, new Uint8Array([0, 0, 0, 0]));
	assert.is(field.count, 0);
});

test('any bytes are added or refused, and the count stays right', () => {
	fc.assert(
		fc.property(
			fc.nat(80),
			fc.integer({ min: -16, max: 96 }),
			fc.uint8Array(),
			(size, at, bytes) => {
				const field = new Bitfield(size);
				try {
					field.addBytes(at, bytes);
				} catch (error) {
					assert.is((error as { code?: string }).code, 'ERR_RANGE');
				}
				assert.is(field.count, [...field.indices()].length);
				assert.ok([...field.indices()].every((index) => index < size));
			},
		),
	);
});

test('the map of buckets shows which are empty, full or in between', () => {
	assert.is(new Bitfield(1_000).toBuckets(), '0'.repeat(64));
	assert.is(Bitfield.full(1_000).toBuckets(), 'f'.repeat(64));
	assert.is(Bitfield.full(1).toBuckets(), 'f'.repeat(64));
	assert.is(new Bitfield(0).toBuckets(), '0'.repeat(64));
	const half = new Bitfield(6_400);
	half.setRange(0, 3_200);
	assert.is(half.toBuckets(), `${'f'.repeat(32)}${'0'.repeat(32)}`);
	assert.is(fieldOf(6_400, [0]).toBuckets(), `1${'0'.repeat(63)}`);
	half.setRange(3_200, 3_200);
	half.clear(0);
	assert.is(half.toBuckets(), `e${'f'.repeat(63)}`);
});

test('a bucket is 0 only if it is empty, and f only if it is full', () => {
	fc.assert(
		fc.property(sizeAndBits, ([size, bits]) => {
			const map = fieldOf(size, bits).toBuckets();
			assert.match(map, /^[0-9a-f]{64}$/);
			assert.is(/^0+$/.test(map), bits.length === 0);
			assert.is(/^f+$/.test(map), bits.length === size);
		}),
	);
});

test.run();
