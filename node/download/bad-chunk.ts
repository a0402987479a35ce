import { ShoalError } from '../../protocol/index.ts';

/** The warning about a chunk from `node` that is wrong. */
export function badChunk(node: string, chunk: number): ShoalError {
	return new ShoalError(
		'ERR_MESSAGE',
		`node ${node} sent a wrong chunk (${chunk}); it is fetched again`,
	);
}
