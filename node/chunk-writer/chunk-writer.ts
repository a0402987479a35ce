import type { ChunkRun } from '../engine/chunk-run.ts';

/** Verifies the chunks of one content and stores those that are right. */
export interface ChunkWriter {
	/**
	 * Verifies the chunks of `run`, and writes those that are right.
	 *
	 * @param segments the bytes of the run, in order. They must not change until this settles
	 * @returns which of the chunks are right: those are stored
	 * @throws ShoalError ERR_IO, ERR_NO_SPACE if they cannot be stored
	 */
	write(run: ChunkRun, segments: readonly Uint8Array[]): Promise<readonly boolean[]>;

	/** Resolves when nothing is written any more: the files may be closed. Idempotent. */
	close(): Promise<void>;
}
