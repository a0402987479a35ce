import type { Progress } from './download-types.ts';

/** The reasons why a download waits, in words for people. */
export const WAITS_FOR: Readonly<Record<NonNullable<Progress['waitsFor']>, string>> = {
	chunks: 'no node has the missing chunks; waiting for one that has them',
	lane: 'no direct lane opens to the nodes that have the missing chunks; leave out --lane direct',
};
