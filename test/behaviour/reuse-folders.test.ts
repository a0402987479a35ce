import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { SeedCache } from '../../node/index.ts';
import type { Seed } from '../../protocol/index.ts';
import {
	d,
	folderOf,
	l,
	linesIn,
	linesOf,
	plant,
	type Tree,
	x,
} from '../helpers/fixtures/trees.ts';
import { startNode } from '../helpers/harness/node.ts';
import { rejects } from '../helpers/harness/rejects.ts';
import {
	CHUNK,
	diskBytes,
	fetched,
	type Reusing,
	shareHeld,
	startReusing,
} from '../helpers/harness/reusing.ts';
import { suite } from '../helpers/harness/suite.ts';

const test = suite('files of folders that are there already');

/** A file of at least 64 chunks: such a file begins at the start of a chunk. */
const LARGE = randomBytes(70 * CHUNK + 5);
const SMALL = Array.from({ length: 30 }, (_, at) => randomBytes(900 + at * 70));
const smallFiles = (folder: string): Tree =>
	Object.fromEntries(SMALL.map((bytes, at) => [`${folder}/${at}`, bytes]));

const TREE: Tree = {
	...smallFiles('small'),
	'deep/er/large.img': LARGE,
	link: l('small/1'),
	void: d,
	empty: '',
	run: x('#!/bin/sh\n'),
};
/** The same files under other names, and a little more. */
const MOVED: Tree = {
	...smallFiles('renamed/folder'),
	'a large file': LARGE,
	'b/void': d,
	new: 'text',
	run: x('#!/bin/sh\n'),
};

function chunksOf(seed: Seed): number {
	return Math.ceil((seed.index ?? 0) / CHUNK);
}

async function share({ seeder, node }: Reusing, tree: Tree): Promise<Seed> {
	return await shareHeld(node, seeder, folderOf(tree, { chunkSize: CHUNK }));
}

async function isTree(path: string, tree: Tree): Promise<void> {
	assert.equal(await linesIn(path), linesOf(tree));
}

test('if files were only moved and renamed, only the chunks of the index and at most one more are fetched', async (t) => {
	const rig = await startReusing(t);
	const output = `${rig.at('place')}/`;
	await rig.get(await share(rig, TREE), { output });
	const next = await share(rig, MOVED);
	// Another node downloads, so the first version is known only from the disk.
	const node = await startNode(t, rig.url);
	const { path, reused, ...result } = await fetched(node.get(next, { output }));
	assert.ok(result.fetched <= (chunksOf(next) + 1) * CHUNK, `${result.fetched} bytes`);
	assert.ok(reused.files >= LARGE.length - CHUNK, JSON.stringify(reused));
	await isTree(path, MOVED);
});

test('all files that are in a folder elsewhere are used, whatever their names', async (t) => {
	const rig = await startReusing(t);
	const seed = await share(rig, MOVED);
	await plant(rig.at('disk/backup'), TREE);
	await symlink(rig.at('disk'), rig.at('disk/circle'));
	const like = [rig.at('disk')];
	const { path, ...result } = await rig.get(seed, { output: `${rig.at('place')}/`, like });
	assert.ok(result.fetched <= (chunksOf(seed) + 1) * CHUNK, `${result.fetched} bytes`);
	await isTree(path, MOVED);
});

test('with a full copy elsewhere, only the index is fetched', async (t) => {
	const rig = await startReusing(t);
	const { link: _, ...tree } = TREE;
	const seed = await share(rig, tree);
	const like = [await plant(rig.at('disk'), tree)];
	const { path, ...result } = await rig.get(seed, { output: `${rig.at('place')}/`, like });
	assert.is(result.fetched, chunksOf(seed) * CHUNK);
	await isTree(path, tree);
});

test('if only some files are wanted, no others are fetched or written', async (t) => {
	const rig = await startReusing(t);
	const seed = await share(rig, TREE);
	const like = [await plant(rig.at('disk'), MOVED)];
	const options = { output: `${rig.at('place')}/`, like, only: ['deep'] };
	const { path, ...result } = await rig.get(seed, options);
	assert.ok(
		result.fetched <= (chunksOf(seed) + 1) * CHUNK,
		'only the index and the chunk with bytes of a link',
	);
	await isTree(path, { 'deep/er/large.img': LARGE });
});

test('a file that is twice in a folder is fetched once, and zeros are left as a hole', async (t) => {
	const rig = await startReusing(t);
	const sparse = Buffer.alloc(80 * CHUNK);
	sparse.write('four', 40 * CHUNK);
	const tree = { a: LARGE, b: 'text', c: LARGE, 'd/sparse': sparse };
	const seed = await share(rig, tree);
	const { path, reused, ...result } = await rig.get(seed, { output: `${rig.at('place')}/` });
	assert.ok(result.fetched <= LARGE.length + 4 * CHUNK, `${result.fetched} bytes`);
	assert.ok(reused.zeros >= 78 * CHUNK, JSON.stringify(reused));
	assert.ok((await diskBytes(join(path, 'd/sparse'))) <= CHUNK);
	await isTree(path, tree);
});

