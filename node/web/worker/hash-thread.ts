import { type HashNews, type HashOrder, HashRunner } from './hash-runner.ts';

// A thread that computes digests of whole contents.

/** The first message of the thread: its script was loaded and runs. */
export interface HashReady {
	readonly isReady: true;
}

const runner = new HashRunner((news) => postMessage(news satisfies HashNews));
addEventListener('message', ({ data }: MessageEvent<HashOrder>) => runner.take(data));
postMessage({ isReady: true } satisfies HashReady);
