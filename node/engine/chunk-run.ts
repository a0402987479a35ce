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
