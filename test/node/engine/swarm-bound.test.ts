import * as assert from 'uvu/assert';
import { suite } from '../../helpers/harness/suite.ts';
import { meshBound, starBound } from '../../helpers/simulation/bound.ts';
import { meshOf } from '../../helpers/simulation/mesh.ts';
import { simulateSwarm } from '../../helpers/simulation/simulate-swarm.ts';
import type { NodeLinks } from '../../helpers/simulation/swarm-node.ts';
import { Star } from '../../helpers/simulation/topology.ts';

const test = suite('simulated swarms compared with the bound of their links', { timeout: 240_000 });
const KIB = 1024;
const MIB = 1024 * KIB;
/** A run with 200 nodes takes ten seconds, a run with 1,000 takes minutes. */
const NODES = Number(process.env.SHOAL_NODES ?? 120);

test(`${NODES} nodes complete within 1.3 times the bound that the links allow`, () => {
	const shape = meshOf(NODES - 1, { chunks: 128 });
	const { ms, sent } = simulateSwarm(shape);
	const ratio = (ms as number) / meshBound(shape);
	assert.ok(ratio <= 1.3, `${ratio} times the bound`);
	assert.ok(sent < 1.15, `${sent} copies sent for each downloader`);
});

/** A seeder and `downloaders` nodes, whose links carry `rate` bytes per second in both directions. */
function equalSwarm(downloaders: number, rate: number, length: number) {
	const links = { up: rate, down: rate, latency: 1 };
	const nodes = Array.from({ length: downloaders + 1 }, () => links);
	const shape = { nodes, length, chunkSize: 256 * KIB, loss: 0 };
	const { ms, seederSent } = simulateSwarm(shape);
	return { ratio: (ms ?? Number.POSITIVE_INFINITY) / meshBound(shape), seederSent };
}

test('with equal links, a seeder of 30 to 60 downloaders sends at most 1.3 copies, and all complete within 1.4 times the bound', () => {
	for (const [downloaders, rate] of [
		[30, 1_250_000],
		[40, 2_500_000],
		[48, 6_250_000],
		[60, 6_250_000],
	] as const) {
		const { ratio, seederSent } = equalSwarm(downloaders, rate, 64 * MIB);
		assert.ok(ratio <= 1.4, `${downloaders} downloaders: ${ratio} times the bound`);
		assert.ok(seederSent <= 1.3, `${downloaders} downloaders: ${seederSent} copies`);
	}
});

test('a seeder of 80 downloaders, each with one or two shares of its own, sends at most 1.4 copies', () => {
	const { ratio, seederSent } = equalSwarm(80, 6_250_000, 32 * MIB);
	assert.ok(ratio <= 1.5, `${ratio} times the bound`);
	assert.ok(seederSent <= 1.4, `${seederSent} copies`);
});

test('with equal links, 15 downloaders complete soon although one leaves without a message, with shares assigned to it', () => {
	// Silence shows only after seconds, which weigh more if the content is small.
	for (const [chunks, leaves, most] of [
		[64, 10_000, 1.8],
		[256, 40_000, 1.2],
	] as const) {
		const links = { up: 1_250_000, down: 1_250_000, latency: 1 };
		const nodes = Array.from({ length: 17 }, () => links);
		const shape = { nodes, length: chunks * 256 * KIB, chunkSize: 256 * KIB, loss: 0 };
		const leavesAt = (node: number) => (node === 3 ? leaves : undefined);
		const { ms, completeAt } = simulateSwarm({ ...shape, leavesAt });
		assert.is(completeAt[3], undefined, 'it leaves before it is complete');
		const ratio = (ms ?? Number.POSITIVE_INFINITY) / meshBound(shape);
		assert.ok(ratio <= most, `${chunks} chunks: ${ratio} times the bound`);
	}
});

test('30 nodes complete through one broker within 2.1 times the bound of the links and the broker, in the median', () => {
	const egress = 50 * MIB;
	const shape = meshOf(30);
	const ratios = [1, 2, 3, 4, 5].map((seed) => {
		const { ms } = simulateSwarm({ ...shape, seed, topology: new Star(egress) });
		return (ms as number) / starBound(shape, egress);
	});
	// One swarm takes between 1.7 and 2.5 times the bound.
	const [, , median, , slowest] = ratios.sort((a, b) => a - b);
	assert.ok((median as number) <= 2.1, `${ratios} times the bound`);
	assert.ok((slowest as number) <= 2.4, `${ratios} times the bound`);
});

test('23 nodes complete although their seeder needs 26 s for the first part of each', () => {
	const { nodes } = meshOf(23);
	const [seeder, ...downloaders] = nodes.map((links, index) => {
		return index === 0 ? { ...links, up: 40 * KIB } : { ...links, up: links.up / 40 };
	}) as [NodeLinks, ...NodeLinks[]];
	const shape = { ...meshOf(23, { chunks: 8 }), nodes: [seeder, ...downloaders] };
	const { ms } = simulateSwarm(shape);
	const ratio = (ms ?? Number.POSITIVE_INFINITY) / meshBound(shape);
	assert.ok(ratio <= 6, `${ratio} times the bound`);
});

test.run();
