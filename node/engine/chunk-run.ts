import type { ByteRange, Layout } from '../../protocol/index.ts';

/** A run of consecutive chunks. */
export interface ChunkRun {
	readonly first: number;
	readonly count: number;
}

/** The chunks of a run. */
export function* chunksIn({ first, count }: ChunkRun): Generator<number> {
	for (let chunk = first; chunk < first + count; chunk += 1) {
		yield chunk;
	}
}

/** The first and the last chunk that a range of bytes touches. */
export function chunksOfRange(
	layout: Layout,
	[offset, length]: ByteRange,
): [first: number, last: number] {
	return [layout.chunkAt(offset), layout.chunkAt(offset + length - 1)];
}
