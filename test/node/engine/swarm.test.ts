import * as assert from 'uvu/assert';
import { seededRandom } from '../../helpers/harness/random.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { checkEngine } from '../../helpers/simulation/check-engine.ts';
import type { Faults, Span } from '../../helpers/simulation/faults.ts';
import { meshOf } from '../../helpers/simulation/mesh.ts';
import { simulateSwarm } from '../../helpers/simulation/simulate-swarm.ts';

const test = suite('simulated swarms', { timeout: 240_000 });
const KIB = 1024;
const RANDOM_SWARMS = Number(process.env.SHOAL_SWARMS ?? 100);
const FIRST_SEED = Number(process.env.SHOAL_SEED ?? 1);

test('with unequal links, nodes send less than 1.13 copies for each copy that is needed', () => {
	const { sent } = simulateSwarm(meshOf(60, { chunks: 64 }));
	assert.ok(sent < 1.13, `${sent} copies sent for each downloader`);
});

test('the same random seed gives the same run, another random seed another run', () => {
	const shape = meshOf(20);
	const once = simulateSwarm({ ...shape, seed: 5 });
	assert.equal(simulateSwarm({ ...shape, seed: 5 }), once);
	assert.not.equal(simulateSwarm({ ...shape, seed: 6 }).completeAt, once.completeAt);
});

test('the other nodes complete although the seeder leaves after one copy and some nodes leave', () => {
	const shape = meshOf(40);
	const { ms, seederSent } = simulateSwarm({
		...shape,
		isSeederLeaving: true,
		leavesAt: (node) => (node % 8 === 0 ? 5_000 + node * 100 : undefined),
	});
	assert.ok(ms !== undefined, 'all complete');
	assert.ok(seederSent < 3, `${seederSent} copies`);
});

test('frozen and disconnected nodes complete after their outage; the others complete before its end, despite a liar', () => {
	const shape = meshOf(20);
	const outage = { from: 1_000, until: 300_000 };
	const faults = {
		frozen: new Map([[1, outage]]),
		cut: { nodes: new Set([2]), span: outage },
		lies: new Map([[3, 0.5]]),
		clocks: new Map([[4, 3_600_000]]),
	};
	const { completeAt } = simulateSwarm({ ...shape, faults, check: checkEngine });
	const [frozen, cut, ...others] = completeAt as number[];
	assert.ok((frozen as number) > outage.until && (cut as number) > outage.until);
	assert.ok(
		others.every((at) => at < outage.until),
		others.join(' '),
	);
});

test('a download over a thin link completes although ten fast nodes send parts too late', () => {
	const [mostly, thin] = [2_048 * KIB, 50 * KIB];
	const length = 4_096 * KIB;
	for (let seed = 1; seed <= 20; seed += 1) {
		const nodes = Array.from({ length: 12 }, (_, index) => {
			const rate = index === 1 ? thin : mostly;
			return { up: rate, down: rate, latency: 5 * index };
		});
		const shape = { nodes, length, chunkSize: 256 * KIB, loss: 0.02, seed };
		const [ms] = simulateSwarm({ ...shape, deadline: 600_000 }).completeAt;
		const ideal = (length / thin) * 1_000;
		assert.ok((ms ?? Number.POSITIVE_INFINITY) < ideal * 7, `${ms} ms of ${ideal}, seed ${seed}`);
	}
});

test(`${RANDOM_SWARMS} random swarms with faults keep every invariant and complete`, () => {
	const failures: Error[] = [];
	for (let seed = FIRST_SEED; seed < FIRST_SEED + RANDOM_SWARMS; seed += 1) {
		try {
			randomSwarm(seed);
		} catch (cause) {
			failures.push(new Error(`run again with SHOAL_SEED=${seed} SHOAL_SWARMS=1`, { cause }));
		}
	}
	if (failures.length > 0) {
		const seeds = failures.map(({ message }) => message).join('; ');
		throw new AggregateError(failures, `${failures.length} swarms failed: ${seeds}`);
	}
});

/**
 * Some nodes freeze, lie, are disconnected, or have a wrong clock. Node 0, the seeder, does not lie
 * and is not cut off.
 */
function randomFaults(nodes: number, random: () => number): Faults {
	const anybody = (): number => 1 + Math.floor(random() * (nodes - 1));
	const span = (): Span => {
		const from = random() * 5_000;
		return { from, until: from + random() * 30_000 };
	};
	return {
		frozen: random() < 0.5 ? new Map([[Math.floor(random() * nodes), span()]]) : new Map(),
		lies: random() < 0.5 ? new Map([[anybody(), random()]]) : new Map(),
		cut: { nodes: new Set(random() < 0.5 ? [anybody(), anybody()] : []), span: span() },
		clocks: new Map([[anybody(), (random() - 0.5) * 7_200_000]]),
	};
}

function randomSwarm(seed: number): void {
	const random = seededRandom(seed);
	const between = (least: number, most: number): number => least + random() * (most - least);
	const nodes = Array.from({ length: 3 + Math.floor(random() * 10) }, () => {
		const up = between(64, 4_096) * KIB;
		return { up, down: up * between(1, 4), latency: between(0, 60) };
	});
	const chunkSize = [16, 64, 256][Math.floor(random() * 3)] as number;
	const chunks = 1 + Math.floor(random() * 24);
	const { ms } = simulateSwarm({
		nodes,
		chunkSize: chunkSize * KIB,
		length: Math.ceil((chunks - random()) * chunkSize * KIB),
		loss: [0, 0.01, 0.05][Math.floor(random() * 3)] as number,
		seed,
		leavesAt: (node) => (node === 0 ? between(100, 3_000) : undefined),
		faults: randomFaults(nodes.length, random),
		check: checkEngine,
		deadline: 600_000,
	});
	assert.ok(ms !== undefined, 'all complete');
}

test.run();
