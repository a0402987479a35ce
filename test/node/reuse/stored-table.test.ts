import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { KnownSource } from '../../../node/reuse/known-source.ts';
import { KnownTable } from '../../../node/reuse/known-table.ts';
import { readTable, type StoredTable, writeTable } from '../../../node/reuse/stored-table.ts';
import { zerosDigest } from '../../../node/reuse/zeros-digest.ts';
import { makeFolder } from '../../helpers/fixtures/folder.ts';
import { Mutator } from '../../helpers/fixtures/mutate.ts';
import { contentOf, seedOf } from '../../helpers/fixtures/seeds.ts';
import { folderOf } from '../../helpers/fixtures/trees.ts';
import { drawnSeed } from '../../helpers/harness/random.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';

const test = suite('stored tables');
const CHUNK = 512;

const { seed, index } = folderOf({ 'a/b': contentOf(700), c: contentOf(2_000) });
const file = seedOf(contentOf(20 * CHUNK), { chunkSize: CHUNK });
const SOURCES: readonly KnownSource[] = [
	{
		...{ entry: 'file entry', path: '/files/ä "quoted"\n', length: file.length, chunkSize: CHUNK },
		...{ chunkDigests: file.chunkDigests(), digest: file.digest },
	},
	{
		...{
			entry: 'folder entry',
			path: '/folder',
			length: seed.length,
			chunkSize: seed.layout.chunkSize,
		},
		...{ chunkDigests: seed.chunkDigests(), digest: seed.digest, index },
	},
];
const TABLE = KnownTable.of(SOURCES, zerosDigest);
const DIGESTS = Array.from({ length: file.chunks }, (_, chunk) => file.chunkDigest(chunk));

async function stored(t: Scope, table = TABLE) {
	const folder = await makeFolder(t);
	const path = join(folder, 'seeds.table');
	await writeTable(path, table, ['other']);
	return { folder, path, bytes: await readFile(path) };
}

/** The bytes of a stored table, with changes in the first line. */
function withHead(bytes: Buffer, change: (head: Head) => void): Buffer {
	const end = bytes.indexOf('\n') + 1;
	const head = JSON.parse(bytes.toString('utf8', 0, end)) as Head;
	change(head);
	const line = Buffer.from(JSON.stringify(head));
	const padding = Buffer.alloc((4 - ((line.length + 1) % 4)) % 4, ' ');
	return Buffer.concat([line, padding, Buffer.from('\n'), bytes.subarray(end)]);
}

interface Head {
	magic: unknown;
	sources: Array<Record<string, unknown>>;
	chunks: { starts: number; places: number };
	files: { starts: number; places: number };
}

/** Looks up every digest. Each look-up must end, and find only sources of the table. */
function lookUpAll(table: KnownTable): void {
	const digests = [...DIGESTS, seed.chunkDigest(0), Buffer.from(file.digest, 'hex')];
	for (const digest of digests) {
		for (const { source, number } of [...table.chunk(digest), ...table.file(digest)]) {
			assert.ok(table.sources.includes(source));
			assert.ok(Number.isSafeInteger(number));
		}
	}
}

test('a stored table has the same sources and digests when it is read', async (t) => {
	const { folder, path } = await stored(t);
	const { table, entries } = (await readTable(path)) as StoredTable;
	assert.equal(table.sources, TABLE.sources);
	assert.equal([...entries], ['file entry', 'folder entry', 'other']);
	for (const [chunk, digest] of DIGESTS.entries()) {
		assert.equal(
			table.chunk(digest).map(({ source, number }) => [source.path, number]),
			[[SOURCES[0]?.path, chunk]],
		);
	}
	assert.is(table.file(Buffer.from(file.digest, 'hex'))[0]?.number, 0);
	assert.equal(await readdir(folder), ['seeds.table'], 'no other file is left');
});

test('a table without sources is stored and read', async (t) => {
	const { path } = await stored(t, KnownTable.of([], zerosDigest));
	const { table, entries } = (await readTable(path)) as StoredTable;
	assert.equal([table.sources, table.size, [...entries]], [[], 0, ['other']]);
});

test('a table that is not there is no error', async (t) => {
	const { path } = await stored(t);
	assert.ok(!(await readTable(`${path}.none`)));
	assert.ok(!(await readTable(join(path, 'below'))));
});

test('a table that is cut off anywhere, or has more bytes, is not used', async (t) => {
	const { path, bytes } = await stored(t);
	for (let end = 0; end < bytes.length; end += 1 + Math.floor(end / 200)) {
		await writeFile(path, bytes.subarray(0, end));
		assert.ok(!(await readTable(path)), `${end} bytes`);
	}
	for (const more of [1, 4, 4_096]) {
		await writeFile(path, Buffer.concat([bytes, Buffer.alloc(more)]));
		assert.ok(!(await readTable(path)), `${more} more bytes`);
	}
});

