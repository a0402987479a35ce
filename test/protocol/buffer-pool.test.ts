import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { BufferPool } from '../../protocol/index.ts';
import { suite } from '../helpers/suite.ts';

const test = suite('buffer pool');

test('what was given back is taken again, at any length up to the size', () => {
	const pool = new BufferPool(100);
	const first = pool.take(100);
	pool.give(first.subarray(10, 20));
	const second = pool.take(7);
	assert.is(second.buffer, first.buffer);
	assert.is(second.byteOffset, 0);
	assert.is(second.length, 7);
});

test('a larger one is of its own and is not kept', () => {
	const pool = new BufferPool(100);
	const large = pool.take(101);
	assert.is(large.length, 101);
	pool.give(large);
	assert.is.not(pool.take(50).buffer, large.buffer);
});

test('two never hold the same, whatever is given back twice or comes from elsewhere', () => {
	const command = fc.record({ take: fc.boolean(), which: fc.nat(), isForeign: fc.boolean() });
	fc.assert(
		fc.property(fc.array(command, { maxLength: 200 }), (commands) => {
			const pool = new BufferPool(16);
			const held: Uint8Array[] = [];
			for (const { take, which, isForeign } of commands) {
				if (take) {
					const buffer = pool.take(16);
					assert.not.ok(held.some((other) => other.buffer === buffer.buffer));
					held.push(buffer);
				} else if (isForeign) {
					pool.give(new Uint8Array(16));
				} else if (held.length > 0) {
					const [buffer] = held.splice(which % held.length, 1) as [Uint8Array];
					pool.give(buffer);
					pool.give(buffer);
				}
			}
		}),
	);
});

test('it keeps no more than 8 MiB', () => {
	const size = 1024 * 1024;
	const pool = new BufferPool(size);
	const first = new Set(Array.from({ length: 20 }, () => pool.take(size).buffer));
	for (const buffer of first) {
		pool.give(new Uint8Array(buffer));
	}
	const again = Array.from({ length: 20 }, () => pool.take(size).buffer);
	assert.is(again.filter((buffer) => first.has(buffer)).length, 8);
});

test.run();
