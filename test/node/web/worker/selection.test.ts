import * as assert from 'uvu/assert';
import { bytesOf, endOf, selectChunks } from '../../../../node/web/worker/selection.ts';
import {
	Bitfield,
	chooseFolderChunkSize,
	digestOf,
	Folder,
	type FolderEntry,
	folderLength,
	formatIndex,
	Seed,
} from '../../../../protocol/index.ts';
import { suite } from '../../../helpers/harness/suite.ts';
import { throwsCode } from '../../../helpers/harness/throws-code.ts';

const test = suite('selection of chunks for some files of a folder');

const KIB = 1_024;
const entry = (path: string, length: number): FolderEntry => {
	const digest = length === 0 ? digestOf('sha256', new Uint8Array()) : new Uint8Array(32).fill(7);
	return { path, length, kind: 'f', digest: Buffer.from(digest).toString('hex') };
};
const entries = [entry('a', 600 * KIB), entry('b', 1), entry('c', 600 * KIB), entry('none', 0)];
const index = formatIndex(entries);
const chunkSize = chooseFolderChunkSize(entries, index.length);
const length = folderLength(entries, index.length, chunkSize);
const chunks = Math.ceil(length / chunkSize);
const seed = new Seed({
	...{ name: 'folder', length, index: index.length, kind: 'sha256' },
	digest: digestOf('sha256', index),
	chunkDigests: new Uint8Array(chunks * 32),
});
const folder = new Folder(seed, index);

test('the selected chunks are those with bytes of the files or of the index', () => {
	assert.is(chunks, 5);
	const chunksOf = (...paths: string[]) => [
		...selectChunks(seed, folder, new Set(paths)).wanted.indices(),
	];
	assert.equal(chunksOf('a'), [0, 1, 2]);
	assert.equal(chunksOf('b'), [0, 2]);
	assert.equal(chunksOf('c'), [0, 2, 3, 4]);
	assert.equal(chunksOf('none'), [0]);
	assert.equal(chunksOf('a', 'c'), [0, 1, 2, 3, 4]);
	throwsCode('ERR_NOT_FOUND', () => selectChunks(seed, folder, new Set(['d'])));
});

test('bytesOf is the sum of the bytes of the chunks; endOf is the end of the last chunk', () => {
	const field = new Bitfield(chunks);
	assert.is(bytesOf(seed, field), 0);
	assert.is(endOf(seed, field), 0);
	field.set(1);
	assert.is(bytesOf(seed, field), chunkSize);
	assert.is(endOf(seed, field), 2 * chunkSize);
	field.set(4);
	assert.is(bytesOf(seed, field), chunkSize + length - 4 * chunkSize);
	assert.is(endOf(seed, field), length);
});

test.run();
