import fc from 'fast-check';
import * as assert from 'uvu/assert';
import type { FolderEntry } from '../../../protocol/folder/entry.ts';
import {
	checkFolderLength,
	chooseFolderChunkSize,
	folderLength,
	piecesOf,
} from '../../../protocol/folder/folder-layout.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { throwsCode } from '../../helpers/harness/throws-code.ts';

const test = suite('the content of a folder');
const KIB = 1024;
const SIZE = 512;
const LARGE = 64 * SIZE;

const entryOf = (length: number, at: number): FolderEntry => ({
	path: `${at}`.padStart(4, '0'),
	kind: 'f',
	length,
	digest: '0'.repeat(64),
});
const entries = fc
	.array(fc.oneof(fc.nat(2_000), fc.integer({ min: LARGE - 1, max: LARGE + SIZE })), {
		maxLength: 20,
	})
	.map((lengths) => lengths.map(entryOf));

test('the content has every byte of every entry once, in order, without a gap', () => {
	fc.assert(
		fc.property(entries, fc.integer({ min: 15, max: 5_000 }), (all, indexBytes) => {
			let at = indexBytes;
			for (const { offset, length } of piecesOf(all, indexBytes, SIZE)) {
				assert.is(offset, at);
				assert.ok(length > 0);
				at += length;
			}
			assert.is(folderLength(all, indexBytes, SIZE), at);
			const found = piecesOf(all, indexBytes, SIZE).flatMap(({ entry }) => entry ?? []);
			assert.equal(
				found,
				all.filter(({ length }) => length > 0),
			);
		}),
	);
});

test('large files begin at a chunk, after zeros that fill less than a chunk', () => {
	fc.assert(
		fc.property(entries, fc.integer({ min: 15, max: 5_000 }), (all, indexBytes) => {
			const pieces = piecesOf(all, indexBytes, SIZE);
			for (const [index, { entry, offset, length }] of pieces.entries()) {
				if (entry === undefined) {
					const next = pieces[index + 1]?.entry as FolderEntry;
					assert.ok(next.length >= LARGE && length < SIZE);
				} else {
					assert.ok(entry.length < LARGE || offset % SIZE === 0);
				}
			}
		}),
	);
});

test('the chunk size is the smallest that gives at most 65,536 chunks', () => {
	const GIB = KIB * KIB * KIB;
	assert.is(chooseFolderChunkSize([], 15), 256 * KIB);
	assert.is(chooseFolderChunkSize([entryOf(16 * GIB - 300 * KIB, 0)], 15), 256 * KIB);
	assert.is(chooseFolderChunkSize([entryOf(16 * GIB, 0)], 15), 512 * KIB);
	assert.is(chooseFolderChunkSize([entryOf(1_024 * GIB, 0)], 15), 4 * KIB * KIB);
});

test('a content whose length differs from its index is refused', () => {
	const all = [entryOf(10, 0), entryOf(20, 1)];
	checkFolderLength(all, { indexBytes: 100, chunkSize: SIZE, length: 130 });
	throwsCode('ERR_SEED', () =>
		checkFolderLength(all, { indexBytes: 100, chunkSize: SIZE, length: 131 }),
	);
});

test.run();
