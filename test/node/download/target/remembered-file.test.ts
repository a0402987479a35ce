import { appendFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { FileTarget } from '../../../../node/download/target/file-target.ts';
import type { Verified } from '../../../../node/download/target/target.ts';
import { SeedCache } from '../../../../node/hashing/seed-cache.ts';
import { stampOf } from '../../../../node/storage/file-stamp.ts';
import type { Seed } from '../../../../protocol/index.ts';
import { makeFolder } from '../../../helpers/fixtures/folder.ts';
import { seedOf } from '../../../helpers/fixtures/seeds.ts';
import { type Scope, suite } from '../../../helpers/harness/suite.ts';
import {
	BOOT,
	content,
	finish,
	missing,
	open,
	seed,
	store,
} from '../../../helpers/harness/target.ts';

const test = suite('files that are remembered when they are complete');

/** Downloads a file with a cache. @returns a function that looks it up in the cache */
async function downloaded(t: Scope, check: Verified, of: Seed = seed) {
	const folder = await makeFolder(t);
	const path = join(folder, 'file.bin');
	const cache = new SeedCache(join(folder, 'seeds'));
	const target = new FileTarget(path, check, BOOT, cache);
	t.defer(() => target.abandon());
	const opened = await target.open(of, {});
	await finish({ target, ...opened, hashed: 0 }, of);
	const found = async (): Promise<Seed | undefined> =>
		await cache.find(path, stampOf(await stat(path, { bigint: true })), 'file.bin');
	return { path, cache, found };
}

test('a file whose digest of the whole was verified is remembered until it changes', async (t) => {
	const { path, found } = await downloaded(t, 'whole');
	assert.equal((await found())?.text(), seed.text());
	await appendFile(path, 'x');
	assert.is(await found(), undefined);
});

test('a file that another program changes before it is settled is not remembered', async (t) => {
	const folder = await makeFolder(t);
	const path = join(folder, 'file.bin');
	const cache = new SeedCache(join(folder, 'seeds'));
	const target = new FileTarget(path, 'whole', BOOT, cache);
	t.defer(() => target.abandon());
	const session = { target, ...(await target.open(seed, {})), hashed: 0 };
	await store(session, missing(session));
	assert.ok('path' in (await target.finish(seed, {})));
	await writeFile(path, content.slice().reverse());
	await target.settle();
	assert.equal(await readdir(cache.folder).catch(() => []), []);
});

test('a file of which only the chunks were verified is not remembered', async (t) => {
	const { cache } = await downloaded(t, 'chunks');
	assert.equal(await readdir(cache.folder).catch(() => []), []);
});

test('a file with MD5 digests is not remembered', async (t) => {
	const { cache } = await downloaded(t, 'whole', seedOf(content, { kind: 'md5' }));
	assert.equal(await readdir(cache.folder).catch(() => []), []);
});

test('a file is complete also if the cache cannot be written, and without a cache', async (t) => {
	const folder = await makeFolder(t);
	const session = await open(t, join(folder, 'file.bin'));
	await finish(session);
	assert.ok((await stat(join(folder, 'file.bin'))).isFile());
	const cache = new SeedCache(join(folder, 'file.bin', 'seeds'));
	const target = new FileTarget(join(folder, 'other.bin'), 'whole', BOOT, cache);
	t.defer(() => target.abandon());
	await finish({ target, ...(await target.open(seed, {})), hashed: 0 });
	assert.ok((await stat(join(folder, 'other.bin'))).isFile());
});

test.run();
