import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { appendFile, chmod, mkdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { draftOf } from '../../../../node/hashing/folder/folder-jobs.ts';
import { folderStamp } from '../../../../node/hashing/folder/folder-stamp.ts';
import { makeFolder as makeSeedOf } from '../../../../node/hashing/folder/make-folder.ts';
import { SeedCache } from '../../../../node/hashing/seed-cache.ts';
import { EntryStamps } from '../../../../node/storage/folder/entry-stamps.ts';
import { makeFolder } from '../../../helpers/fixtures/folder.ts';
import { plantPhotos } from '../../../helpers/fixtures/photos.ts';
import { rejects } from '../../../helpers/harness/rejects.ts';
import { type Scope, suite } from '../../../helpers/harness/suite.ts';

const test = suite('remembered folders');
/** ms; two changes further apart than this always have different times. */
const REST = 2_600;

interface Cached {
	readonly path: string;
	readonly cache: SeedCache;
	/**
	 * Makes the seed.
	 *
	 * @returns whether the cache had it, and the number of bytes that were hashed
	 */
	make(exclude?: readonly string[]): Promise<{ remembered: boolean; hashed: number }>;
	/** The paths of the files in the cache. */
	entries(): string[];
}

async function rest(): Promise<void> {
	await new Promise((resolve) => setTimeout(resolve, REST));
}

const FOLDERS = 20;
const shelf = mkdtempSync(join(tmpdir(), 'shoal-test-'));
process.on('exit', () => rmSync(shelf, { recursive: true, force: true }));

async function plantAll(): Promise<string[]> {
	const paths = Array.from({ length: FOLDERS }, async (_, index) => {
		await mkdir(join(shelf, `${index}`));
		return await plantPhotos(join(shelf, `${index}`));
	});
	const planted = await Promise.all(paths);
	await rest();
	return planted;
}

/**
 * All tests use folders that were written at the same time, so the wait for their age is needed
 * only once.
 */
const planted = plantAll();
let next = 0;

/** Returns a folder that is old enough to be cached, and an empty cache. */
async function cached(t: Scope): Promise<Cached> {
	const path = (await planted)[next] as string;
	next += 1;
	const folder = join(await makeFolder(t), 'cache');
	const cache = new SeedCache(folder);
	return {
		path,
		cache,
		make: async (exclude) => {
			let [hashed, remembered] = [0, false];
			await makeSeedOf(path, {
				cache,
				exclude,
				onBytes: (bytes) => {
					hashed += bytes;
				},
				onRemembered: () => {
					remembered = true;
				},
			});
			return { remembered, hashed };
		},
		entries: () => readdirSync(folder).map((name) => join(folder, name)),
	};
}

test('for an unchanged folder the cached seed is used, and no file is read', async (t) => {
	const { path, cache, make, entries } = await cached(t);
	const first = await make();
	assert.is(first.remembered, false);
	assert.ok(first.hashed >= 700_000, `${first.hashed} bytes`);
	assert.equal(await make(), { remembered: true, hashed: 0 });
	const made = await makeSeedOf(path, { cache, name: 'other' });
	const fresh = await makeSeedOf(path, { name: 'other' });
	assert.equal(Buffer.from(made.seed.text()), Buffer.from(fresh.seed.text()));
	assert.equal(made.folder.entries, fresh.folder.entries);
	assert.equal(made.location, fresh.location);
	assert.equal(made.stamps.numbers, fresh.stamps.numbers);
	assert.is(entries().length, 1);
	if (process.platform !== 'win32') {
		assert.is(statSync(entries()[0] as string).mode & 0o777, 0o600);
	}
});

const CHANGES: Record<string, (path: string) => Promise<unknown>> = {
	'a file with other bytes': (path) => writeFile(join(path, '2024/run.sh'), 'ecHo\n'),
	'a longer file': (path) => appendFile(join(path, 'a b\u200e.txt'), '!'),
	'a touched file': (path) => utimes(join(path, '2024/raw/large.bin'), 1, 1),
	'one more file': (path) => writeFile(join(path, 'new'), ''),
	'one file less': (path) => rm(join(path, 'empty')),
	'a renamed file': (path) => rename(join(path, 'a b\u200e.txt'), join(path, 'a')),
	'a file that is not executable any more': (path) => chmod(join(path, '2024/run.sh'), 0o644),
	'a file that is executable now': (path) => chmod(join(path, 'empty'), 0o755),
	'one more empty folder': (path) => mkdir(join(path, 'new')),
	'a file in the empty folder': (path) => writeFile(join(path, 'nothing in it', 'new'), ''),
	'another target of its link': async (path) => {
		await rm(join(path, '2024/latest'));
		await symlink('./run.sh', join(path, '2024/latest'));
	},
};

/** Returns the present stamp of the folder. */
function stampOfNow(path: string): string {
	const { location, stamps } = draftOf(path, []);
	return folderStamp(location.index, new EntryStamps(stamps), location.names);
}

for (const [what, change] of Object.entries(CHANGES)) {
	test(`a folder with ${what} has another stamp`, async (t) => {
		const { path } = await cached(t);
		const before = stampOfNow(path);
		assert.is(stampOfNow(path), before);
		await change(path);
		assert.is.not(stampOfNow(path), before);
	});
}

test('a folder with another stamp is hashed again', async (t) => {
	const { path, make } = await cached(t);
	await make();
	await chmod(join(path, '2024/run.sh'), 0o644);
	const { remembered, hashed } = await make();
	assert.is(remembered, false);
	assert.ok(hashed >= 700_000, `${hashed} bytes`);
});

test('the stamp of a folder does not depend on the digests in its index', async (t) => {
	const { path } = await cached(t);
	const { folder, stamps } = await makeSeedOf(path);
	assert.is(folderStamp(folder.index, stamps), stampOfNow(path));
});

test('changes of excluded files do not matter; with other files excluded, the folder is hashed again', async (t) => {
	const { path, make } = await cached(t);
	await make(['*.txt']);
	assert.is((await make(['*.txt'])).remembered, true);
	await writeFile(join(path, 'new.txt'), 'new');
	assert.is((await make(['*.txt'])).remembered, true);
	assert.is((await make(['2024'])).remembered, false);
});

test('a folder with a file that has just been changed is not cached', async (t) => {
	const { path, make } = await cached(t);
	await writeFile(join(path, 'empty'), 'not any more');
	// A time in the future: the file stays too new, however long hashing takes.
	await utimes(join(path, 'empty'), 9e9, 9e9);
	await make();
	assert.is((await make()).remembered, false);
	await utimes(join(path, 'empty'), 1, 1);
	await rest();
	await make();
	assert.is((await make()).remembered, true);
});

test('an entry that is cut at any position, or has any byte changed, is not used and is replaced', async (t) => {
	const { path, cache, make, entries } = await cached(t);
	await make();
	const [entry] = entries() as [string];
	const sound = readFileSync(entry);
	for (let at = 0; at < sound.length; at += 7) {
		const wrong = Buffer.from(sound);
		wrong[at] = (wrong[at] as number) ^ 1;
		for (const text of [wrong, sound.subarray(0, at)]) {
			writeFileSync(entry, text);
			assert.is(await cache.findFolder(path, 'x'), undefined, `byte ${at}`);
		}
	}
	assert.is((await make()).remembered, false);
	assert.equal(readFileSync(entry), sound);
	assert.is((await make()).remembered, true);
});

test('an entry of a file is not used for a folder, and an entry of a folder not for a file', async (t) => {
	const { path, cache, make } = await cached(t);
	await make();
	const { seed, folder } = await makeSeedOf(path);
	assert.is(await cache.find(path, 'folder', 'x'), undefined);
	await cache.remember(path, '1 2 3 4 5', seed);
	assert.is(await cache.findFolder(path, 'x'), undefined);
	assert.is((await make()).remembered, false);
	assert.equal(
		Buffer.from((await cache.findFolder(path, 'x'))?.index ?? []),
		Buffer.from(folder.index),
	);
});

test('an entry that cannot be shared is an error, even if the folder is cached', async (t) => {
	const { path, cache, make } = await cached(t);
	await make();
	await symlink('/', join(path, 'root'));
	assert.is((await rejects(makeSeedOf(path, { cache }))).code, 'ERR_SEED');
	let remembered = false;
	const onRemembered = (): void => {
		remembered = true;
	};
	await makeSeedOf(path, { cache, skipOdd: true, onRemembered });
	assert.is(remembered, true);
});

test.run();
