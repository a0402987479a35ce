import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { SeedCache } from '../hashing/seed-cache.ts';
import { onAbort } from '../util/abort.ts';
import { tableOfCache } from './cache-table.ts';
import { DigestTable } from './digest-table.ts';
import { KnownTable } from './known-table.ts';
import type { MadeTable } from './table-worker.ts';

const SCRIPT = new URL('./table-worker.js', import.meta.url);
/**
 * Entries and bytes of the largest cache whose table is made on the event loop: it takes no longer
 * than a thread takes to start, which is 80 ms of processor time.
 */
const FEW = 32;
const SMALL = 256 * 1024;

/**
 * The table of what a seed cache remembers. Undefined if it cannot be made, or if `signal` is
 * aborted.
 */
export async function makeTable(
	cache: SeedCache,
	signal: AbortSignal,
): Promise<KnownTable | undefined> {
	if (!(await isSmall(cache.folder))) {
		return await tableInThread(cache, signal);
	}
	const table = await tableOfCache(cache).catch(() => undefined);
	return signal.aborted ? undefined : table;
}

async function isSmall(folder: string): Promise<boolean> {
	const names = await readdir(folder).catch(() => []);
	if (names.length > FEW) {
		return false;
	}
	let bytes = 0;
	for (const name of names) {
		bytes += await stat(join(folder, name)).then(
			({ size }) => size,
			() => 0,
		);
	}
	return bytes <= SMALL;
}

/**
 * The table of what a seed cache remembers, made in a thread. Undefined if the thread fails, or if
 * `signal` is aborted.
 */
export async function tableInThread(
	cache: SeedCache,
	signal: AbortSignal,
): Promise<KnownTable | undefined> {
	const worker = new Worker(SCRIPT, { workerData: cache.folder });
	let off = (): void => {};
	try {
		return await new Promise((resolve) => {
			off = onAbort(signal, () => resolve(undefined));
			worker.on('error', () => resolve(undefined));
			worker.on('exit', () => resolve(undefined));
			worker.on('message', ({ sources, chunks, files }: MadeTable) => {
				resolve(new KnownTable(sources, new DigestTable(chunks), new DigestTable(files)));
			});
		});
	} finally {
		off();
		await worker.terminate();
	}
}
