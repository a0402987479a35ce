import fc from 'fast-check';
import * as assert from 'uvu/assert';
import {
	chooseChunkSize,
	inferChunkSize,
	Layout,
	MAX_CHUNK_SIZE,
	MAX_CHUNKS,
	MAX_LENGTH,
	MIN_CHUNK_SIZE,
} from '../../../protocol/seed/layout.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { throwsCode } from '../../helpers/harness/throws-code.ts';

const test = suite('layout');
const KIB = 1024;
const MIB = 1024 * KIB;
const SIZES = Array.from({ length: 14 }, (_, power) => MIN_CHUNK_SIZE * 2 ** power);

test('the sizes go from 512 B to 4 MiB, the longest content is 4 TiB', () => {
	assert.is(SIZES.at(-1), MAX_CHUNK_SIZE);
	assert.is(MAX_CHUNK_SIZE, 4 * MIB);
	assert.is(MAX_CHUNKS, 1_048_576);
	assert.is(MAX_LENGTH, 4 * MIB * MIB);
});

test('length and number of chunks give one chunk size, for every length up to 70,000 and every size', () => {
	for (let length = 1; length <= 70_000; length += 1) {
		let before = 0;
		for (const size of SIZES) {
			const chunks = Math.ceil(length / size);
			if (chunks === before && chunks > 1) {
				assert.unreachable(`${length} bytes in ${chunks} chunks are ambiguous`);
			}
			before = chunks;
			const inferred = inferChunkSize(length, chunks) as number;
			const isRight = chunks > 1 ? inferred === size : inferred >= length || inferred === 512;
			if (!isRight || Math.ceil(length / inferred) !== chunks) {
				assert.unreachable(`${length} bytes in ${chunks} chunks: ${inferred}, not ${size}`);
			}
		}
	}
});

test('no chunk size is inferred from a number of chunks that no power of two gives', () => {
	for (let length = 0; length <= 6_000; length += 1) {
		const counts = new Set(SIZES.map((size) => Math.ceil(length / size)));
		for (let chunks = 0; chunks <= 14; chunks += 1) {
			const isPossible = chunks === 0 ? length === 0 : counts.has(chunks) && length > 0;
			if ((inferChunkSize(length, chunks) !== undefined) !== isPossible) {
				assert.unreachable(`${length} bytes in ${chunks} chunks`);
			}
		}
	}
});

test('the chunk size is inferred at the bounds', () => {
	const cases: ReadonlyArray<readonly [length: number, chunks: number, size: number | undefined]> =
		[
			[0, 0, 512],
			[0, 1, undefined],
			[1, 0, undefined],
			[1, 1, 512],
			[512, 1, 512],
			[513, 1, 1024],
			[513, 2, 512],
			[4259, 9, 512],
			[4259, 8, undefined],
			[MAX_CHUNK_SIZE, 1, MAX_CHUNK_SIZE],
			[MAX_CHUNK_SIZE + 1, 1, undefined],
			[MAX_CHUNK_SIZE + 1, 2, MAX_CHUNK_SIZE],
			[MAX_LENGTH, MAX_CHUNKS, MAX_CHUNK_SIZE],
			[MAX_LENGTH, MAX_CHUNKS - 1, undefined],
			[1024, -2, undefined],
			[1024, 1.5, undefined],
			[1024, Number.NaN, undefined],
			[-1024, 2, undefined],
		];
	for (const [length, chunks, size] of cases) {
		assert.is(inferChunkSize(length, chunks), size, `${length} bytes, ${chunks} chunks`);
	}
});

test('a new seed takes the smallest size from 256 KiB that needs at most 65,536 chunks', () => {
	const GIB16 = 256 * KIB * 65_536;
	const cases: ReadonlyArray<readonly [length: number, size: number]> = [
		[0, 256 * KIB],
		[1, 256 * KIB],
		[GIB16, 256 * KIB],
		[GIB16 + 1, 512 * KIB],
		[GIB16 * 2, 512 * KIB],
		[GIB16 * 2 + 1, MIB],
		[GIB16 * 4 + 1, 2 * MIB],
		[GIB16 * 8, 2 * MIB],
		[GIB16 * 8 + 1, 4 * MIB],
		[GIB16 * 16 + 1, 4 * MIB],
		[MAX_LENGTH, 4 * MIB],
	];
	for (const [length, size] of cases) {
		assert.is(chooseChunkSize(length), size, `${length} bytes`);
	}
});

test('the chosen chunk size is inferred again from length and number of chunks', () => {
	fc.assert(
		fc.property(fc.integer({ min: 256 * KIB + 1, max: MAX_LENGTH }), (length) => {
			const size = chooseChunkSize(length);
			assert.is(inferChunkSize(length, Math.ceil(length / size)), size);
		}),
	);
});

const layouts = fc
	.tuple(fc.integer({ min: 0, max: 100_000 }), fc.constantFrom(...SIZES.slice(0, 6)))
	.map(([length, size]) => new Layout(length, size));

test('the chunks tile the content: no gap, no overlap, only the last may be shorter', () => {
	fc.assert(
		fc.property(layouts, (layout) => {
			let at = 0;
			for (let chunk = 0; chunk < layout.chunks; chunk += 1) {
				assert.is(layout.offsetOf(chunk), at);
				const size = layout.sizeOf(chunk);
				assert.ok(size > 0 && (size === layout.chunkSize || chunk === layout.chunks - 1));
				assert.is(layout.chunkAt(at), chunk);
				assert.is(layout.chunkAt(at + size - 1), chunk);
				at += size;
			}
			assert.is(at, layout.length);
		}),
	);
});

test('a number that is no index of a chunk is refused', () => {
	const layout = new Layout(1_025, 512);
	assert.is(layout.chunks, 3);
	for (const index of [-1, 3, 0.5, Number.NaN, Infinity, 2 ** 32, -0.1]) {
		assert.not(layout.isChunk(index), String(index));
		throwsCode('ERR_RANGE', () => layout.offsetOf(index), `offsetOf(${index})`);
		throwsCode('ERR_RANGE', () => layout.sizeOf(index), `sizeOf(${index})`);
	}
	throwsCode('ERR_RANGE', () => new Layout(0, 512).offsetOf(0));
});

test('an offset outside the content is in no chunk, even if the last chunk is short', () => {
	const layout = new Layout(1_025, 512);
	assert.is(layout.chunkAt(1_024), 2);
	for (const offset of [-1, 1_025, 1_536, 2 ** 60, Number.NaN, 0.5]) {
		throwsCode('ERR_RANGE', () => layout.chunkAt(offset), `chunkAt(${offset})`);
	}
});

test('a range has at least one byte, and all its bytes are in the content', () => {
	const layout = new Layout(1_000, 512);
	const good = [
		[0, 1],
		[0, 1_000],
		[999, 1],
		[400, 200],
	] as const;
	const bad = [
		[0, 0],
		[0, 1_001],
		[1_000, 1],
		[999, 2],
		[-1, 2],
		[0, -1],
		[0.5, 1],
		[0, 1.5],
		[Number.NaN, 1],
		[0, Number.NaN],
		[0, Infinity],
		[2 ** 53, 1],
		[1, Number.MAX_SAFE_INTEGER],
	] as const;
	for (const [offset, length] of good) {
		assert.ok(layout.isRange(offset, length), `${offset}+${length}`);
	}
	for (const [offset, length] of bad) {
		assert.not(layout.isRange(offset, length), `${offset}+${length}`);
	}
	assert.not(new Layout(0, 512).isRange(0, 1));
});

test.run();
