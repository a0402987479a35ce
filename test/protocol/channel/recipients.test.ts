import { createHash } from 'node:crypto';
import * as assert from 'uvu/assert';
import { isAddressed, seedFor } from '../../../protocol/index.ts';
import { makeChannel } from '../../helpers/fixtures/channel-keys.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('recipients of a version');
const { document } = makeChannel();
const OTHER = 'cd'.repeat(32);
const nodes = Array.from({ length: 2_000 }, (_, at) => ({ node: `node-${at}`, groups: ['lab-2'] }));

test('without groups, everybody gets the version', () => {
	assert.is(seedFor(document(), { node: 'node-one', groups: [] }), document().seed);
});

test('a share of a group gets the version, the others get the other one or none', () => {
	const to = [{ group: 'lab-2', percent: 25 }];
	const version = document({ to, others: OTHER });
	const chosen = nodes.filter((node) => seedFor(version, node) === version.seed);
	assert.ok(Math.abs(chosen.length - 500) < 100, `${chosen.length} of 2,000`);
	assert.ok(nodes.every((node) => [version.seed, OTHER].includes(seedFor(version, node))));
	assert.is(seedFor(version, { node: 'node-one', groups: ['lab-3'] }), OTHER);
	assert.is(seedFor(document({ to }), { node: 'node-one', groups: [] }), undefined);
});

test('the place of a node is computed as specified, from channel, seed and node', () => {
	const version = document({ to: [{ group: '*', percent: 50 }] });
	for (const follower of nodes.slice(0, 100)) {
		const text = `${version.channel}\n${version.seed}\n${follower.node}\n`;
		const place = createHash('sha256').update(text).digest().readUInt32BE() / 2 ** 32;
		assert.is(isAddressed(version, follower), place < 0.5);
	}
});

test('a node that is in at 5 % is in at 25 % and at 100 %, and nobody is in at 0 %', () => {
	const at = (percent: number) =>
		nodes.filter((node) => isAddressed(document({ to: [{ group: '*', percent }] }), node));
	const [five, more] = [at(5), at(25)];
	assert.ok(five.length > 0 && five.length < more.length);
	assert.ok(five.every((node) => more.includes(node)));
	assert.is(at(100).length, nodes.length);
	assert.is(at(0).length, 0);
});

test('of several groups of a node, the one with the largest share counts', () => {
	const to = [
		{ group: 'lab-2', percent: 0 },
		{ group: 'lab-3', percent: 100 },
	];
	assert.ok(isAddressed(document({ to }), { node: 'node-one', groups: ['lab-2', 'lab-3'] }));
	assert.not(isAddressed(document({ to }), { node: 'node-one', groups: ['lab-2'] }));
});

test('a closed channel has no version for anybody', () => {
	assert.is(seedFor(document({ seed: undefined }), { node: 'node-one', groups: [] }), undefined);
});

test.run();
