import { availableParallelism } from 'node:os';
import type { Seed } from '../../protocol/index.ts';
import { ContentThread } from './content-thread.ts';

/** The threads of one content. */
export interface ContentThreads {
	/** Verifies and stores its chunks. */
	readonly writing: ContentThread;
	/** Computes the digest of the whole; undefined: the one that writes does. */
	readonly hashing: ContentThread | undefined;
}

/** Bytes from which on a second thread is worth its start. */
const LARGE = 512 * 1024 * 1024;

/**
 * The threads for the content of `seed`: they are shared with all other contents of this process.
 *
 * @param isHashed whether the digest of the whole is wanted
 */
export function threadsFor(seed: Seed, isHashed: boolean): ContentThreads {
	const isWorthIt = isHashed && seed.length >= LARGE && availableParallelism() > 1;
	return {
		writing: ContentThread.writing,
		hashing: isWorthIt ? ContentThread.hashing : undefined,
	};
}
