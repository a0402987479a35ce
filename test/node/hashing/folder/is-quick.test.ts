import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { isQuick } from '../../../../node/hashing/folder/is-quick.ts';
import { makeFolder } from '../../../helpers/fixtures/folder.ts';
import { contentOf } from '../../../helpers/fixtures/seeds.ts';
import { folderOf, locationOf, makeTree, plant } from '../../../helpers/fixtures/trees.ts';
import { suite } from '../../../helpers/harness/suite.ts';

const test = suite('quick jobs');

async function fill(root: string, folders: number, files: number): Promise<string> {
	for (let folder = 0; folder < folders; folder += 1) {
		await mkdir(join(root, `${folder}`), { recursive: true });
		for (let file = 0; file < files; file += 1) {
			await writeFile(join(root, `${folder}`, `${file}`), '');
		}
	}
	return root;
}

test('a folder with at most 200 entries is read on the event loop, also below other folders', async (t) => {
	const root = await makeFolder(t);
	const few = await fill(join(root, 'few'), 4, 49);
	const many = await fill(join(root, 'many'), 4, 50);
	const record = { index: new Uint8Array(), stamps: '' } as never;
	for (const [path, expected] of [
		[few, true],
		[many, false],
	] as const) {
		assert.is(isQuick({ do: 'scan', root: path, exclude: [] }), expected);
		assert.is(isQuick({ do: 'changes', root: path, record }), expected);
	}
});

test('a folder that cannot be read is left to the thread, which reports the error', async (t) => {
	const root = join(await makeFolder(t), 'missing');
	assert.not.ok(isQuick({ do: 'scan', root, exclude: [] }));
});

test('at most 1 MiB in few files is hashed on the event loop', async (t) => {
	const root = await makeFolder(t);
	for (const [bytes, expected] of [
		[1_000_000, true],
		[1_100_000, false],
	] as const) {
		const tree = { a: contentOf(bytes), b: 'text' };
		const location = locationOf(folderOf(tree), await plant(join(root, `${bytes}`), tree));
		const draft = { location } as never;
		assert.is(isQuick({ do: 'files', draft }), expected);
		assert.is(isQuick({ do: 'check', draft }), expected);
		const chunks = { runs: [], passesUnreadable: false };
		assert.is(isQuick({ do: 'chunks', location, ...chunks }), expected);
		assert.is(isQuick({ do: 'compare', location, record: undefined }), expected);
		assert.is(isQuick({ do: 'tidy', location }), expected);
	}
});

test('a small content is compared in a thread if its folder has got many entries', async (t) => {
	const tree = { a: 'text' };
	const root = await makeTree(t, tree);
	const location = locationOf(folderOf(tree), root);
	assert.ok(isQuick({ do: 'compare', location, record: undefined }));
	await fill(root, 1, 200);
	assert.not.ok(isQuick({ do: 'compare', location, record: undefined }));
	assert.not.ok(isQuick({ do: 'tidy', location }));
});

test('a content with a long index is hashed in a thread, however short its files are', async (t) => {
	const tree = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`file ${at}`, '']));
	const location = locationOf(folderOf(tree), await makeFolder(t));
	assert.not.ok(isQuick({ do: 'chunks', location, runs: [], passesUnreadable: false }));
});

test('any folder that a user names is listed and hashed in a thread', async (t) => {
	const root = await makeFolder(t);
	assert.not.ok(isQuick({ do: 'list', root }));
	assert.not.ok(isQuick({ do: 'digests', paths: [] }));
});

test('the pieces of at most 200 files with at most 1 MiB are hashed on the event loop', () => {
	for (const [files, bytes, expected] of [
		[1, 1_048_576, true],
		[1, 1_048_577, false],
		[200, 10, true],
		[201, 10, false],
	] as const) {
		const paths = Array.from({ length: files }, (_, file) => `/${file}`);
		assert.is(isQuick({ do: 'pieces', paths, bytes, pieceSize: 512 }), expected);
	}
});

test.run();
