import { type Seed, ShoalError } from '../../protocol/index.ts';
import type { Storage } from './storage.ts';

/** The bytes of a chunk. @throws ShoalError as {@link Storage.read} */
export async function readChunk(seed: Seed, storage: Storage, chunk: number): Promise<Uint8Array> {
	const bytes = new Uint8Array(seed.layout.sizeOf(chunk));
	await storage.read(seed.layout.offsetOf(chunk), bytes);
	return bytes;
}

/**
 * Copies chunks from one storage to another; if both are the same storage, writes the chunks again.
 *
 * @throws ShoalError ERR_ABORTED, and the errors of {@link Storage}
 */
export async function copyChunks(
	seed: Seed,
	chunks: Iterable<number>,
	{ from, to, signal }: { from: Storage; to: Storage; signal?: AbortSignal | undefined },
): Promise<void> {
	for (const chunk of chunks) {
		if (signal?.aborted) {
			throw new ShoalError('ERR_ABORTED', 'copying was stopped');
		}
		await to.write(seed.layout.offsetOf(chunk), await readChunk(seed, from, chunk));
	}
}
