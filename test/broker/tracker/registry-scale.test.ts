import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as assert from 'uvu/assert';
import type { Registry } from '../../../broker/index.ts';
import { decodeAnnounce, decodeNodeState, encodeJson, Topics } from '../../../protocol/index.ts';
import {
	announce,
	forgottenOf,
	makeRegistry,
	seedId,
	state,
	status,
} from '../../helpers/fixtures/registry.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('registry with many nodes');
const NODES = 1_000;
const PER_NODE = 100;
const TTL = 90_000;
/** Twice the bytes of an announce that were measured on Node 20. */
const MOST_BYTES = 600;
/** ms; ten times the 99th percentile that was measured on a quiet machine. */
const MOST_P99 = 20;
const topics = new Topics();

const nodeId = (node: number): string => `node-${String(node).padStart(16, '0')}`;
/** One seed of all nodes, ninety-nine of ten nodes each. */
const seedsOf = (node: number): string[] =>
	Array.from({ length: PER_NODE }, (_, slot) =>
		seedId(slot === 0 ? 0 : 1 + Math.floor(node / 10) * PER_NODE + slot),
	);

/** Announces all seeds of the nodes, each as a message that has come from a broker. */
function fill(registry: Registry, nodes = NODES): void {
	for (let node = 0; node < nodes; node += 1) {
		const session = `session-${node}`;
		const id = nodeId(node);
		const about = state(session, 'ready', ['mqtt://192.168.1.20:41000']);
		registry.nodeState(id, decodeNodeState(encodeJson(about)), false);
		for (const seed of seedsOf(node)) {
			const parsed = topics.tryParse(Buffer.from(topics.announce(seed, id)).toString());
			const message = announce(session, { name: `release-${seed.slice(-8)}-amd64.tar.gz` });
			if (parsed?.kind === 'announce') {
				const read = decodeAnnounce(encodeJson(message));
				registry.announce(parsed.seed, parsed.from, read, false);
			}
		}
	}
}

/** Bytes of the heap after a garbage collection. */
function heapBytes(): number {
	setFlagsFromString('--expose-gc');
	runInNewContext('gc')();
	return process.memoryUsage().heapUsed;
}

test('an announce takes less than 600 bytes, and 99 of 100 queries for a swarm of 1,000 nodes take less than 20 ms', () => {
	const { registry } = makeRegistry();
	const before = heapBytes();
	fill(registry);
	const bytes = (heapBytes() - before) / registry.size.announces;
	const times: number[] = [];
	for (let node = 0; node < NODES; node += 1) {
		const startedAt = performance.now();
		const { seeders, nodes } = registry.query(seedId(0), nodeId(node));
		times.push(performance.now() - startedAt);
		assert.is(seeders, NODES);
		assert.is(nodes.length, 50);
	}
	const p99 = times.sort((a, b) => a - b)[Math.floor(NODES * 0.99)] as number;
	console.log(`${bytes.toFixed(0)} bytes an announce; a query: p99 ${p99.toFixed(2)} ms`);
	assert.equal(registry.size, { nodes: NODES, seeds: 9_901, announces: NODES * PER_NODE });
	assert.ok(bytes < MOST_BYTES, `${bytes} bytes`);
	assert.ok(p99 < MOST_P99, `${p99} ms`);
});

test('a sweep ends in steps, and an update between two steps renews what has not been dropped', () => {
	const { registry, clock } = makeRegistry();
	fill(registry, 20);
	clock.advance(TTL);
	const slices = registry.sweepInSlices();
	const first = slices.next().value ?? [];
	assert.ok(first.length >= 500 && first.length <= 500 + 2 * PER_NODE, `${first.length}`);
	assert.is(registry.update(nodeId(19), status('session-19', seedsOf(19))).status, 'ok');
	const rest = [...slices].flat();
	assert.is(forgottenOf([...first, ...rest]).length, 19 * (PER_NODE + 1));
	assert.is(registry.size.announces, PER_NODE);
	assert.equal(registry.sweep(), []);
});

test.run();
