import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { Candidate } from '../../../node/reuse/known-bytes.ts';
import type { KnownSource } from '../../../node/reuse/known-source.ts';
import { KnownTable } from '../../../node/reuse/known-table.ts';
import { openFile, openFolder } from '../../../node/reuse/open-known.ts';
import { OpenSources } from '../../../node/reuse/open-sources.ts';
import { PlaceFinder } from '../../../node/reuse/place-finder.ts';
import { TableFinder } from '../../../node/reuse/table-finder.ts';
import { zerosDigest } from '../../../node/reuse/zeros-digest.ts';
import type { StoredContent } from '../../../node/storage/content-store.ts';
import { MemoryStorage } from '../../../node/storage/memory-storage.ts';
import { Bitfield } from '../../../protocol/index.ts';
import { makeFolder } from '../../helpers/fixtures/folder.ts';
import { contentOf, seedOf } from '../../helpers/fixtures/seeds.ts';
import {
	d,
	folderOf,
	l,
	type MadeFolder,
	sha256,
	type Tree,
} from '../../helpers/fixtures/trees.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';

const test = suite('TableFinder');
const CHUNK = 512;

const [A, B, C] = [contentOf(1_300), contentOf(900), contentOf(64 * CHUNK + 9)];

function contentIn({ seed, folder }: MadeFolder): StoredContent {
	const storage = new MemoryStorage(seed.length);
	return { seed, folder, have: new Bitfield(seed.chunks), storage };
}

/** A file whose digest is known, but not the digests of its chunks. */
async function file(root: string, name: string, bytes: Uint8Array): Promise<KnownSource> {
	const path = join(root, name);
	await writeFile(path, bytes);
	const chunkDigests = new Uint8Array();
	return { path, length: bytes.length, chunkSize: CHUNK, chunkDigests, digest: sha256(bytes) };
}

function finderOf(
	t: Scope,
	content: StoredContent,
	known: readonly KnownSource[],
	isOld = false,
): TableFinder {
	const indexOf = new Map(known.map(({ path, index }) => [path, index]));
	const sources = new OpenSources(async ({ path, isFolder }) => {
		const index = indexOf.get(path);
		return isFolder && index !== undefined
			? openFolder({ root: path, seed: content.seed as never, index })
			: openFile(path);
	});
	t.defer(() => sources.close());
	return new TableFinder(content, KnownTable.of(known, zerosDigest), sources, isOld);
}

/** Tries the candidates of a chunk until one is right. @returns its origin, and the tries */
async function take(
	{ candidates }: { candidates: Iterable<Candidate> },
	{ seed }: StoredContent,
	chunk: number,
): Promise<{ origin: string; tries: number } | undefined> {
	let tries = 0;
	for (const candidate of candidates) {
		tries += 1;
		const into = new Uint8Array(seed.layout.sizeOf(chunk));
		const isRead = await candidate.read(into).then(
			() => true,
			() => false,
		);
		const isRight = isRead && sha256(into) === Buffer.from(seed.chunkDigest(chunk)).toString('hex');
		candidate.onResult(isRight);
		if (isRight) {
			return { origin: candidate.origin, tries };
		}
	}
	return undefined;
}

async function takeAll(finder: TableFinder | PlaceFinder, content: StoredContent) {
	const taken: Array<{ origin: string; tries: number } | undefined> = [];
	for (let chunk = 0; chunk < content.seed.chunks; chunk += 1) {
		taken.push(await take({ candidates: finder.candidates(chunk) }, content, chunk));
	}
	return taken;
}

const TREE: Tree = { a: A, b: d, 'c/link': l('../a'), d: B, e: '', f: C };

test('chunks of a folder are put together from known files, wherever these are, and from the zeros between files', async (t) => {
	const root = await makeFolder(t);
	const content = contentIn(folderOf({ a: A, d: B, f: C }, { chunkSize: CHUNK }));
	const known = [
		await file(root, '3', C),
		await file(root, '1', A),
		await file(root, 'other', contentOf(8)),
		await file(root, '2', B),
	];
	const taken = await takeAll(finderOf(t, content, known), content);
	const { index = 0 } = content.seed;
	const first = Math.ceil(index / CHUNK);
	assert.ok(taken.slice(0, first).every((each) => each === undefined));
	assert.ok(taken.slice(first).every((each) => each?.origin === 'files' && each.tries === 1));
});

test('a chunk with bytes of a link, or of a file that is not known, is not found', async (t) => {
	const root = await makeFolder(t);
	const content = contentIn(folderOf(TREE, { chunkSize: CHUNK }));
	const known = [await file(root, 'a', A), await file(root, 'f', C)];
	const taken = await takeAll(finderOf(t, content, known), content);
	const { folder, seed } = content;
	for (const [chunk, found] of taken.entries()) {
		let isKnown = seed.layout.offsetOf(chunk) >= (seed.index ?? 0);
		folder?.visit(seed.layout.offsetOf(chunk), seed.layout.sizeOf(chunk), ({ entry }) => {
			isKnown &&= entry === undefined || ['a', 'f'].includes(entry.path);
		});
		assert.is(found !== undefined, isKnown, `chunk ${chunk}`);
	}
});

