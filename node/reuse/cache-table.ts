import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { SeedCache } from '../hashing/seed-cache.ts';
import type { KnownSource } from './known-source.ts';
import { KnownTable } from './known-table.ts';
import { readTable, writeTable } from './stored-table.ts';
import { zerosDigest } from './zeros-digest.ts';

/**
 * The table of all files and folders that a seed cache remembers. It is kept beside the cache, in
 * the file `<cache>.table`, until an entry of the cache is added, replaced or removed. It may take
 * long, so it is for a worker.
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
		// An entry that is replaced is another file. Its time changes whenever it is used.
		const { ino, size } = (await stat(join(folder, name)).catch(() => undefined)) ?? {};
		hash.update(`${name} ${ino} ${size}\n`);
	}
	return hash.digest('hex');
}
