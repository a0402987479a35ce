import { createHash } from 'node:crypto';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import type { KnownSource } from '../../../node/reuse/known-source.ts';
import { KnownTable } from '../../../node/reuse/known-table.ts';
import { zerosDigest } from '../../../node/reuse/zeros-digest.ts';
import { contentOf, seedOf } from '../../helpers/fixtures/seeds.ts';
import { d, folderOf, l, sha256, type Tree } from '../../helpers/fixtures/trees.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('KnownTable');
const CHUNK = 512;

const bytesOf = (hex: string): Buffer => Buffer.from(hex, 'hex');

function fileSource(path: string, content: Uint8Array): KnownSource {
	const seed = seedOf(content, { chunkSize: CHUNK });
	const { length, digest } = seed;
	return { path, length, chunkSize: CHUNK, chunkDigests: seed.chunkDigests(), digest };
}

function folderSource(path: string, tree: Tree): KnownSource {
	const { seed, index } = folderOf(tree, { chunkSize: CHUNK });
	const { length, digest } = seed;
	return { path, length, chunkSize: CHUNK, chunkDigests: seed.chunkDigests(), digest, index };
}

test('chunks and files are found with their source and their number in it', () => {
	const [one, two] = [contentOf(3 * CHUNK), contentOf(2 * CHUNK + 7)];
	const sources = [fileSource('/one', one), fileSource('/two', two)];
	const table = KnownTable.of(sources, zerosDigest);
	for (const source of sources) {
		for (let number = 0; number < source.chunkDigests.length / 32; number += 1) {
			const [found] = table.chunk(source.chunkDigests.subarray(32 * number, 32 * number + 32));
			assert.equal([found?.source.path, found?.number], [source.path, number]);
		}
		const [found] = table.file(bytesOf(source.digest));
		assert.equal([found?.source.path, found?.number], [source.path, 0]);
	}
	assert.equal(table.chunk(bytesOf(sha256('other'))), []);
	assert.equal(table.file(bytesOf(sha256('other'))), []);
});

test('a file of a folder is found with the number of its entry; links and empty folders have numbers, too', () => {
	const tree = { a: d, b: contentOf(700), c: l('b'), d: contentOf(900), e: '', f: contentOf(5) };
	const table = KnownTable.of(
		[fileSource('/x', contentOf(9)), folderSource('/folder', tree)],
		zerosDigest,
	);
	const { folder } = folderOf(tree, { chunkSize: CHUNK });
	for (const [number, entry] of folder.entries.entries()) {
		const [found] = table.file(bytesOf(entry.digest));
		if (entry.kind === 'f' && entry.length > 0) {
			assert.equal([found?.source.path, found?.number], ['/folder', number]);
			assert.ok(found?.source.isFolder);
		} else {
			assert.is(found, undefined, entry.path);
		}
	}
});

test('chunks of zeros are not found', () => {
	const content = new Uint8Array(4 * CHUNK);
	content[2 * CHUNK] = 1;
	const source = fileSource('/sparse', content);
	const table = KnownTable.of([source], zerosDigest);
	assert.is(table.chunks.size, 1);
	assert.equal(table.chunk(source.chunkDigests.subarray(0, 32)), []);
	assert.is(table.chunk(source.chunkDigests.subarray(64, 96))[0]?.number, 2);
});

test('if two sources have the same chunk, the earlier source comes first', () => {
	const content = contentOf(CHUNK);
	const sources = [fileSource('/first', content), fileSource('/second', content)];
	const table = KnownTable.of(sources, zerosDigest);
	const paths = table.chunk((sources[0] as KnownSource).chunkDigests).map((f) => f.source.path);
	assert.equal(paths, ['/first', '/second']);
});

test('if the index of a folder is damaged, only its chunks are found, not its files', () => {
	const source = folderSource('/folder', { a: contentOf(2_000) });
	const damaged = { ...source, index: Buffer.from('shoal-folder 1\nno entry\n') };
	const file = fileSource('/file', contentOf(3 * CHUNK));
	const table = KnownTable.of([damaged, file], zerosDigest);
	const [found] = table.chunk(source.chunkDigests.subarray(32, 64));
	assert.equal([found?.source.path, found?.number], ['/folder', 1]);
	assert.equal([table.files.size, table.file(bytesOf(file.digest)).length], [1, 1]);
});

test('a table of no sources finds nothing', () => {
	const table = KnownTable.of([], zerosDigest);
	assert.equal([table.chunk(new Uint8Array(32)), table.file(bytesOf(sha256('')))], [[], []]);
});

test('the right source is found, even if there are sources without chunks or files between others', () => {
	const lengths = fc.array(fc.tuple(fc.nat(4), fc.nat(3), fc.boolean()), { maxLength: 12 });
	fc.assert(
		fc.property(lengths, (numbers) => {
			const sources = numbers.map(([chunks, files, isFolder], at): KnownSource => {
				const digests = Array.from({ length: chunks }, (_, chunk) =>
					createHash('sha256').update(`${at} ${chunk}`).digest(),
				);
				const tree = Object.fromEntries(
					Array.from({ length: files }, (_, file) => [`${file}`, `${at} ${file}`]),
				);
				const { index } = folderOf(tree);
				return {
					...{ path: `/${at}`, length: chunks * CHUNK, chunkSize: CHUNK },
					chunkDigests: new Uint8Array(Buffer.concat(digests)),
					digest: isFolder ? sha256(index) : '0'.repeat(64),
					index: isFolder ? index : undefined,
				};
			});
			const table = KnownTable.of(sources, zerosDigest);
			for (const [at, [chunks, files, isFolder]] of numbers.entries()) {
				for (let chunk = 0; chunk < chunks; chunk += 1) {
					const [found] = table.chunk(bytesOf(sha256(`${at} ${chunk}`)));
					assert.equal([found?.source.path, found?.number], [`/${at}`, chunk]);
				}
				for (let file = 0; isFolder && file < files; file += 1) {
					const [found] = table.file(bytesOf(sha256(`${at} ${file}`)));
					assert.equal([found?.source.path, found?.number], [`/${at}`, file]);
				}
			}
		}),
		{ numRuns: 50 },
	);
});

test.run();
