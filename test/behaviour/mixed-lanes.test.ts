import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { ShoalNode } from '../../node/index.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { makeFile, startNode } from '../helpers/harness/node.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';

const test = suite('mixed swarms');
const content = randomBytes(6 * 1024 * 1024 + 5);
const THREE = [0, 1, 2];
/** Nodes that are reachable only through the broker, as with client isolation. */
const APART = { listen: false, lane: 'broker' } as const;

/** All `nodes` get the seed at the same time. @returns the sources of each node, with lanes */
async function getAll(t: Scope, nodes: readonly ShoalNode[], id: string) {
	return await Promise.all(
		nodes.map(async (node) => {
			const output = join(await makeFolder(t), 'copy');
			const { sources } = await node.get(id, { output });
			assert.ok((await readFile(output)).equals(content));
			return sources;
		}),
	);
}

test('if half of the nodes have only the broker lane, all complete, each on the lanes that it has', async (t) => {
	const { url } = await startBroker(t);
	const seeder = await startNode(t, url, { maxUp: 5_000_000 });
	const { seed } = await seeder.share(await makeFile(t, content));
	const straight = await Promise.all(THREE.map(() => startNode(t, url)));
	const apart = await Promise.all(THREE.map(() => startNode(t, url, APART)));
	const all = await getAll(t, [...straight, ...apart], seed.id);
	const [ofStraight, ofApart] = [all.slice(0, 3).flat(), all.slice(3).flat()];
	const isApart = ({ node }: { node: string }): boolean => apart.some(({ id }) => id === node);
	assert.ok(ofStraight.some(({ lane }) => lane === 'direct'));
	assert.ok(
		[...ofStraight.filter(isApart), ...ofApart].every(({ lane }) => lane === 'broker'),
		'no direct lane from or to a node with the broker lane only',
	);
});

test('each half gets the content from the other half when no other seeder is left', async (t) => {
	const { url } = await startBroker(t);
	const seeder = await startNode(t, url);
	const { seed } = await seeder.share(await makeFile(t, content));
	const straight = await Promise.all(THREE.map(() => startNode(t, url)));
	await getAll(t, straight, seed.id);
	await seeder.close();
	const apart = await Promise.all(THREE.map(() => startNode(t, url, APART)));
	await getAll(t, apart, seed.id);
	await Promise.all(straight.map((node) => node.close()));
	const [sources = []] = await getAll(t, [await startNode(t, url)], seed.id);
	assert.ok(sources.every(({ node }) => apart.some(({ id }) => id === node)));
	assert.ok(sources.every(({ lane }) => lane === 'broker'));
});

test('a node of either half gets from seeders of both halves, on the lane that each has', async (t) => {
	const { url } = await startBroker(t);
	const slowly = { maxUp: 4_000_000 };
	const seeders = [
		await startNode(t, url, slowly),
		await startNode(t, url, { ...slowly, ...APART }),
	];
	const [seed] = await Promise.all(
		seeders.map(async (node) => (await node.share(await makeFile(t, content))).seed),
	);
	const nodes = [await startNode(t, url), await startNode(t, url, APART)];
	const [ofStraight = [], ofApart = []] = await getAll(t, nodes, seed?.id as string);
	const [direct, broker] = seeders.map(({ id }) => id);
	const lanesFrom = (sources: typeof ofApart, from: string | undefined): string[] =>
		sources.filter(({ node }) => node === from).map(({ lane }) => lane);
	assert.ok(lanesFrom(ofStraight, direct).includes('direct'));
	assert.equal(lanesFrom(ofStraight, broker), ['broker']);
	assert.equal(lanesFrom(ofApart, direct), ['broker']);
	assert.equal(lanesFrom(ofApart, broker), ['broker']);
});

test.run();