test('if a known file has changed, another one with its digest is used', async (t) => {
	const root = await makeFolder(t);
	const content = contentIn(folderOf({ f: C }, { chunkSize: CHUNK }));
	const known = [await file(root, 'first', C), await file(root, 'second', C)];
	await writeFile(join(root, 'first'), contentOf(C.length + 1).subarray(0, C.length));
	const taken = await takeAll(finderOf(t, content, known), content);
	assert.is(taken.filter((each) => each === undefined).length, 1, 'the index');
	const most = taken.reduce((sum, each) => sum + (each?.tries ?? 0), 0);
	assert.ok(most < taken.length + 16 + 6, `${most} tries: the changed file is soon tried no more`);
	await rm(join(root, 'first'));
	const again = await takeAll(finderOf(t, content, known), content);
	assert.is(
		again.filter((each) => each === undefined).length,
		1,
		'the index, although the first file is gone',
	);
});

/** The bytes of all pieces that could be read. */
async function piecesOf({ seed, content }: MadeFolder, finder: TableFinder) {
	let [right, wrong] = [0, 0];
	for (let chunk = 0; chunk < seed.chunks; chunk += 1) {
		for (const { from, length, read } of finder.pieces(chunk)) {
			const into = new Uint8Array(length);
			const isRead = await read(into).then(
				() => true,
				() => false,
			);
			const start = seed.layout.offsetOf(chunk) + from;
			const isRight = Buffer.from(into).equals(content.subarray(start, start + length));
			right += isRead && isRight ? length : 0;
			wrong += isRead && !isRight ? length : 0;
		}
	}
	return { right, wrong };
}

test('the known pieces of chunks are read; a piece of an old file is read only if the whole file is right', async (t) => {
	const root = await makeFolder(t);
	const made = folderOf({ a: A, b: contentOf(800), c: B, d: '' }, { chunkSize: CHUNK });
	const content = contentIn(made);
	const known = [await file(root, 'first', A), await file(root, 'second', B)];
	// A chunk with bytes of the index has no pieces: it is fetched with the index.
	const all = { right: A.length + B.length - (CHUNK - ((made.seed.index ?? 0) % CHUNK)), wrong: 0 };
	for (const isOld of [false, true]) {
		assert.equal(await piecesOf(made, finderOf(t, content, known, isOld)), all);
	}
	await writeFile(
		join(root, 'second'),
		B.map((byte, at) => (at < 10 ? byte ^ 1 : byte)),
	);
	const fresh = await piecesOf(made, finderOf(t, content, known));
	assert.ok(fresh.wrong > 0);
	const old = await piecesOf(made, finderOf(t, content, known, true));
	assert.equal(old, { right: all.right - B.length, wrong: 0 });
	await rm(join(root, 'first'));
	assert.equal(await piecesOf(made, finderOf(t, content, known, true)), { right: 0, wrong: 0 });
});

test('pieces of an old file above 1 MiB are not read', async (t) => {
	const root = await makeFolder(t);
	const large = contentOf(1_048_577);
	const made = folderOf({ large }, { chunkSize: 4_096 });
	const known = [await file(root, 'large', large)];
	const read = async (isOld: boolean): Promise<number> =>
		(await piecesOf(made, finderOf(t, contentIn(made), known, isOld))).right;
	assert.ok((await read(false)) >= large.length);
	assert.ok((await read(true)) < 4_096, 'zeros before the file');
});

test('chunks are found by their own digests, first in sources that have not changed', async (t) => {
	const root = await makeFolder(t);
	const bytes = contentOf(40 * CHUNK + 3);
	const seed = seedOf(bytes);
	const have = new Bitfield(seed.chunks);
	const content: StoredContent = { seed, have, storage: new MemoryStorage(seed.length) };
	const moved = Buffer.concat([contentOf(CHUNK), bytes]);
	const known: KnownSource[] = [];
	for (const [name, of] of Object.entries({ stale: bytes, moved })) {
		const { path, length, chunkSize, digest } = await file(root, name, of);
		const chunkDigests = seedOf(of).chunkDigests();
		known.push({ path, length, chunkSize, digest, chunkDigests });
	}
	await writeFile(join(root, 'stale'), 'short');
	const taken = await takeAll(finderOf(t, content, known), content);
	assert.ok(taken.every((each) => each?.origin === 'known'));
	assert.is(taken[0]?.tries, 2);
	assert.is(taken[20]?.tries, 1, 'the changed file is not tried any more');
});

test('nothing is found for a content with MD5 digests', (t) => {
	const seed = seedOf(contentOf(2_000), { kind: 'md5' });
	const have = new Bitfield(seed.chunks);
	const content: StoredContent = { seed, have, storage: new MemoryStorage(seed.length) };
	const finder = finderOf(t, content, []);
	assert.equal([...finder.candidates(0)], []);
});

test('chunks are found at the same offsets of other files without digests, up to the ends of these files', async (t) => {
	const root = await makeFolder(t);
	const bytes = contentOf(10 * CHUNK + 3);
	const seed = seedOf(bytes);
	const have = new Bitfield(seed.chunks);
	const content: StoredContent = { seed, have, storage: new MemoryStorage(seed.length) };
	const heads = [];
	for (const [name, of] of Object.entries({
		start: bytes.subarray(0, 3 * CHUNK + 1),
		changed: bytes.map((byte, at) => (at < 5 * CHUNK ? byte ^ 1 : byte)),
	})) {
		const { path, length, chunkSize } = await file(root, name, of);
		heads.push({ path, length, chunkSize, isFolder: false, firstChunk: 0, firstFile: 0 });
	}
	const sources = new OpenSources(async ({ path }) => openFile(path));
	t.defer(() => sources.close());
	const taken = await takeAll(new PlaceFinder(content, heads, sources), content);
	const found = taken.map((each) => each?.tries ?? 0);
	assert.equal(found, [1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1]);
});

test.run();
