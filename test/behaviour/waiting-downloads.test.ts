import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { Progress, ShoalNode } from '../../node/index.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { contentOf } from '../helpers/fixtures/seeds.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { makeFile, startNode } from '../helpers/harness/node.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('downloads that wait', { timeout: 60_000 });
const MIB = 1_048_576;

/** Starts a download that does not end in the test. @returns its last progress */
async function begin(t: Scope, node: ShoalNode, id: string) {
	const told: { last?: Progress } = {};
	const output = join(await makeFolder(t), 'copy');
	const onProgress = (progress: Progress): void => {
		told.last = progress;
	};
	node.get(id, { output, onProgress, wait: true }).catch(() => {});
	return told;
}

test('when the last seeder leaves, all downloads say that they wait, and go on when it is back', async (t) => {
	const { url } = await startBroker(t);
	const path = await makeFile(t, contentOf(24 * MIB));
	const seeder = await startNode(t, url, { maxUp: 2 * MIB });
	const { seed } = await seeder.share(path);
	const [first, second] = [await startNode(t, url), await startNode(t, url)];
	const all = [await begin(t, first, seed.id), await begin(t, second, seed.id)];
	await until('both have a part', () => all.every(({ last }) => (last?.have ?? 0) > MIB));
	assert.equal(
		all.map(({ last }) => last?.waitsFor),
		[undefined, undefined],
	);
	await seeder.close();
	await until('both say so', () => all.every(({ last }) => last?.waitsFor === 'chunks'));
	for (const { last } of all) {
		assert.equal([last?.phase, last?.sources], ['fetching', 1]);
	}
	await (await startNode(t, url)).share(path);
	const isWhole = (last?: Progress) => last?.have === seed.length && last.waitsFor === undefined;
	await until('both go on', () => all.every(({ last }) => isWhole(last)));
});

test('with direct lanes only, a download says that the nodes with the content are not reached', async (t) => {
	const { url } = await startBroker(t);
	const seeder = await startNode(t, url, { listen: false });
	const { seed } = await seeder.share(await makeFile(t, contentOf(MIB)));
	const node = await startNode(t, url, { lane: 'direct', listen: false });
	const told = await begin(t, node, seed.id);
	await until('it says so', () => told.last?.waitsFor === 'lane');
	assert.equal([told.last?.phase, told.last?.sources], ['fetching', 0]);
});

test.run();
