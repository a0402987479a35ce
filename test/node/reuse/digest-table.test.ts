import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { DigestTable, DigestTableBuilder } from '../../../node/reuse/digest-table.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('DigestTable');

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest();

function tableOf(digests: readonly Uint8Array[]): DigestTable {
	const builder = new DigestTableBuilder();
	for (const digest of digests) {
		builder.add(digest);
	}
	return builder.build();
}

test('a table without digests finds nothing', () => {
	const table = new DigestTableBuilder().build();
	assert.is(table.size, 0);
	assert.equal(table.find(digestOf('a')), []);
	assert.equal(table.find(new Uint8Array(32)), []);
});

test('the only digest of a table is found, and no other', () => {
	const table = tableOf([digestOf('a')]);
	assert.is(table.size, 1);
	assert.equal(table.find(digestOf('a')), [0]);
	assert.equal(table.find(digestOf('b')), []);
});

test('if a source has a digest several times, it is found once there, and also in another source', () => {
	const builder = new DigestTableBuilder();
	const a = digestOf('a');
	builder.add(Buffer.concat([a, a, a]));
	builder.add(Buffer.concat([a, a]));
	assert.equal(builder.build().find(a), [0, 3]);
});

test('a digest that several sources have is found in the first two of these sources', () => {
	const [a, b] = [digestOf('a'), digestOf('b')];
	const table = tableOf([a, b, a, a, b, a]);
	assert.is(table.size, 4);
	assert.equal(table.find(a), [0, 2]);
	assert.equal(table.find(b), [1, 4]);
});

test('a digest that is left out is not found, but takes a place', () => {
	const builder = new DigestTableBuilder();
	const [zeros, a, b] = [digestOf('zeros'), digestOf('a'), digestOf('b')];
	assert.is(builder.add(Buffer.concat([zeros, a]), zeros), 0);
	assert.is(builder.add(Buffer.concat([zeros, zeros, b]), zeros), 2);
	assert.is(builder.add(a), 5);
	const table = builder.build();
	assert.equal([table.find(zeros), table.find(a), table.find(b)], [[], [1, 5], [4]]);
	assert.is(table.size, 3);
});

test('a digest of zeros stands for an unknown one and is not found', () => {
	const table = tableOf([new Uint8Array(32), digestOf('a'), new Uint8Array(32)]);
	assert.equal([table.size, table.find(new Uint8Array(32))], [1, []]);
	assert.equal(table.find(digestOf('a')), [1]);
});

test('the lowest and the highest possible digests are found', () => {
	const [low, high] = [Buffer.alloc(32), Buffer.alloc(32, 0xff)];
	low[7] = 1;
	const table = tableOf([high, low, ...Array.from({ length: 100 }, (_, at) => digestOf(`${at}`))]);
	assert.equal([table.find(high), table.find(low)], [[0], [1]]);
});

test('bytes after the last whole digest are ignored', () => {
	const builder = new DigestTableBuilder();
	builder.add(Buffer.concat([digestOf('a'), Buffer.alloc(31, 1)]));
	assert.is(builder.add(digestOf('b')), 1);
	assert.equal(builder.build().find(digestOf('b')), [1]);
});

test('a table that is made from the arrays of another finds the same', () => {
	const digests = Array.from({ length: 1_000 }, (_, at) => digestOf(`${at}`));
	const { arrays } = tableOf(digests);
	const again = new DigestTable(structuredClone(arrays));
	assert.equal(
		digests.map((digest) => again.find(digest)),
		digests.map((_, at) => [at]),
	);
});

test('each of 50,000 digests is found at its place', () => {
	const count = 50_000;
	const bytes = randomBytes(32 * count);
	const builder = new DigestTableBuilder();
	builder.add(bytes);
	const table = builder.build();
	let wrong = 0;
	for (let at = 0; at < count; at += 1) {
		const [place] = table.find(bytes.subarray(32 * at, 32 * at + 32));
		wrong += place === at ? 0 : 1;
	}
	assert.is(wrong, 0);
	const { starts, words, places } = table.arrays;
	const size = starts.byteLength + words.byteLength + places.byteLength;
	assert.ok(size < 15 * count, `${size} bytes`);
});

test('all digests are found, but only the first two of those with the same first 8 bytes', () => {
	// The digests have few different words, so that many are equal or are in the same bucket.
	const word = fc.constantFrom(0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff);
	const some = fc.tuple(word, word, fc.nat(2)).map(([high, low, rest]) => {
		const digest = Buffer.alloc(32, rest);
		digest.writeUInt32BE(high, 0);
		digest.writeUInt32BE(low, 4);
		return digest;
	});
	const any = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes));
	fc.assert(
		fc.property(fc.array(fc.oneof(some, any), { maxLength: 60 }), (digests) => {
			const table = tableOf(digests);
			const places = new Map<string, number[]>();
			for (const [at, digest] of digests.entries()) {
				const key = digest.toString('hex', 0, 8);
				places.set(key, [...(places.get(key) ?? []), at]);
			}
			const isZero = (digest: Buffer): boolean => digest.readBigUInt64BE() === 0n;
			for (const digest of digests) {
				const expected = places.get(digest.toString('hex', 0, 8))?.slice(0, 2);
				assert.equal(table.find(digest), isZero(digest) ? [] : expected);
			}
		}),
	);
});

test('many invented digests for the same bucket do not take long', () => {
	const count = 200_000;
	const digests = Buffer.alloc(32 * count, 0xab);
	for (let at = 0; at < count; at += 1) {
		digests.writeUInt32BE(at, 32 * at + 4);
	}
	const startedAt = performance.now();
	const builder = new DigestTableBuilder();
	builder.add(digests);
	const table = builder.build();
	const found = table.find(digests.subarray(0, 32));
	const ms = performance.now() - startedAt;
	assert.equal(found, [0]);
	assert.ok(ms < 2_000, `${ms} ms`);
});

test.run();