test('a table with random damage is either not used, or every look-up in it ends', async (t) => {
	const { path, bytes } = await stored(t);
	const mutator = new Mutator(drawnSeed());
	let used = 0;
	for (let run = 0; run < 400; run += 1) {
		const damaged = Buffer.from(bytes);
		for (let left = 1 + mutator.below(3); left > 0; left -= 1) {
			damaged[mutator.below(damaged.length)] = mutator.below(256);
		}
		await writeFile(path, run % 2 === 0 ? damaged : mutator.mutate(bytes));
		const table = await readTable(path);
		used += table === undefined ? 0 : 1;
		if (table !== undefined) {
			lookUpAll(table.table);
		}
	}
	assert.ok(used > 0 && used < 400, `${used} were used`);
});

const DAMAGES: Record<string, (head: Head) => void> = {
	'no source for its digests': (head) => {
		head.sources = [];
	},
	'sources out of order': (head) => {
		head.sources.reverse();
	},
	'a source whose chunk size is 0': (head) => {
		(head.sources[0] as Record<string, unknown>).chunkSize = 0;
	},
	'a first source that does not begin at place 0': (head) => {
		(head.sources[0] as Record<string, unknown>).firstChunk = 5;
	},
	'a negative length': (head) => {
		(head.sources[0] as Record<string, unknown>).length = -1;
	},
	'a length beyond 2^53': (head) => {
		(head.sources[0] as Record<string, unknown>).length = 2 ** 60;
	},
	'more digests than fit into memory': (head) => {
		head.chunks.places = Number.MAX_SAFE_INTEGER;
	},
	'a number of buckets that is no power of two': (head) => {
		head.chunks.starts -= 1;
		head.files.starts += 1;
	},
	'no buckets': (head) => {
		head.chunks.starts = 0;
	},
	'another format': (head) => {
		head.magic = 'shoal known contents 1';
	},
};

for (const [what, change] of Object.entries(DAMAGES)) {
	test(`a table with ${what} is not used`, async (t) => {
		const { path, bytes } = await stored(t);
		await writeFile(
			path,
			withHead(bytes, () => {}),
		);
		assert.ok(await readTable(path), 'a table whose first line is only written again is used');
		await writeFile(path, withHead(bytes, change));
		assert.ok(!(await readTable(path)));
	});
}

test('a table whose buckets are not in order is not used', async (t) => {
	const { path, bytes } = await stored(t);
	const start = bytes.indexOf('\n') + 1;
	for (const value of [1, 0xffff_ffff]) {
		const damaged = Buffer.from(bytes);
		damaged.set(new Uint8Array(Uint32Array.of(value).buffer), start);
		await writeFile(path, damaged);
		assert.ok(!(await readTable(path)), `begins at ${value}`);
	}
	const damaged = Buffer.from(bytes);
	damaged.set(new Uint8Array(Uint32Array.of(0xffff_ffff).buffer), start + 4);
	await writeFile(path, damaged);
	assert.ok(!(await readTable(path)), 'a bucket ends before it begins');
});

test('a table that cannot be stored is no error', async (t) => {
	const folder = await makeFolder(t);
	await writeTable(join(folder, 'none', 'seeds.table'), TABLE, ['other']);
	await mkdir(join(folder, 'seeds.table'));
	await writeTable(join(folder, 'seeds.table'), TABLE, ['other']);
	assert.equal(await readdir(folder), ['seeds.table'], 'nothing is left behind');
});

test('incomplete tables that a process left more than an hour ago are removed, but not a table that is being written', async (t) => {
	const { folder, path } = await stored(t);
	const names = ['seeds.table.old', 'seeds.table.now', 'seeds.tables', 'other'];
	for (const name of names) {
		await writeFile(join(folder, name), 'half');
	}
	const past = new Date(Date.now() - 3 * 3_600_000);
	for (const name of names.filter((name) => name !== 'seeds.table.now')) {
		await utimes(join(folder, name), past, past);
	}
	await writeTable(path, TABLE, ['other']);
	const left = ['other', 'seeds.table', 'seeds.table.now', 'seeds.tables'];
	assert.equal((await readdir(folder)).sort(), left);
});

test('a stored table belongs to its user alone', async (t) => {
	const { path } = await stored(t);
	const { mode } = await stat(path);
	assert.is(mode & 0o777, 0o600);
});

test.run();
