import type { Bitfield, Seed } from '../../protocol/index.ts';
import { digestChunk } from '../hashing/hasher.ts';
import type { FileStorage } from '../storage/file-storage.ts';
import { InlineWriter } from './inline-writer.ts';
import { ThreadWriter } from './thread-writer.ts';

/**
 * Bytes. Contents up to this size are written on the event loop: starting a thread takes longer.
 */
const SMALL = 8 * 1024 * 1024;

/**
 * The writer of a content into files: in a thread, or on the event loop if the content is small.
 *
 * @param stored the chunks that are already stored; undefined if no digest of the whole is wanted
 */
export function chunkWriter(
	seed: Seed,
	storage: FileStorage,
	stored?: Bitfield,
): InlineWriter | ThreadWriter {
	return seed.length <= SMALL
		? new InlineWriter(seed, storage, digestChunk)
		: new ThreadWriter(seed, storage, stored);
}
