import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { Folder, isFile } from '../../../protocol/index.ts';
import { contentOf } from '../../helpers/fixtures/seeds.ts';
import { d, folderOf, folderSeed, l, type Tree, x } from '../../helpers/fixtures/trees.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { throwsCode } from '../../helpers/harness/throws-code.ts';

const test = suite('Folder');
const CHUNK = 512;
const TREE: Tree = {
	'a/b': contentOf(700),
	'a/c': '',
	'a/link': l('b'),
	big: contentOf(64 * CHUNK + 1),
	run: x('#!'),
	void: d,
	'z/é': contentOf(3),
};
const made = folderOf(TREE, { chunkSize: CHUNK });
const { folder, seed, index, content } = made;

test('find returns each entry with the offset of its bytes', () => {
	for (const { path, length, kind } of folder.entries) {
		const found = folder.find(path);
		assert.is(found?.entry.kind, kind);
		const leaf = TREE[path] as Uint8Array | { bytes: Uint8Array };
		const bytes = leaf instanceof Uint8Array || typeof leaf === 'string' ? leaf : leaf.bytes;
		const offset = found?.offset as number;
		assert.equal(Buffer.from(content.subarray(offset, offset + length)), Buffer.from(bytes), path);
	}
	for (const path of ['', 'a', 'a/', '/a/b', 'A/B', 'z/e\u0301', '__proto__', 'constructor']) {
		assert.is(folder.find(path), undefined, path);
	}
	assert.is(folder.files, 5);
	assert.is(folder.entries.filter(isFile).length, 5);
});

test('visit passes on the pieces of any range, and no others', () => {
	fc.assert(
		fc.property(fc.nat(content.length), fc.nat(3_000), (offset, length) => {
			const visited: number[] = [];
			folder.visit(offset, length, (piece, at) => {
				assert.is(folder.pieces[at], piece);
				visited.push(at);
			});
			const expected = folder.pieces.flatMap((piece, at) =>
				piece.offset < offset + length && piece.offset + piece.length > offset ? [at] : [],
			);
			assert.equal(visited, expected);
		}),
		{ numRuns: 500 },
	);
});

test('an index is refused if its digest or its content differs from the seed', () => {
	throwsCode('ERR_SEED', () => new Folder(seed, index.subarray(1)));
	throwsCode('ERR_SEED', () => new Folder(seed, Uint8Array.from(index).fill(0x61, 20, 21)));
	throwsCode('ERR_SEED', () => new Folder(folderOf({ a: 'b' }).seed, index));
	const { id, length, digest, layout } = seed;
	throwsCode('ERR_SEED', () => new Folder({ id, length, digest, layout }, index), 'that of a file');
	for (const other of [content.length - 1, content.length + 1, content.length + 10_000]) {
		const longer = new Uint8Array(other);
		longer.set(content.subarray(0, Math.min(other, content.length)));
		const wrong = folderSeed(index, longer, { chunkSize: CHUNK });
		throwsCode('ERR_SEED', () => new Folder(wrong, index), `${other} bytes`);
	}
	const bigger = folderSeed(index, content, { chunkSize: 2 * CHUNK });
	throwsCode('ERR_SEED', () => new Folder(bigger, index), 'another chunk size has other padding');
});

test('lengths that add up to more than the longest content are refused', () => {
	const line = (path: string): string => `${'0'.repeat(64)} ${4 * 2 ** 40} f ${path}\n`;
	const many = Buffer.from(
		`shoal-folder 1\n${Array.from({ length: 3_000 }, (_, at) => line(`${at}`.padStart(5, '0'))).join('')}`,
	);
	throwsCode('ERR_SEED', () => new Folder(folderSeed(many, many), many));
});

test.run();
