import * as assert from 'uvu/assert';
import { encodeJson } from '../../../protocol/index.ts';
import {
	announce,
	forgottenOf,
	makeCrowdedRegistry,
	makeRegistry,
	reasonsOf,
	seedId,
	state,
	status,
} from '../../helpers/fixtures/registry.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('registry limits');
const ANN = 'node-ann1';
const BOB = 'node-bob1';
const S1 = 'session-1';
const ID = '0123456789abcdef';

test('T10: announces of one node beyond its limit are refused and cleared; its next update is told', () => {
	const { registry } = makeRegistry({ nodeAnnounces: 2 });
	registry.nodeState(ANN, state(S1), false);
	registry.announce(seedId(1), ANN, announce(S1), false);
	registry.announce(seedId(2), ANN, announce(S1), false);
	const decisions = registry.announce(seedId(3), ANN, announce(S1), false);
	assert.equal(reasonsOf(decisions), ['node-announces']);
	assert.equal(forgottenOf(decisions), [`${ANN} ${seedId(3)}`]);
	assert.equal(
		reasonsOf(registry.announce(seedId(2), ANN, announce(S1, {}, 2), false)),
		[],
		'known',
	);
	const all = [seedId(1), seedId(2), seedId(3)];
	assert.equal(registry.update(ANN, status(S1, all)), { status: 'ok', refused: [seedId(3)] });
	assert.equal(registry.update(ANN, status(S1, all.slice(0, 2))), { status: 'ok', refused: [] });
	assert.is(registry.query(seedId(3)).seeders, 0);
});

test('T10: new announces of one node beyond its rate are refused, those of other nodes are not', () => {
	const { registry, clock } = makeRegistry({ announceBurst: 3, announceRate: 2 });
	const say = (number: number, node = ANN): string[] =>
		reasonsOf(registry.announce(seedId(number), node, announce(S1), false));
	assert.equal([say(1), say(2), say(3), say(4)], [[], [], [], ['announce-rate']]);
	assert.equal(say(4, BOB), []);
	clock.advance(500);
	assert.equal([say(4), say(5)], [[], ['announce-rate']]);
	assert.equal(say(1), [], 'a known announce may be repeated');
});

test('T10: announces beyond the limit of all nodes are refused, and no earlier announce is removed', () => {
	const { registry } = makeRegistry({ announces: 2 });
	registry.announce(seedId(1), ANN, announce(S1), false);
	registry.announce(seedId(2), ANN, announce(S1), false);
	assert.equal(reasonsOf(registry.announce(seedId(1), BOB, announce(S1), false)), ['announces']);
	assert.equal(reasonsOf(registry.announce(seedId(1), 'node-carl', announce(S1), false)), [
		'nodes',
	]);
	assert.is(registry.query(seedId(1)).seeders, 1);
	registry.withdraw(seedId(2), ANN);
	assert.equal(reasonsOf(registry.announce(seedId(1), BOB, announce(S1), false)), []);
});

test('an announce whose length and number of chunks do not fit is refused, and the one it replaces is removed', () => {
	const { registry } = makeRegistry();
	registry.announce(seedId(1), ANN, announce(S1), false);
	const lie = announce(S1, { length: 1_500, chunks: 4 });
	const decisions = registry.announce(seedId(1), ANN, lie, false);
	assert.equal(reasonsOf(decisions), ['layout']);
	assert.equal(registry.seeds(), { seeds: [] });
});

test('the reply to an update lists at most 500 refused announces', () => {
	const { registry } = makeRegistry({ nodeAnnounces: 1 });
	for (let number = 0; number < 2_000; number++) {
		registry.announce(seedId(number), ANN, announce(S1), false);
	}
	const { refused } = registry.update(ANN, status(S1, [seedId(0)]));
	assert.is(refused.length, 500);
	encodeJson({ op: 'update', id: ID, status: 'ok', refused });
});

