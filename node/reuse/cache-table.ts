import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { SeedCache } from '../hashing/seed-cache.ts';
import { READ_ONLY } from '../storage/regular-file.ts';
import type { KnownSource } from './known-source.ts';
import { KnownTable } from './known-table.ts';
import { readTable, writeTable } from './stored-table.ts';
import { zerosDigest } from './zeros-digest.ts';

/** Maximum length of the first line of an entry, in bytes. */
const START = 128;

/**
 * The table of all files and folders that a seed cache remembers. The table is stored beside the
 * cache, in the file `<cache>.table`. If an entry of the cache was added, replaced or removed since
 * then, the table is made again. If the cache is large, this takes long.
 */
export async function tableOfCache(cache: SeedCache): Promise<KnownTable> {
	const path = `${cache.folder}.table`;
	const of = await stateOf(cache.folder);
	const stored = await readTable(path, of);
	if (stored !== undefined) {
		return stored;
	}
	const sources: KnownSource[] = [];
	for await (const { path: at, seed, index } of cache.all()) {
		if (seed.kind === 'sha256') {
			const { length, layout, digest } = seed;
			const { chunkSize } = layout;
			const chunkDigests = seed.chunkDigests();
			sources.push({ path: at, length, chunkSize, chunkDigests, digest, index });
		}
	}
	const table = KnownTable.of(sources, zerosDigest);
	await writeTable(path, of, table);
	return table;
}

/** A text that changes when an entry of the cache is added, replaced or removed. */
async function stateOf(folder: string): Promise<string> {
	const hash = createHash('sha256');
	for (const name of (await readdir(folder).catch(() => [])).sort()) {
		hash
			.update(`${name} `)
			.update(startOf(join(folder, name)))
			.update('\n');
	}
	return hash.digest('hex');
}

/**
 * The first bytes of an entry. They contain a digest of all other bytes of the entry. The stats of
 * the file are not enough: the times change whenever the entry is used, and an entry that replaces
 * another may get the same inode.
 */
function startOf(path: string): Uint8Array {
	const start = Buffer.alloc(START);
	try {
		const file = openSync(path, READ_ONLY);
		try {
			return start.subarray(0, readSync(file, start));
		} finally {
			closeSync(file);
		}
	} catch {
		return start;
	}
}
