import { availableParallelism } from 'node:os';
import type { Bitfield, Seed } from '../../protocol/index.ts';
import { ContentThread } from './content-thread.ts';

/** The threads of one content. */
export interface ContentThreads {
	/** Verifies and stores the chunks of the content. */
	readonly writing: ContentThread;
	/** Computes the digest of the whole. Undefined if `writing` does, or if no digest is wanted. */
	readonly hashing: ContentThread | undefined;
	/**
	 * Returns the thread that the content moves to when `writing` is too busy. Undefined if the
	 * content stays in `writing`.
	 */
	readonly next?: (() => ContentThread) | undefined;
}

/** Bytes. If a content has at least this many, a second thread is worth its start. */
const LARGE = 512 * 1024 * 1024;

/**
 * Bytes. At most this many bytes are written and hashed on the event loop, because the start of a
 * thread would take longer than this work.
 */
const SMALL = 8 * 1024 * 1024;

/**
 * The threads for the content of `seed`. All contents of this process use the same threads.
 *
 * A new file of medium size begins on the event loop. It moves to a thread only if that is faster: if
 * several programs share few cores, or if the network is slow, a thread only costs processor time.
 *
 * @param stored the chunks that are stored; undefined if no digest of the whole is wanted: then nothing
 *   is ever read back, and the file counts as new
 * @param wanted bytes of the content that are wanted. @default all
 */
export function threadsFor(
	seed: Seed,
	stored: Bitfield | undefined,
	wanted: number = seed.length,
): ContentThreads {
	if (wanted <= SMALL) {
		return { writing: ContentThread.here, hashing: undefined };
	}
	const isNewFile = seed.index === undefined && (stored?.count ?? 0) === 0;
	if (seed.length < LARGE && isNewFile) {
		return { writing: ContentThread.here, hashing: undefined, next: () => ContentThread.writing };
	}
	const isWorthIt = stored !== undefined && seed.length >= LARGE && availableParallelism() > 1;
	return {
		writing: ContentThread.writing,
		hashing: isWorthIt ? ContentThread.hashing : undefined,
	};
}
