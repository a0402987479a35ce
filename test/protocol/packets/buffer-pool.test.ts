import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { BufferPool } from '../../../protocol/index.ts';
import { suite } from '../../helpers/harness/suite.ts';

const KIB = 1024;
const MIB = KIB * KIB;
const test = suite('buffer pool');

test('a buffer that was given back is used again for any length of about the same size', () => {
	const pool = new BufferPool();
	const first = pool.take(256 * KIB + 100);
	pool.give(first.subarray(10, 20));
	const second = pool.take(129 * KIB + KIB + KIB);
	assert.is(second.buffer, first.buffer);
	assert.is(second.byteOffset, 0);
	assert.is(second.length, 131 * KIB);
});

test('a buffer is at most about twice as large as needed', () => {
	const pool = new BufferPool();
	pool.give(pool.take(KIB * KIB));
	assert.is(pool.take(64 * KIB).buffer.byteLength, 66 * KIB);
	assert.is(pool.take(64 * KIB + 2 * KIB + 1).buffer.byteLength, 130 * KIB);
});

test('buffers of a size that is not used any more make room for buffers of a size that is', () => {
	const pool = new BufferPool();
	const takeMany = (count: number, length: number) =>
		Array.from({ length: count }, () => pool.take(length));
	for (const small of takeMany(500, 32 * KIB)) {
		pool.give(small);
	}
	const large = takeMany(12, KIB * KIB);
	for (const each of large) {
		pool.give(each);
	}
	const again = new Set(takeMany(12, KIB * KIB).map(({ buffer }) => buffer));
	assert.ok(large.every(({ buffer }) => again.has(buffer)));
});

test('a buffer above the largest size is allocated for one use and not kept', () => {
	const pool = new BufferPool();
	const large = pool.take(2 * KIB * KIB);
	assert.is(large.buffer.byteLength, 2 * KIB * KIB);
	pool.give(large);
	assert.is.not(pool.take(2 * KIB * KIB).buffer, large.buffer);
});

test('no buffer is handed out twice, even if buffers are given back twice or come from elsewhere', () => {
	const command = fc.record({
		take: fc.boolean(),
		length: fc.nat(300 * KIB),
		which: fc.nat(),
		isForeign: fc.boolean(),
	});
	fc.assert(
		fc.property(fc.array(command, { maxLength: 200 }), (commands) => {
			const pool = new BufferPool();
			const held: Uint8Array[] = [];
			for (const { take, length, which, isForeign } of commands) {
				if (take) {
					const buffer = pool.take(length);
					assert.is(buffer.length, length);
					assert.not.ok(held.some((other) => other.buffer === buffer.buffer));
					held.push(buffer);
				} else if (isForeign) {
					pool.give(new Uint8Array(34 * KIB));
				} else if (held.length > 0) {
					const [buffer] = held.splice(which % held.length, 1) as [Uint8Array];
					pool.give(buffer);
					pool.give(buffer);
				}
			}
		}),
	);
});

test('buffers that nobody uses for a while are dropped', async () => {
	const pool = new BufferPool(undefined, 100);
	const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
	const { buffer } = pool.take(MIB);
	pool.give(new Uint8Array(buffer));
	const same = pool.take(MIB);
	assert.is(same.buffer, buffer);
	pool.give(same);
	await wait(350);
	assert.is.not(pool.take(MIB).buffer, buffer);
});

test('the pool keeps at most 24 MiB', () => {
	const size = MIB;
	const pool = new BufferPool();
	const first = new Set(Array.from({ length: 30 }, () => pool.take(size).buffer));
	for (const buffer of first) {
		pool.give(new Uint8Array(buffer));
	}
	const again = Array.from({ length: 30 }, () => pool.take(size).buffer);
	assert.is(again.filter((buffer) => first.has(buffer)).length, 23);
});

test.run();
