import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { SeedCache } from '../../node/index.ts';
import { tableOfCache } from '../../node/reuse/cache-table.ts';
import { seedOf } from '../helpers/fixtures/seeds.ts';
import { startNode } from '../helpers/harness/node.ts';
import { CHUNK, fetched, type Reusing, startReusing } from '../helpers/harness/reusing.ts';
import { suite } from '../helpers/harness/suite.ts';

const test = suite('bytes of files that were downloaded before');
/** 64 chunks are 1 MiB. If less is missing, the cache is not searched. */
const CHUNKS = 64;
const content = randomBytes(CHUNKS * CHUNK);
const seed = seedOf(content, { chunkSize: CHUNK });

/** Another version. Its last `differing` chunks differ. */
function nextOf(differing: number): Buffer {
	const next = Buffer.from(content);
	for (let chunk = CHUNKS - differing; chunk < CHUNKS; chunk += 1) {
		randomBytes(10).copy(next, chunk * CHUNK);
	}
	return next;
}

interface Remembered {
	readonly cache: SeedCache;
	/** A file with the content, which the cache remembers. */
	readonly path: string;
}

/** Puts a file into a cache, with a stamp that is never compared. */
async function remember(rig: Reusing, name: string): Promise<Remembered> {
	const folder = rig.at(name);
	await mkdir(folder);
	const path = join(folder, 'first.bin');
	await writeFile(path, content);
	const cache = new SeedCache(join(folder, 'seeds'));
	await cache.remember(path, 'stamp', seed);
	return { cache, path };
}

/** Downloads another version into the same folder. @returns the number of bytes that were fetched */
async function getNext(rig: Reusing, { cache, path }: Remembered, differing = 1): Promise<number> {
	const next = nextOf(differing);
	const shared = await rig.share(next);
	const output = join(path, '..', 'next.bin');
	const result = await rig.get(shared, { output, cache });
	assert.ok((await readFile(output)).equals(next), `${output} has the right bytes`);
	return result.fetched;
}

test('a downloaded file is used for later downloads, wherever they go, also by another node', async (t) => {
	const rig = await startReusing(t);
	const cache = new SeedCache(rig.at('seeds'));
	await rig.get(await rig.share(content), { output: rig.at('first.bin'), cache });
	const node = await startNode(t, rig.url);
	const next = nextOf(2);
	await mkdir(rig.at('place'));
	const result = await fetched(
		node.get(await rig.share(next), { output: rig.at('place/next.bin'), cache }),
	);
	assert.is(result.fetched, 2 * CHUNK);
	assert.equal(result.reused, { place: 0, known: 62 * CHUNK, zeros: 0, files: 0 });
	assert.ok((await readFile(rig.at('place/next.bin'))).equals(next));
});

test('if less than 1 MiB is missing, it is fetched without a search', async (t) => {
	const rig = await startReusing(t);
	const known = await remember(rig, 'a');
	await writeFile(join(known.path, '..', 'next.bin'), content.subarray(0, CHUNK));
	const whole = await rig.share(content);
	const output = join(known.path, '..', 'next.bin');
	const result = await rig.get(whole, { output, cache: known.cache });
	assert.is(result.fetched, 63 * CHUNK);
});

const STALE: Record<string, (path: string) => Promise<unknown>> = {
	changed: async (path) => await writeFile(path, randomBytes(content.length)),
	shortened: async (path) => await truncate(path, 100),
	removed: async (path) => await rm(path),
	'replaced by a folder': async (path) => {
		await rm(path);
		await mkdir(path);
	},
	'replaced by a pipe': async (path) => {
		await rm(path);
		execFileSync('mkfifo', [path]);
	},
	'replaced by an endless device': async (path) => {
		await rm(path);
		await symlink('/dev/zero', path);
	},
};

test('a remembered file that was changed, shortened, removed or replaced costs only time', async (t) => {
	const checks = Object.entries(STALE).map(async ([what, change]) => {
		// Each case has a node of its own: a node also finds bytes in its own earlier downloads.
		const rig = await startReusing(t);
		const known = await remember(rig, what);
		await change(known.path);
		assert.is(await getNext(rig, known), content.length, what);
	});
	await Promise.all(checks);
});

test('of a file that was changed in part, the chunks that are still right are used', async (t) => {
	const rig = await startReusing(t);
	const known = await remember(rig, 'a');
	const file = await open(known.path, 'r+');
	await file.write(randomBytes(2 * CHUNK), 0, 2 * CHUNK, 3 * CHUNK);
	await file.close();
	assert.is(await getNext(rig, known), 3 * CHUNK);
});

const DAMAGES: Record<string, (table: Buffer) => Buffer | string> = {
	empty: () => '',
	'cut off': (table) => table.subarray(0, -8),
	'without a source': (table) => {
		const [line = ''] = table.toString('latin1').split('\n');
		const head = JSON.parse(line);
		const other = JSON.stringify({ ...head, sources: [] }).padEnd(line.length);
		return Buffer.concat([Buffer.from(other), table.subarray(line.length)]);
	},
	'full of wrong numbers': (table) => table.fill(0xff, table.indexOf('\n') + 1),
	'full of other bytes': (table) => randomBytes(table.length),
};

test('a table that is damaged is made anew', async (t) => {
	const rig = await startReusing(t);
	const known = await remember(rig, 'a');
	const { folder } = known.cache;
	const entries = await readdir(folder);
	await tableOfCache(known.cache);
	const table = await readFile(`${folder}.table`);
	for (const [what, damage] of Object.entries(DAMAGES)) {
		await writeFile(`${folder}.table`, damage(Buffer.from(table)));
		assert.is(await getNext(rig, known), CHUNK, what);
		await rm(join(known.path, '..', 'next.bin'));
		// The cache also remembers the downloaded file. Without this entry, the cache is as before.
		for (const name of (await readdir(folder)).filter((name) => !entries.includes(name))) {
			await rm(join(folder, name));
		}
		assert.ok((await readFile(`${folder}.table`)).equals(table), 'the table is stored again');
	}
});

test('a table with wrong places costs only time', async (t) => {
	const rig = await startReusing(t);
	const known = await remember(rig, 'a');
	await tableOfCache(known.cache);
	const path = `${known.cache.folder}.table`;
	const table = await readFile(path);
	// Overwrites the places of the chunks. The last 6 numbers are those of the file in the table.
	await writeFile(path, table.fill(0x77, table.length - 4 * (6 + CHUNKS), table.length - 4 * 6));
	assert.is(await getNext(rig, known), content.length);
});

test.run();
