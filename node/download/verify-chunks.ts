import { type DigestKind, type Seed, ShoalError, sameDigest } from '../../protocol/index.ts';
import type { Attempt } from '../engine/attempt.ts';

/** The digest of a chunk. */
export type DigestChunk = (kind: DigestKind, bytes: Uint8Array) => Promise<Uint8Array>;

/** Consecutive chunks that are all right, or all wrong. */
export interface VerifiedRun {
	readonly first: number;
	readonly count: number;
	readonly isGood: boolean;
}

/** Which of the chunks of an attempt are right in its bytes, in their order. */
export async function verifyChunks(
	seed: Seed,
	{ firstChunk, chunks, offset }: Attempt,
	bytes: Uint8Array,
	digest: DigestChunk,
): Promise<boolean[]> {
	const checks = Array.from({ length: chunks }, async (_, index) => {
		const chunk = firstChunk + index;
		const start = seed.layout.offsetOf(chunk) - offset;
		const slice = bytes.subarray(start, start + seed.layout.sizeOf(chunk));
		return sameDigest(await digest(seed.kind, slice), seed.chunkDigest(chunk));
	});
	return await Promise.all(checks);
}

/** The runs of right and of wrong chunks from chunk `first` on. */
export function runsOf(first: number, good: readonly boolean[]): VerifiedRun[] {
	const runs: VerifiedRun[] = [];
	for (const [index, isGood] of good.entries()) {
		const last = runs.at(-1);
		if (last?.isGood === isGood) {
			runs[runs.length - 1] = { ...last, count: last.count + 1 };
		} else {
			runs.push({ first: first + index, count: 1, isGood });
		}
	}
	return runs;
}

/** What is said of a chunk that is wrong. */
export function badChunk(node: string, chunk: number): ShoalError {
	return new ShoalError(
		'ERR_MESSAGE',
		`node ${node} sent chunk ${chunk} wrong; it is fetched again`,
	);
}
