import { type HashNews, type HashOrder, HashRunner } from './hash-runner.ts';

// A thread that computes digests of whole contents.

/** What the thread says first: its script is there, and runs. */
export interface HashReady {
	readonly isReady: true;
}

const runner = new HashRunner((news) => postMessage(news satisfies HashNews));
addEventListener('message', ({ data }: MessageEvent<HashOrder>) => runner.take(data));
postMessage({ isReady: true } satisfies HashReady);
