import {
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	writeFileSync,
} from 'node:fs';
import { mkdir, rename, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { makeSeed, SeedCache } from '../../../node/index.ts';
import { makeFolder } from '../../helpers/fixtures/folder.ts';
import { contentOf } from '../../helpers/fixtures/seeds.ts';
import { rejects } from '../../helpers/harness/rejects.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';

const test = suite('SeedCache');
const content = contentOf(700_000);
/** ms; two changes further apart than this always have different times. */
const REST = 2_600;

interface Cached {
	readonly path: string;
	readonly folder: string;
	readonly cache: SeedCache;
	/** Makes the seed. @returns its name, and whether the cache had it */
	make(path?: string): Promise<[name: string, remembered: boolean]>;
	/** The paths of the files in the cache. */
	entries(): string[];
}

async function rest(): Promise<void> {
	await new Promise((resolve) => setTimeout(resolve, REST));
}

const FILES: Readonly<Record<string, Uint8Array>> = {
	'file.bin': content,
	a: contentOf(300_001),
	bb: contentOf(300_002),
	ccc: contentOf(300_003),
	dddd: contentOf(300_004),
};
const FOLDERS = 16;
const shelf = mkdtempSync(join(tmpdir(), 'shoal-test-'));
process.on('exit', () => rmSync(shelf, { recursive: true, force: true }));
for (let folder = 0; folder < FOLDERS; folder += 1) {
	mkdirSync(join(shelf, `${folder}`));
	for (const [name, bytes] of Object.entries(FILES)) {
		writeFileSync(join(shelf, `${folder}`, name), bytes);
	}
}
/**
 * All tests use files that were written at the same time, so the wait for their age is needed only
 * once.
 */
const isRested = rest();
let nextFolder = 0;

/** Returns a file that is old enough to be cached, and an empty cache. */
async function cached(t: Scope): Promise<Cached> {
	await isRested;
	const folder = join(await makeFolder(t), 'cache', 'seeds');
	const path = join(shelf, `${nextFolder}`, 'file.bin');
	nextFolder += 1;
	const cache = new SeedCache(folder);
	return {
		path,
		folder,
		cache,
		make: async (file = path) => {
			let remembered = false;
			const onRemembered = (): void => {
				remembered = true;
			};
			const fresh = await makeSeed(file);
			const seed = await makeSeed(file, { cache, onRemembered });
			assert.equal(Buffer.from(seed.text()), Buffer.from(fresh.text()));
			return [seed.name, remembered];
		},
		entries: () => readdirSync(folder).map((name) => join(folder, name)),
	};
}

test('a cached seed is used without hashing, and only its owner can read the cache', async (t) => {
	const { path, folder, cache, make, entries } = await cached(t);
	assert.equal(await make(), ['file.bin', false]);
	assert.equal(await make(), ['file.bin', true]);
	let hashed = 0;
	const onBytes = (bytes: number): void => {
		hashed += bytes;
	};
	await makeSeed(path, { cache, onBytes });
	assert.is(hashed, 0);
	assert.is(entries().length, 1);
	if (process.platform !== 'win32') {
		assert.is(statSync(folder).mode & 0o777, 0o700);
		assert.is(statSync(entries()[0] as string).mode & 0o777, 0o600);
	}
});

test('a cached seed gets the present name of the file, not the name at the time of hashing', async (t) => {
	const { path, cache, make } = await cached(t);
	await make();
	const seed = await makeSeed(path, { cache, name: 'other' });
	assert.is(seed.name, 'other');
	const alias = join(await makeFolder(t), 'alias.bin');
	await symlink(path, alias);
	assert.equal(await make(alias), ['alias.bin', true]);
	assert.equal(await make(), ['file.bin', true]);
});

const CHANGES: Record<string, (path: string) => Promise<unknown>> = {
	'written to': (path) => writeFile(path, 'x', { flag: 'r+' }),
	'written to and its time put back': async (path) => {
		const { atime, mtime } = await stat(path);
		await writeFile(path, 'x', { flag: 'r+' });
		await utimes(path, atime, mtime);
	},
	shorter: (path) => truncate(path, 600_000),
	'replaced by one of the same size and time': async (path) => {
		const { atime, mtime } = await stat(path);
		await writeFile(`${path}.new`, contentOf(700_001).subarray(1));
		await utimes(`${path}.new`, atime, mtime);
		await rename(`${path}.new`, path);
	},
	touched: (path) => utimes(path, 1, 1),
};

for (const [what, change] of Object.entries(CHANGES)) {
	test(`a file that is ${what} is hashed again`, async (t) => {
		const { path, make } = await cached(t);
		await make();
		await change(path);
		assert.equal(await make(), ['file.bin', false]);
	});
}

test('a file that has just been changed is not cached, as the next change could have the same time', async (t) => {
	const { path, make } = await cached(t);
	await writeFile(path, 'x', { flag: 'r+' });
	// A time in the future: the file stays too new, however long two hashings take.
	await utimes(path, 9e9, 9e9);
	assert.equal(await make(), ['file.bin', false]);
	assert.equal(await make(), ['file.bin', false]);
	await utimes(path, 1, 1);
	await rest();
	assert.equal(await make(), ['file.bin', false]);
	assert.equal(await make(), ['file.bin', true]);
});

test('an entry that is cut at any position, or has any byte changed, is not used and is replaced', async (t) => {
	const { make, entries } = await cached(t);
	await make();
	const [entry] = entries() as [string];
	const sound = readFileSync(entry);
	for (let at = 0; at < sound.length; at += at < 400 ? 7 : 101) {
		const wrong = Buffer.from(sound);
		wrong[at] = (wrong[at] as number) ^ 1;
		for (const text of [wrong, sound.subarray(0, at)]) {
			writeFileSync(entry, text);
			assert.equal(await make(), ['file.bin', false], `byte ${at}`);
		}
	}
	assert.equal(readFileSync(entry), sound);
});

test('an entry is not used if it belongs to another file, or if a folder is in its place', async (t) => {
	const { path, make, entries } = await cached(t);
	await make(join(path, '..', 'bb'));
	const [other] = entries() as [string];
	await make();
	const entry = entries().find((each) => each !== other) as string;
	writeFileSync(entry, readFileSync(other));
	assert.equal(await make(), ['file.bin', false]);
	assert.equal(await make(), ['file.bin', true]);
	await rename(entry, `${entry}.away`);
	await mkdir(entry);
	assert.equal(await make(), ['file.bin', false]);
});

test('a cache that cannot be written to has no effect', async (t) => {
	const { path } = await cached(t);
	const cache = new SeedCache(join(path, 'below a file'));
	for (let time = 0; time < 2; time += 1) {
		const seed = await makeSeed(path, { cache, onRemembered: () => assert.unreachable() });
		assert.is(seed.length, 700_000);
	}
});

test('the least recently used entries are removed first, and old files of ended processes too', async (t) => {
	const { path, folder } = await cached(t);
	const cache = new SeedCache(folder, { mostEntries: 3 });
	const remembered = async (name: string): Promise<boolean> => {
		let is = false;
		const onRemembered = (): void => {
			is = true;
		};
		await makeSeed(join(path, '..', name), { cache, onRemembered });
		return is;
	};
	await mkdir(folder, { recursive: true });
	await writeFile(join(folder, 'left behind'), '');
	await utimes(join(folder, 'left behind'), 1, 1);
	for (const name of ['a', 'bb', 'ccc']) {
		assert.not(await remembered(name));
	}
	assert.is(readdirSync(folder).length, 3);
	assert.ok(await remembered('a'));
	assert.not(await remembered('dddd'));
	assert.is(readdirSync(folder).length, 3);
	assert.ok(await remembered('a'));
	assert.ok(await remembered('ccc'));
	assert.not(await remembered('bb'));
});

test('the cache stays within its limit of bytes', async (t) => {
	const { path, folder } = await cached(t);
	const cache = new SeedCache(folder, { mostBytes: 1_000 });
	for (const name of ['a', 'bb', 'file.bin']) {
		await makeSeed(join(path, '..', name), { cache });
		const bytes = readdirSync(folder).reduce(
			(sum, each) => sum + statSync(join(folder, each)).size,
			0,
		);
		assert.ok(bytes <= 1_000, `${bytes} bytes`);
	}
});

test('when several caches store the same files at the same time, every entry is complete', async (t) => {
	const { path, folder, make, entries } = await cached(t);
	const files = ['a', 'bb', 'ccc', 'file.bin'].map((name) => join(path, '..', name));
	const caches = Array.from({ length: 8 }, () => new SeedCache(folder));
	await Promise.all(
		caches.flatMap((cache) => files.map(async (file) => await makeSeed(file, { cache }))),
	);
	assert.is(entries().length, files.length);
	for (const file of files) {
		assert.is((await make(file))[1], true);
	}
});

test('a file that is written to while it is hashed is not cached', async (t) => {
	const { path, cache, folder } = await cached(t);
	let isChanged = false;
	const onBytes = (): void => {
		if (!isChanged) {
			isChanged = true;
			writeFileSync(path, 'x', { flag: 'r+' });
		}
	};
	assert.is((await rejects(makeSeed(path, { cache, onBytes }))).code, 'ERR_CHANGED');
	assert.throws(() => readdirSync(folder), /ENOENT/);
});

test.run();
