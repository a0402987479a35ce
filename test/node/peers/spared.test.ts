import * as assert from 'uvu/assert';
import { withoutSpared } from '../../../node/peers/spared.ts';
import type { NodeListing } from '../../../protocol/index.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('a node that is spared');
const nodes = (...have: number[]): NodeListing[] =>
	have.map((count, at) => ({ node: `node-${at}`, have: count, chunks: 9, addresses: [] }));
const idsOf = (listed: readonly NodeListing[]): string[] => listed.map(({ node }) => node);

test('it is left out if another node is complete', () => {
	assert.equal(idsOf(withoutSpared(nodes(9, 9, 8), 'node-0', 0)), ['node-1', 'node-2']);
	assert.equal(idsOf(withoutSpared(nodes(9, 8, 8), 'node-0', 0)), ['node-0', 'node-1', 'node-2']);
	assert.equal(idsOf(withoutSpared(nodes(9), 'node-0', 0)), ['node-0']);
});

test('it is used by a download that runs for long, and without one all are used', () => {
	assert.is(withoutSpared(nodes(9, 9, 9), 'node-0', 5_000).length, 3);
	assert.is(withoutSpared(nodes(9, 9, 9), undefined, 0).length, 3);
});

test.run();
