import type { ChunkRun } from '../engine/chunk-run.ts';

/** Verifies the chunks of one content and stores those that are right. */
export interface ChunkWriter {
	/**
	 * Verifies the chunks of `run`, and writes those that are right.
	 *
	 * @param segments the bytes of the run, in order. They must not change until the promise settles
	 * @returns for each chunk of the run, whether it is right and stored
	 * @throws ShoalError ERR_IO, ERR_NO_SPACE if the chunks cannot be stored
	 */
	write(run: ChunkRun, segments: readonly Uint8Array[]): Promise<readonly boolean[]>;

	/**
	 * Closes the writer. Resolves when no write is running, so that files can be closed. Idempotent.
	 */
	close(): Promise<void>;
}