test('get_seed lists each seed once, in order, page by page', () => {
	const { registry } = makeRegistry();
	const all = Array.from({ length: 250 }, (_, number) => seedId(number * 7));
	for (const seed of [...all].reverse()) {
		registry.announce(seed, ANN, announce(S1), false);
	}
	const seen: string[] = [];
	let after: string | undefined;
	let pages = 0;
	do {
		const page = registry.seeds(after);
		seen.push(...page.seeds.map(({ seed }) => seed));
		after = page.next;
		pages += 1;
	} while (after !== undefined);
	assert.equal(seen, all);
	assert.is(pages, 3);
	assert.equal(registry.seeds('f'.repeat(64)), { seeds: [] });
});

test('pages and samples fit into a control message, even with the longest names and addresses', () => {
	const { registry } = makeRegistry({ listPage: 1_000, querySample: 1_000 });
	const name = '"'.repeat(255);
	const addresses = Array.from({ length: 8 }, (_, n) => `mqtt://${'h'.repeat(110)}${n}:1883`);
	for (let number = 0; number < 300; number++) {
		const node = `node-${'x'.repeat(50)}${number}`;
		registry.nodeState(node, state(S1, 'ready', addresses), false);
		registry.announce(seedId(number), node, announce(S1, { name }), false);
		registry.announce(seedId(0), node, announce(S1, { name }), false);
	}
	const page = registry.seeds();
	encodeJson({ op: 'get_seed', id: ID, ...page });
	assert.is(page.next, page.seeds.at(-1)?.seed);
	const { nodes, ...counts } = registry.query(seedId(0));
	encodeJson({ op: 'query', id: ID, nodes, ...counts });
	assert.ok(nodes.length > 20);
	assert.is(counts.seeders, 300);
});

test('the answer to a query is a random sample, with the seeders first however many downloaders there are', () => {
	const { registry } = makeRegistry({ querySample: 10 });
	for (let number = 0; number < 1_000; number++) {
		registry.announce(seedId(1), `crowd-${number}`, announce(S1, {}, 1), false);
	}
	registry.announce(seedId(1), ANN, announce(S1), false);
	const samples = [registry.query(seedId(1)), registry.query(seedId(1))];
	for (const { nodes, seeders, downloaders } of samples) {
		assert.is(nodes.length, 10);
		assert.is(nodes[0]?.node, ANN);
		assert.equal([seeders, downloaders], [1, 1_000]);
	}
	assert.not.equal(samples[0], samples[1]);
});

test('the answer to a query lists a swarm of at most `queryAll` nodes completely', () => {
	const { registry } = makeRegistry({ queryAll: 30, querySample: 10 });
	const listed = (): number => registry.query(seedId(1)).nodes.length;
	for (let number = 0; number < 30; number++) {
		registry.announce(seedId(1), `crowd-${number}`, announce(S1, {}, number % 2), false);
	}
	assert.is(listed(), 30);
	registry.announce(seedId(1), ANN, announce(S1), false);
	assert.is(listed(), 10);
});

test('the only seeder is the first in all answers that list the whole swarm, and in 48 to 54 about a larger one', () => {
	const { registry } = makeRegistry();
	registry.announce(seedId(1), ANN, announce(S1), false);
	const nodes = Array.from({ length: 128 }, (_, number) => `crowd-${number}`);
	const first = (): number =>
		nodes.filter((node) => registry.query(seedId(1), node).nodes[0]?.node === ANN).length;
	for (const node of nodes.slice(1)) {
		registry.announce(seedId(1), node, announce(S1, {}, 1), false);
	}
	assert.is(first(), 128);
	registry.announce(seedId(1), nodes[0] as string, announce(S1, {}, 1), false);
	const some = first();
	assert.ok(some >= 48 && some <= 54, `${some}`);
});

test('100,000 announces of 1,000 nodes take less than 300 MB', () => {
	const before = process.memoryUsage.rss();
	const { registry } = makeCrowdedRegistry();
	const grown = process.memoryUsage.rss() - before;
	console.log(`registry of 100,000: ${Math.round(grown / 1e6)} MB`);
	assert.is(registry.size.announces, 100_000);
	assert.ok(grown < 300e6, `grew by ${grown}`);
});

test.run();
