import { parentPort, workerData } from 'node:worker_threads';
import { SeedCache } from '../hashing/seed-cache.ts';
import { tableOfCache } from './cache-table.ts';
import type { DigestTableArrays } from './digest-table.ts';
import type { SourceHead } from './known-table.ts';

/** The result of the worker: the parts of a table. */
export interface MadeTable {
	readonly sources: readonly SourceHead[];
	readonly chunks: DigestTableArrays;
	readonly files: DigestTableArrays;
}

async function makeTable(folder: string): Promise<void> {
	const { sources, chunks, files } = await tableOfCache(new SeedCache(folder));
	const made: MadeTable = { sources, chunks: chunks.arrays, files: files.arrays };
	const buffers = [made.chunks, made.files].flatMap(({ starts, words, places }) => {
		return [starts.buffer, words.buffer, places.buffer] as ArrayBuffer[];
	});
	parentPort?.postMessage(made, [...new Set(buffers)]);
}

void makeTable(workerData as string);
