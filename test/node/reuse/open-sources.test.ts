import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { SourceHead } from '../../../node/reuse/known-table.ts';
import { openFile, openFolder } from '../../../node/reuse/open-known.ts';
import { OpenSources } from '../../../node/reuse/open-sources.ts';
import { makeFolder, openBelow } from '../../helpers/fixtures/folder.ts';
import { contentOf } from '../../helpers/fixtures/seeds.ts';
import { d, folderOf, l, locationOf, makeTree } from '../../helpers/fixtures/trees.ts';
import { rejects } from '../../helpers/harness/rejects.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';

const test = suite('OpenSources');
const CHUNK = 512;

const headOf = (path: string, length: number, isFolder = false): SourceHead => ({
	...{ path, length, chunkSize: CHUNK, isFolder },
	...{ firstChunk: 0, firstFile: 0 },
});

function opened(t: Scope): OpenSources {
	const sources = new OpenSources(async ({ path }) => openFile(path));
	t.defer(() => sources.close());
	return sources;
}

async function readChunk(sources: OpenSources, source: SourceHead, chunk: number, length = CHUNK) {
	const into = new Uint8Array(length);
	await sources.readChunk(source, chunk, into);
	return into;
}

test('chunks of a file, and bytes from any offset, are read', async (t) => {
	const content = contentOf(3 * CHUNK + 5);
	const path = join(await makeFolder(t), 'file');
	await writeFile(path, content);
	const [sources, source] = [opened(t), headOf(path, content.length)];
	assert.equal(await readChunk(sources, source, 1), content.slice(CHUNK, 2 * CHUNK));
	assert.equal(await readChunk(sources, source, 3, 5), content.slice(-5));
	const into = new Uint8Array(700);
	await sources.readFile(source, { entry: 0, offset: 300 }, into);
	assert.equal(into, content.slice(300, 1_000));
});

test('chunks and files of a folder are read', async (t) => {
	const tree = { a: d, 'b/c': contentOf(900), 'b/l': l('c'), d: contentOf(300) };
	const made = folderOf(tree, { chunkSize: CHUNK });
	const root = await makeTree(t, tree);
	const sources = new OpenSources(async () => openFolder(locationOf(made, root)));
	t.defer(() => sources.close());
	const source = headOf(root, made.seed.length, true);
	assert.equal(await readChunk(sources, source, 1), made.content.slice(CHUNK, 2 * CHUNK));
	for (const [entry, { path }] of made.folder.entries.entries()) {
		const bytes = tree[path as keyof typeof tree];
		if (bytes instanceof Uint8Array) {
			const into = new Uint8Array(bytes.length - 100);
			await sources.readFile(source, { entry, offset: 100 }, into);
			assert.equal(into, bytes.slice(100), path);
		}
	}
});

test('to read from a file that is missing, is too short or is a folder is an error', async (t) => {
	const root = await makeFolder(t);
	await writeFile(join(root, 'short'), 'text');
	const sources = opened(t);
	for (const path of [join(root, 'missing'), join(root, 'short'), root]) {
		const source = headOf(path, 2 * CHUNK);
		await rejects(readChunk(sources, source, 0));
		await rejects(readChunk(sources, source, 1));
		await rejects(readChunk(sources, source, Number.MAX_SAFE_INTEGER));
	}
});

test('at most 16 files stay open; a file that was closed is opened again when it is needed', async (t) => {
	const root = await makeFolder(t);
	const sources = opened(t);
	const files = Array.from({ length: 40 }, (_, at) => headOf(join(root, `${at}`), CHUNK));
	for (const [at, { path }] of files.entries()) {
		await writeFile(path, contentOf(CHUNK + at));
	}
	for (let turn = 0; turn < 3; turn += 1) {
		for (const [at, file] of files.entries()) {
			assert.equal(await readChunk(sources, file, 0), contentOf(CHUNK + at).slice(0, CHUNK));
			assert.ok((await openBelow(root)).length <= 16);
		}
	}
	const all = files.flatMap((file) => [file, files[0] as SourceHead]);
	const read = await Promise.all(all.map((file) => readChunk(sources, file, 0).catch(() => {})));
	assert.ok(read.some((bytes) => bytes !== undefined));
	await sources.close();
	assert.equal(await openBelow(root), []);
});

test('if a source gives wrong bytes 16 times in succession, only one of its chunks in 16 is tried', () => {
	const sources = new OpenSources(() => Promise.reject(new Error('nothing is opened')));
	const [stale, other] = [headOf('/stale', 1), headOf('/other', 1)];
	const worth = (source: SourceHead): number =>
		Array.from({ length: 160 }, (_, chunk) => sources.isWorth(source, chunk)).filter(Boolean)
			.length;
	for (let wrong = 0; wrong < 16; wrong += 1) {
		assert.is(worth(stale), 160);
		sources.onResult(stale, false);
	}
	assert.equal([worth(stale), worth(other)], [10, 160]);
	sources.onResult(stale, true);
	assert.is(worth(stale), 160, 'all chunks are tried again after one was right');
});

test.run();
