import * as assert from 'uvu/assert';
import {
	announce,
	eventsOf,
	makeRegistry,
	reasonsOf,
	seedId,
	state,
} from '../helpers/fixtures/registry.ts';
import { suite } from '../helpers/harness/suite.ts';

const test = suite('reports');
const ANN = 'node-ann1';
const BOB = 'node-bob1';
const S1 = 'session-1';
const ID = '0123456789abcdef';
const SEED = seedId(1);

test('a report of one node about another is published as an event, and changes no listing', () => {
	const { registry } = makeRegistry();
	for (const node of [ANN, BOB]) {
		registry.nodeState(node, state(S1), false);
		registry.announce(SEED, node, announce(S1), false);
	}
	const before = [registry.query(SEED, ANN), registry.seeds(), registry.size];
	const about = { event: 'chunk-refused', seed: SEED, node: ANN, chunk: 2 } as const;
	assert.equal(registry.report(BOB, { op: 'report', id: ID, ...about }), [
		{ do: 'event', event: { ...about, by: BOB } },
	]);
	assert.equal([registry.query(SEED, ANN), registry.seeds(), registry.size], before);
});

test('T10: reports are refused beyond the rate of a node, and from nodes that are not listed for the seed', () => {
	const { registry, clock } = makeRegistry({ reportBurst: 2, reportRate: 1 });
	const say = (by: string, seed = SEED): string[] => {
		const about = { event: 'node-dropped', seed, node: BOB } as const;
		const decisions = registry.report(by, { op: 'report', id: ID, ...about });
		return [...eventsOf(decisions), ...reasonsOf(decisions)];
	};
	assert.equal(say(ANN), ['report'], 'an unknown node');
	registry.nodeState(ANN, state(S1), false);
	registry.announce(SEED, ANN, announce(S1, {}, 1), false);
	assert.equal(say(ANN, seedId(2)), ['report'], 'about a seed that the node has not announced');
	assert.equal([say(ANN), say(ANN), say(ANN)], [['node-dropped'], ['node-dropped'], ['report']]);
	clock.advance(1_000);
	assert.equal([say(ANN), say(ANN)], [['node-dropped'], ['report']]);
	registry.nodeState(ANN, state(S1, 'lost'), false);
	clock.advance(1_000);
	assert.equal(say(ANN), ['report'], 'a lost node');
});

test.run();
