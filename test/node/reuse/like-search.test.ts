import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { checkLike, listLike } from '../../../node/reuse/like-paths.ts';
import { searchLike } from '../../../node/reuse/like-search.ts';
import { openFile } from '../../../node/reuse/open-known.ts';
import { OpenSources } from '../../../node/reuse/open-sources.ts';
import { PlaceFinder } from '../../../node/reuse/place-finder.ts';
import type { StoredContent } from '../../../node/storage/content-store.ts';
import { MemoryStorage } from '../../../node/storage/memory-storage.ts';
import { Bitfield, type DigestKind } from '../../../protocol/index.ts';
import { makeFolder } from '../../helpers/fixtures/folder.ts';
import { contentOf, seedOf } from '../../helpers/fixtures/seeds.ts';
import { folderOf, plant } from '../../helpers/fixtures/trees.ts';
import { rejects } from '../../helpers/harness/rejects.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';

const test = suite('search in files that are like a content');
const CHUNK = 512;

function contentIn(bytes: Uint8Array, kind: DigestKind = 'sha256'): StoredContent {
	const seed = seedOf(bytes, { chunkSize: CHUNK, kind, name: 'image.bin' });
	return { seed, have: new Bitfield(seed.chunks), storage: new MemoryStorage(seed.length) };
}

interface Step {
	readonly isPlace: boolean;
	/** The chunks that this step has found. */
	readonly found: number[];
}

/** Searches to the end. After each step, the chunks that it has found are no longer missing. */
async function searched(
	t: Scope,
	path: string,
	content: StoredContent,
): Promise<{ steps: Step[]; hashed: number; missing: number[] }> {
	const sources = new OpenSources(async (source) => openFile(source.path));
	t.defer(() => sources.close());
	const { seed } = content;
	let missing = Array.from({ length: seed.chunks }, (_, chunk) => chunk);
	let hashed = 0;
	const onBytes = (bytes: number): void => {
		hashed += bytes;
	};
	const steps: Step[] = [];
	const options = { sources, onBytes, signal: t.signal };
	const like = await listLike(path, { signal: t.signal });
	for await (const finder of searchLike(like, content, () => missing, options)) {
		const found: number[] = [];
		for (const chunk of missing) {
			for (const candidate of finder.candidates(chunk)) {
				const into = new Uint8Array(seed.layout.sizeOf(chunk));
				const isRead = await candidate.read(into).then(
					() => true,
					() => false,
				);
				if (isRead && Buffer.from(seedOf(into).chunkDigest(0)).equals(seed.chunkDigest(chunk))) {
					found.push(chunk);
					break;
				}
			}
		}
		missing = missing.filter((chunk) => !found.includes(chunk));
		steps.push({ isPlace: finder instanceof PlaceFinder, found });
		if (missing.length === 0) {
			break;
		}
	}
	return { steps, hashed, missing };
}

test('chunks are first tried at their own offsets in a file that the user names, before anything is hashed', async (t) => {
	const bytes = contentOf(20 * CHUNK + 1);
	const path = join(await makeFolder(t), 'any name');
	await writeFile(path, bytes);
	const { steps, hashed } = await searched(t, path, contentIn(bytes));
	assert.equal([steps.length, steps[0]?.isPlace, hashed], [1, true, 0]);
});

test('in a folder, files with the name or the length of the content are tried first', async (t) => {
	const root = await makeFolder(t);
	const bytes = contentOf(10 * CHUNK + 1);
	await mkdir(join(root, 'a'));
	await writeFile(join(root, 'a/image.bin'), bytes.subarray(0, 4 * CHUNK));
	await writeFile(
		join(root, 'same length'),
		bytes.map((byte, at) => (at < CHUNK ? 0 : byte)),
	);
	await writeFile(join(root, 'other'), bytes.subarray(0, 6 * CHUNK));
	const { steps, hashed } = await searched(t, root, contentIn(bytes));
	assert.equal([steps.length, steps[0]?.found.length, hashed], [1, 11, 0]);
});