test('the path of the folder itself may be a path of like, also while the folder is written', async (t) => {
	const rig = await startReusing(t);
	const output = `${rig.at('place')}/`;
	const like = [rig.at('place')];
	await mkdir(rig.at('place'));
	const first = await rig.get(await share(rig, TREE), { output, like });
	await isTree(first.path, TREE);
	const second = await rig.get(await share(rig, MOVED), { output, like });
	await isTree(second.path, MOVED);
});

test('an older version with changes of the user is not replaced, but its files are used elsewhere', async (t) => {
	const rig = await startReusing(t);
	const output = `${rig.at('place')}/`;
	const { path } = await rig.get(await share(rig, TREE), { output });
	await writeFile(join(path, 'small/3'), 'mine');
	const next = await share(rig, MOVED);
	const getting = rig.get(next, { output, like: [path] });
	assert.is((await rejects(getting)).code, 'ERR_EXISTS');
	const elsewhere = await rig.get(next, { output: `${rig.at('other')}/`, like: [path] });
	assert.ok(elsewhere.fetched <= (chunksOf(next) + 3) * CHUNK, `${elsewhere.fetched} bytes`);
	await isTree(elsewhere.path, MOVED);
});

/** A folder that was downloaded with a cache, and a node that has never seen it. */
async function startCached(t: Parameters<typeof startReusing>[0]) {
	const rig = await startReusing(t);
	const cache = new SeedCache(rig.at('cache/seeds'));
	const { path } = await rig.get(await share(rig, TREE), { output: `${rig.at('first')}/`, cache });
	const node = await startNode(t, rig.url);
	const next = await share(rig, MOVED);
	let place = 0;
	const get = async () => {
		place += 1;
		const output = `${rig.at(`place${place}`)}/`;
		const result = await fetched(node.get(next, { output, cache }));
		await isTree(result.path, MOVED);
		await node.close();
		return result.fetched;
	};
	return { path, get, cache, index: chunksOf(next), length: next.length };
}

test('files of a folder that was downloaded before are found, wherever that folder is', async (t) => {
	const { get, index } = await startCached(t);
	assert.ok((await get()) <= (index + 1) * CHUNK);
});

test('of a folder that was changed since, the chunks that are still right are used', async (t) => {
	const { get, path, index } = await startCached(t);
	await rm(join(path, 'small'), { recursive: true });
	await truncate(join(path, 'deep/er/large.img'), 50 * CHUNK);
	const bytes = await get();
	assert.ok(bytes <= (index + 24) * CHUNK, `${bytes / CHUNK} chunks`);
	assert.ok(bytes >= 20 * CHUNK, `${bytes / CHUNK} chunks`);
});

test('if remembered small files were changed, few bytes are fetched twice, and no node is blamed', async (t) => {
	const rig = await startReusing(t);
	const cache = new SeedCache(rig.at('cache/seeds'));
	const files = Array.from({ length: 200 }, (_, at) => randomBytes(5_000 + at * 20));
	const first: Tree = Object.fromEntries(files.map((bytes, at) => [`${at}`, bytes]));
	const { path } = await rig.get(await share(rig, first), { output: `${rig.at('first')}/`, cache });
	for (const [at, { length }] of files.entries()) {
		await writeFile(join(path, `${at}`), randomBytes(length));
	}
	// Every third file is new, so no chunk is known as a whole, but most bytes of each chunk are.
	const others = files.map((bytes, at) => (at % 3 === 0 ? randomBytes(bytes.length) : bytes));
	const next: Tree = Object.fromEntries(others.map((bytes, at) => [`moved/${at}`, bytes]));
	const node = await startNode(t, rig.url);
	const warnings: unknown[] = [];
	node.on('warning', (warning) => warnings.push(warning));
	const seed = await share(rig, next);
	const before = rig.seeder.sent.total;
	const result = await fetched(node.get(seed, { output: `${rig.at('next')}/`, cache }));
	await isTree(result.path, next);
	assert.equal(warnings, []);
	const more = rig.seeder.sent.total - before - seed.length;
	assert.ok(more <= 8 * CHUNK, `${more} bytes were sent twice`);
});

test('a remembered folder that was removed, or replaced by something else, costs only time', async (t) => {
	const { get, path, length } = await startCached(t);
	await rm(path, { recursive: true });
	await mkdir(path);
	execFileSync('mkfifo', [join(path, 'run')]);
	await symlink('/dev/zero', join(path, 'small'));
	await mkdir(join(path, 'deep/er/large.img'), { recursive: true });
	const bytes = await get();
	assert.ok(bytes > 0.95 * length, `${bytes}`);
});

test.run();
