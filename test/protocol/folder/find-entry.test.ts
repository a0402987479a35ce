import { createHash } from 'node:crypto';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import type { FolderEntry } from '../../../protocol/folder/entry.ts';
import { comparePaths, isBelow } from '../../../protocol/folder/entry-path.ts';
import { firstFrom, firstPosition } from '../../../protocol/folder/find-entry.ts';
import { Folder } from '../../../protocol/folder/folder.ts';
import { formatIndex } from '../../../protocol/folder/folder-index.ts';
import { folderLength, piecesOf } from '../../../protocol/folder/folder-layout.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('entries of a folder');
const CHUNK = 512;
const ALIGNED = 64 * CHUNK;
const EMPTY = createHash('sha256').digest('hex');

const part = fc.stringMatching(/^[a-c-]{1,2}$/);
const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
const length = fc.oneof(
	fc.constant(0),
	fc.nat(1_000),
	fc.integer({ min: ALIGNED, max: 2 * ALIGNED }),
);
/** Entries that can be in one folder, sorted; some are empty, and some begin at a chunk. */
const entries = fc.array(fc.tuple(path, length), { maxLength: 20 }).map((all) => {
	const kept = new Map<string, FolderEntry>();
	for (const [each, bytes] of all) {
		if (![...kept.keys()].some((other) => isBelow(each, other) || isBelow(other, each))) {
			const digest = bytes === 0 ? EMPTY : 'a'.repeat(64);
			kept.set(each, { path: each, kind: 'f', length: bytes, digest });
		}
	}
	return [...kept.values()].sort((a, b) => comparePaths(a.path, b.path));
});

test('an entry is found by its path, with the offset of its bytes', () => {
	fc.assert(
		fc.property(entries, path, (all, other) => {
			const index = formatIndex(all);
			const digest = createHash('sha256').update(index).digest('hex');
			const length = folderLength(all, index.length, CHUNK);
			const layout = { chunkSize: CHUNK };
			const folder = new Folder({ id: '', length, index: index.length, digest, layout }, index);
			const pieces = piecesOf(all, index.length, CHUNK);
			for (const entry of all) {
				const found = folder.find(entry.path);
				assert.is(found?.entry.path, entry.path);
				const piece = pieces.find((each) => each.entry === entry);
				assert.is(found?.offset, piece?.offset ?? 0, entry.path);
			}
			const isThere = all.some((entry) => entry.path === other);
			assert.is(folder.find(other) !== undefined, isThere);
			const first = all.findIndex((entry) => comparePaths(entry.path, other) >= 0);
			assert.is(firstFrom(all, other), first < 0 ? all.length : first);
		}),
	);
});

test('firstPosition returns the first position that matches, or the end', () => {
	for (let count = 0; count < 10; count += 1) {
		for (let first = 0; first <= count; first += 1) {
			assert.is(
				firstPosition(count, (position) => position >= first),
				first,
			);
		}
	}
});

test.run();
