import { Worker } from 'node:worker_threads';
import type { SeedCache } from '../hashing/seed-cache.ts';
import { onAbort } from '../util/abort.ts';
import { updatedTable } from './cache-table.ts';
import { DigestTable } from './digest-table.ts';
import { type KnownDigests, KnownTable } from './known-table.ts';
import type { MadeTable } from './table-worker.ts';

const SCRIPT = new URL('./table-worker.js', import.meta.url);

/**
 * The table of what a seed cache remembers. Undefined if it cannot be made, or if `signal` is
 * aborted.
 */
export async function makeTable(
	cache: SeedCache,
	signal: AbortSignal,
): Promise<KnownDigests | undefined> {
	const table = await updatedTable(cache).catch(() => undefined);
	return signal.aborted ? undefined : (table ?? (await tableInThread(cache, signal)));
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
