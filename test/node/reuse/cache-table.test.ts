import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { SeedCache } from '../../../node/hashing/seed-cache.ts';
import { tableOfCache, updatedTable } from '../../../node/reuse/cache-table.ts';
import type { KnownDigests } from '../../../node/reuse/known-table.ts';
import { makeTable, tableInThread } from '../../../node/reuse/known-table-thread.ts';
import type { Seed } from '../../../protocol/index.ts';
import { makeFolder } from '../../helpers/fixtures/folder.ts';
import { contentOf, seedOf } from '../../helpers/fixtures/seeds.ts';
import { folderOf, plant } from '../../helpers/fixtures/trees.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';

const test = suite('the table of a seed cache');
const CHUNK = 512;
const never = new AbortController().signal;

async function cached(t: Scope) {
	const root = await makeFolder(t);
	const cache = new SeedCache(join(root, 'seeds'));
	const path = (name: string): string => join(root, name);
	/** Remembers a file; the bytes at its path do not matter. */
	const remember = async (name: string, content: Uint8Array): Promise<Seed> => {
		const seed = seedOf(content, { chunkSize: CHUNK });
		await writeFile(path(name), '');
		await cache.remember(path(name), 'stamp', seed);
		return seed;
	};
	const entry = (name: string): string =>
		join(cache.folder, createHash('sha256').update(path(name)).digest('hex'));
	return { root, cache, path, remember, entry, table: path('seeds.table') };
}

const placesOf = (table: KnownDigests, seed: Seed): Array<[string, number]> =>
	table.chunk(seed.chunkDigest(seed.chunks - 1)).map((f) => [f.source.path, f.number]);

async function stampOf(path: string): Promise<string> {
	const { ino, mtimeMs } = await stat(path);
	return `${ino} ${mtimeMs}`;
}

test('the table has every file and folder that the cache remembers', async (t) => {
	const { root, cache, path, remember } = await cached(t);
	const one = await remember('one', contentOf(5 * CHUNK));
	const two = await remember('two', contentOf(3 * CHUNK + 1));
	const tree = { 'a/b': contentOf(700), c: 'text' };
	const made = folderOf(tree, { chunkSize: CHUNK });
	await plant(path('folder'), tree);
	const stamp = '0'.repeat(64);
	await cache.rememberFolder(path('folder'), { stamp, seed: made.seed, index: made.index });
	const table = await tableOfCache(cache);
	assert.is(table.sources.length, 3);
	assert.equal(placesOf(table, one), [[path('one'), 4]]);
	assert.equal(placesOf(table, two), [[path('two'), 3]]);
	assert.equal(placesOf(table, made.seed), [[path('folder'), made.seed.chunks - 1]]);
	for (const [number, { digest }] of made.folder.entries.entries()) {
		const [found] = table.file(Buffer.from(digest, 'hex'));
		assert.equal([found?.source.path, found?.number], [path('folder'), number]);
	}
	assert.equal((await readdir(root)).filter((name) => name.startsWith('seeds')).sort(), [
		'seeds',
		'seeds.table',
	]);
});

test('the stored table is used, with the entries that were added or replaced since, without those that are gone', async (t) => {
	const { cache, path, remember, entry, table } = await cached(t);
	const update = async (): Promise<KnownDigests> => (await updatedTable(cache)) as KnownDigests;
	const one = await remember('one', contentOf(5 * CHUNK));
	await update();
	const first = await stampOf(table);
	await cache.find(path('one'), 'stamp', 'name');
	await utimes(entry('one'), new Date(), new Date(1_000));
	assert.equal(placesOf(await update(), one), [[path('one'), 4]]);
	const two = await remember('two', contentOf(2 * CHUNK));
	const second = await update();
	assert.equal(
		[placesOf(second, one), placesOf(second, two)],
		[[[path('one'), 4]], [[path('two'), 1]]],
	);
	const other = contentOf(2 * CHUNK).map((byte) => byte ^ 1);
	const replaced = await remember('two', other);
	const third = await update();
	assert.equal([placesOf(third, replaced), placesOf(third, two)], [[[path('two'), 1]], []]);
	const changed = await remember(
		'one',
		contentOf(5 * CHUNK).map((byte) => byte ^ 2),
	);
	const fourth = await update();
	assert.equal([placesOf(fourth, one), placesOf(fourth, changed)], [[], [[path('one'), 4]]]);
	await rm(entry('one'));
	const fifth = await update();
	assert.equal([placesOf(fifth, one), placesOf(fifth, changed)], [[], []]);
	assert.equal(fifth.file(Buffer.from(replaced.digest, 'hex')).length, 1);
	assert.is(await stampOf(table), first, 'it was not made again for few entries');
});