test('files are hashed in batches: each has as many chunks as are missing', async (t) => {
	const root = await makeFolder(t);
	const bytes = contentOf(20 * CHUNK);
	for (let file = 0; file < 50; file += 1) {
		const part = bytes.subarray((file % 10) * 2 * CHUNK, ((file % 10) + 1) * 2 * CHUNK);
		await writeFile(join(root, `${file}`), file < 40 ? contentOf(2 * CHUNK + file) : part);
	}
	await writeFile(join(root, 'small'), 'too small to have a chunk');
	const { steps, missing } = await searched(t, root, contentIn(bytes));
	assert.equal(missing, []);
	assert.ok(steps.length >= 2 && steps.length <= 30, `${steps.length} steps`);
	await rm(join(root, '40'));
	const none = await searched(t, root, contentIn(contentOf(200 * CHUNK + 1)));
	assert.equal(
		none.steps.map(({ isPlace, found }) => [isPlace, found.length]),
		[
			[true, 0],
			[false, 0],
		],
		'the chunks of all files are looked up once',
	);
});

test('a file that is shorter than a chunk can be the last chunk', async (t) => {
	const root = await makeFolder(t);
	const bytes = contentOf(2 * CHUNK + 1);
	await writeFile(join(root, 'last'), bytes.subarray(2 * CHUNK));
	await writeFile(join(root, 'not last'), bytes.subarray(0, CHUNK - 1));
	await writeFile(join(root, 'empty'), '');
	const { missing, hashed } = await searched(t, root, contentIn(bytes));
	assert.equal([missing, hashed], [[0, 1], 1], 'only the file as long as the last chunk is hashed');
	const short = await searched(t, root, contentIn(bytes.subarray(2 * CHUNK)));
	assert.equal(short.missing, [], 'a content that is shorter than a chunk');
});

test('for a content with MD5 digests, chunks are tried only at their own offsets', async (t) => {
	const root = await makeFolder(t);
	const bytes = contentOf(10 * CHUNK);
	await writeFile(join(root, 'behind'), Buffer.concat([contentOf(CHUNK), bytes]));
	const { steps, hashed } = await searched(t, root, contentIn(bytes, 'md5'));
	assert.equal([steps.length, steps[0]?.isPlace, hashed], [1, true, 0]);
});

test('for a folder, only files with the length of one of its files are hashed as a whole', async (t) => {
	const root = await makeFolder(t);
	const tree = { 'a/b': contentOf(1_700), c: contentOf(300), d: 'text' };
	await plant(root, { x: tree['a/b'], 'y/z': contentOf(300).reverse(), 'y/q': tree.c, other: 'o' });
	const { seed, folder } = folderOf(tree, { chunkSize: CHUNK });
	const have = new Bitfield(seed.chunks);
	const content: StoredContent = { seed, folder, have, storage: new MemoryStorage(seed.length) };
	const { steps, hashed } = await searched(t, root, content);
	const first = Math.ceil((seed.index ?? 0) / CHUNK);
	const inside = Math.floor(((seed.index ?? 0) + 1_700) / CHUNK) - first;
	assert.ok((steps[0]?.found.length ?? 0) >= inside, JSON.stringify(steps));
	assert.is(hashed, 1_700 + 600 + 1_700, 'the largest file is hashed once more, by chunks');
});

test('a folder without files finds nothing', async (t) => {
	const { steps } = await searched(t, await makeFolder(t), contentIn(contentOf(3 * CHUNK)));
	assert.ok(steps.every(({ found }) => found.length === 0));
});

test('a path that is neither a file nor a folder is an error, as is a search that is stopped', async (t) => {
	const root = await makeFolder(t);
	await checkLike([]);
	await checkLike([root]);
	for (const path of ['', join(root, 'missing'), '/dev/zero']) {
		await rejects(checkLike([root, path]));
	}
	const sources = new OpenSources(async (source) => openFile(source.path));
	const content = contentIn(contentOf(CHUNK));
	const signal = AbortSignal.abort();
	assert.is((await rejects(listLike(join(root, 'missing'), {}))).code, 'ERR_NO_FILE');
	assert.is((await rejects(listLike(root, { signal }))).code, 'ERR_ABORTED');
	await writeFile(join(root, 'a'), contentOf(2 * CHUNK));
	const search = searchLike(await listLike(root, {}), content, () => [0], { sources, signal });
	await search.next();
	assert.is((await rejects(search.next())).code, 'ERR_ABORTED');
});

test.run();
