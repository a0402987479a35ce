import * as assert from 'uvu/assert';
import type { RemoteNode } from '../../../node/engine/remote-node.ts';
import { isTooSlow } from '../../../node/engine/too-slow.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('peers that are too slow');
const CHUNK = 256 * 1024;
const FAST = { rate: 10_000_000, usualTime: 50, part: CHUNK };

/** Whether a peer is too slow beside a fast one that has open requests; `missing` in chunks. */
function isSlow(
	window: { rate: number; usualTime: number; part: number },
	missing: number,
): boolean {
	const [slow, fast] = [window, FAST].map((each) => {
		return { window: each, isSnubbed: false, outstanding: 2 * CHUNK } as RemoteNode;
	}) as [RemoteNode, RemoteNode];
	const nodes = new Map([
		['slow', slow],
		['fast', fast],
	]);
	return isTooSlow(slow, nodes, { chunkSize: CHUNK, missing: missing * CHUNK });
}

test('a peer is too slow if one chunk from it takes longer than all missing chunks from all peers', () => {
	const window = { rate: 100_000, usualTime: 2_600, part: CHUNK };
	assert.ok(isSlow(window, 10));
	assert.not(isSlow(window, 1_000));
});

test('a peer that shows a low rate, but usually answers soon, is not too slow', () => {
	assert.not(isSlow({ rate: 100_000, usualTime: 20, part: CHUNK }, 10));
});

test('if a chunk needs several parts, the usual time counts for each', () => {
	assert.ok(isSlow({ rate: 100_000, usualTime: 160, part: CHUNK / 16 }, 10));
});

test('nothing is known of a peer without a rate', () => {
	assert.not(isSlow({ rate: 0, usualTime: 0, part: CHUNK }, 10));
});

test.run();