test('an entry that is replaced by one of the same size counts as new, whatever the inode', async (t) => {
	const { cache, remember, path } = await cached(t);
	await remember('one', contentOf(5 * CHUNK));
	for (let turn = 1; turn <= 6; turn += 1) {
		// The system may give a new file the inode of a removed file.
		const content = contentOf(5 * CHUNK).map((byte) => byte ^ turn);
		await remember(
			'one',
			contentOf(5 * CHUNK).map((byte) => byte ^ (turn + 100)),
		);
		const seed = await remember('one', content);
		const table = (await updatedTable(cache)) as KnownDigests;
		assert.equal(placesOf(table, seed), [[path('one'), 4]]);
	}
});

test('damaged entries are left out', async (t) => {
	const { cache, path, remember, entry } = await cached(t);
	const sound = await remember('sound', contentOf(4 * CHUNK));
	for (const [name, change] of Object.entries<(bytes: Buffer) => Buffer>({
		empty: () => Buffer.alloc(0),
		cut: (bytes) => bytes.subarray(0, -10),
		flipped: (bytes) => bytes.fill(0x41, bytes.length - 70, bytes.length - 60),
		'no-path': (bytes) => Buffer.from(bytes.toString('latin1').replace(/\n"[^\n]*\n/, '\n7\n')),
		'no-json': (bytes) => Buffer.from(bytes.toString('latin1').replace(/\n"/, '\n{')),
		binary: () => Buffer.alloc(3_000, 0xff),
	})) {
		await remember(name, contentOf(3 * CHUNK));
		await writeFile(entry(name), change(await readFile(entry(name))));
	}
	await mkdir(join(cache.folder, 'a folder'));
	await symlink('/dev/null', join(cache.folder, 'link'));
	const table = await tableOfCache(cache);
	assert.equal(
		table.sources.map((source) => source.path),
		[path('sound')],
	);
	assert.equal(placesOf(table, sound), [[path('sound'), 3]]);
});

test('seeds with MD5 digests are left out', async (t) => {
	const { cache, path } = await cached(t);
	await writeFile(path('classic'), '');
	await cache.remember(path('classic'), 'stamp', seedOf(contentOf(2_000), { kind: 'md5' }));
	assert.is((await tableOfCache(cache)).sources.length, 0);
});

test('a table that is damaged is made anew', async (t) => {
	const { cache, path, remember, table } = await cached(t);
	const seed = await remember('one', contentOf(5 * CHUNK));
	await tableOfCache(cache);
	await writeFile(table, (await readFile(table)).subarray(0, -4));
	assert.equal(placesOf((await updatedTable(cache)) as KnownDigests, seed), [[path('one'), 4]]);
	await rm(table);
	await mkdir(table);
	assert.equal(placesOf((await updatedTable(cache)) as KnownDigests, seed), [[path('one'), 4]]);
});

test('a cache whose folder does not exist has an empty table', async (t) => {
	const root = await makeFolder(t);
	assert.is((await tableOfCache(new SeedCache(join(root, 'none')))).sources.length, 0);
	await writeFile(join(root, 'file'), '');
	assert.is((await tableOfCache(new SeedCache(join(root, 'file')))).sources.length, 0);
});

test('a thread makes the same table as the function', async (t) => {
	const { cache, path, remember } = await cached(t);
	const seed = await remember('one', contentOf(5 * CHUNK));
	const table = await tableInThread(cache, never);
	assert.equal(placesOf(table as KnownDigests, seed), [[path('one'), 4]]);
	assert.is(table?.file(Buffer.from(seed.digest, 'hex'))[0]?.source.path, path('one'));
});

test('many new entries are read in a thread, few without one', async (t) => {
	let threads = 0;
	const count = (): void => {
		threads += 1;
	};
	process.on('worker', count);
	t.defer(() => process.off('worker', count));
	const { cache, path, remember } = await cached(t);
	const seed = await remember('one', contentOf(5 * CHUNK));
	const small = await makeTable(cache, never);
	assert.ok(!(await makeTable(cache, AbortSignal.abort())));
	assert.is(threads, 0);
	// Two mebibytes of digests.
	const large = await remember('large', new Uint8Array(2 ** 16 * CHUNK));
	const both = await makeTable(cache, never);
	assert.is(threads, 1);
	const last = await remember(
		'last',
		contentOf(3 * CHUNK).map((byte) => byte ^ 3),
	);
	const all = await makeTable(cache, never);
	assert.is(threads, 1, 'the large entry is in the stored table by now');
	for (const table of [small, both, all]) {
		assert.equal(placesOf(table as KnownDigests, seed), [[path('one'), 4]]);
	}
	assert.equal(placesOf(all as KnownDigests, last), [[path('last'), 2]]);
	assert.is(large.chunks, 2 ** 16);
	assert.ok(!(await makeTable(cache, AbortSignal.abort())));
});

test('up to 32 entries that are new, or gone, are few; entries without digests are read once', async (t) => {
	const { cache, remember, entry, path } = await cached(t);
	await remember('first', contentOf(CHUNK));
	await tableOfCache(cache);
	for (let n = 0; n < 32; n += 1) {
		await writeFile(path(`${n}`), '');
		const seed = seedOf(contentOf(2_000 + n), { kind: 'md5' });
		await cache.remember(path(`${n}`), 'stamp', seed);
	}
	assert.ok(await updatedTable(cache));
	await remember('last', contentOf(CHUNK + 1));
	assert.is(await updatedTable(cache), undefined);
	await tableOfCache(cache);
	assert.ok(await updatedTable(cache), 'the table lists the entries that have no digests');
	for (let n = 0; n < 32; n += 1) {
		await rm(entry(`${n}`));
	}
	assert.ok(await updatedTable(cache));
	await rm(entry('last'));
	assert.is(await updatedTable(cache), undefined);
});

test('up to 512 KiB of new entries are few', async (t) => {
	const { cache, remember } = await cached(t);
	await remember('first', contentOf(CHUNK));
	await tableOfCache(cache);
	// A chunk has 32 bytes of digest; with its text, a seed has 64 or 65 bytes for each.
	await remember('medium', new Uint8Array(7_500 * CHUNK));
	assert.ok(await updatedTable(cache));
	await remember('more', new Uint8Array(1_500 * CHUNK));
	assert.is(await updatedTable(cache), undefined);
});

test('a source in an entry that is newer is found before a source of the stored table', async (t) => {
	const { cache, path, remember } = await cached(t);
	const seed = await remember('old', contentOf(5 * CHUNK));
	await tableOfCache(cache);
	await remember('new', contentOf(5 * CHUNK));
	const table = (await updatedTable(cache)) as KnownDigests;
	assert.equal(placesOf(table, seed), [
		[path('new'), 4],
		[path('old'), 4],
	]);
	assert.is(table.size, 2 * (5 + 1));
});

test('a search that is stopped gets no table', async (t) => {
	const { cache, remember } = await cached(t);
	await remember('one', contentOf(5 * CHUNK));
	assert.ok(!(await tableInThread(cache, AbortSignal.abort())));
	const controller = new AbortController();
	const making = tableInThread(cache, controller.signal);
	controller.abort();
	assert.ok(!(await making));
});

test.run();
