import * as assert from 'uvu/assert';
import type { Decision } from '../../../broker/index.ts';
import {
	announce,
	eventsOf,
	forgottenOf,
	makeRegistry,
	seedId,
	state,
	status,
} from '../../helpers/fixtures/registry.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('registry');
const ANN = 'node-ann1';
const BOB = 'node-bob1';
const TTL = 90_000;
const S1 = 'session-1';
const S2 = 'session-2';
const SEED = seedId(1);

const shown = (registry: ReturnType<typeof makeRegistry>['registry'], seed = SEED): string[] =>
	registry.query(seed).nodes.map(({ node }) => node);

test('an announced seed is listed, and a query returns its nodes with addresses', () => {
	const { registry } = makeRegistry();
	registry.nodeState(ANN, state(S1, 'ready', ['mqtt://10.0.0.1:1884']), false);
	registry.announce(SEED, ANN, announce(S1), false);
	registry.nodeState(BOB, state(S2), false);
	registry.announce(SEED, BOB, announce(S2, {}, 1), false);
	assert.equal(registry.seeds(), {
		seeds: [
			{ seed: SEED, name: 'a file.bin', length: 1_500, chunks: 3, seeders: 1, downloaders: 1 },
		],
	});
	const { nodes, ...counts } = registry.query(SEED);
	assert.equal(counts, { seeders: 1, downloaders: 1 });
	assert.equal(
		nodes.find(({ node }) => node === ANN),
		{ node: ANN, have: 3, chunks: 3, addresses: ['mqtt://10.0.0.1:1884'] },
	);
});

test('a folder is listed with index and files as in its oldest announce, and a file with neither', () => {
	const { registry } = makeRegistry();
	registry.nodeState(ANN, state(S1), false);
	registry.nodeState(BOB, state(S2), false);
	registry.announce(SEED, ANN, announce(S1, { index: 400, files: 7 }), false);
	registry.announce(SEED, BOB, announce(S2, { index: 500, files: 8 }), false);
	registry.announce(seedId(2), BOB, announce(S2), false);
	const [folder, file] = registry.seeds().seeds;
	assert.equal([folder?.index, folder?.files], [400, 7]);
	assert.not.ok('index' in (file ?? {}) || 'files' in (file ?? {}));
});

test('an announce whose index is longer than its content is not listed', () => {
	const { registry } = makeRegistry();
	registry.nodeState(ANN, state(S1), false);
	registry.announce(SEED, ANN, announce(S1, { index: 1_501, files: 7 }), false);
	assert.equal(registry.seeds(), { seeds: [] });
	registry.announce(SEED, ANN, announce(S1, { index: 1_500, files: 7 }), false);
	assert.is(registry.seeds().seeds.length, 1);
});

test('F18: an announce expires one ttl after it was received, by the clock of the registry', () => {
	const { registry, clock } = makeRegistry();
	registry.nodeState(ANN, state(S1), false);
	registry.announce(SEED, ANN, announce(S1), false);
	clock.advance(TTL - 1);
	assert.equal(registry.sweep(), []);
	assert.equal(shown(registry), [ANN]);
	clock.advance(1);
	const decisions = registry.sweep();
	assert.equal(forgottenOf(decisions), [`${ANN} ${SEED}`, ANN]);
	assert.equal(eventsOf(decisions), ['node-lost', 'seed-gone']);
	assert.equal(registry.size, { nodes: 0, seeds: 0, announces: 0 });
	assert.equal(registry.sweep(), [], 'once');
});

test('an announce may have a shorter ttl than the registry, but not a longer one', () => {
	const { registry, clock } = makeRegistry();
	registry.announce(SEED, ANN, announce(S1, { ttl: 1_000 }), false);
	registry.announce(seedId(2), ANN, announce(S1, { ttl: 10 * TTL }), false);
	clock.advance(1_000);
	assert.equal(forgottenOf(registry.sweep()), [`${ANN} ${SEED}`]);
	clock.advance(TTL - 1_000);
	assert.equal(forgottenOf(registry.sweep()), [`${ANN} ${seedId(2)}`, ANN]);
});

test('a matching update renews every announce of the node at once', () => {
	const { registry, clock } = makeRegistry();
	const seeds = [seedId(3), seedId(1), seedId(2)];
	registry.nodeState(ANN, state(S1), false);
	for (const seed of seeds) {
		registry.announce(seed, ANN, announce(S1), false);
	}
	for (let slot = 0; slot < 5; slot++) {
		clock.advance(TTL - 1);
		assert.equal(registry.update(ANN, status(S1, seeds)), { status: 'ok', refused: [] });
		assert.equal(registry.sweep(), []);
	}
	clock.advance(TTL);
	assert.is(forgottenOf(registry.sweep()).length, 4, 'three announces and the node');
});

test('an update with another session, number or set of seeds is answered with again, and renews nothing', () => {
	const { registry, clock } = makeRegistry();
	registry.announce(SEED, ANN, announce(S1), false);
	clock.advance(TTL - 1);
	const different = [
		status(S2, [SEED]),
		status(S1, []),
		status(S1, [seedId(2)]),
		status(S1, [SEED, seedId(2)]),
	];
	for (const each of different) {
		assert.is(registry.update(ANN, each).status, 'again');
	}
	assert.is(registry.update(BOB, status(S1, [])).status, 'again', 'an unknown node');
	clock.advance(1);
	assert.equal(forgottenOf(registry.sweep()), [`${ANN} ${SEED}`]);
});

test('the digest of an update must be that of the seeds announced now', () => {
	const { registry } = makeRegistry();
	registry.nodeState(ANN, state(S1), false);
	registry.announce(SEED, ANN, announce(S1), false);
	assert.is(registry.update(ANN, status(S1, [SEED])).status, 'ok');
	registry.announce(seedId(2), ANN, announce(S1), false);
	registry.withdraw(SEED, ANN);
	assert.is(registry.update(ANN, status(S1, [SEED])).status, 'again');
	assert.is(registry.update(ANN, status(S1, [seedId(2)])).status, 'ok');
});

test('a lost node is hidden at once, and its messages are cleared one ttl later', () => {
	const { registry, clock } = makeRegistry();
	registry.nodeState(ANN, state(S1), false);
	registry.announce(SEED, ANN, announce(S1), false);
	assert.equal(eventsOf(registry.nodeState(ANN, state(S1, 'lost'), false)), ['node-lost']);
	assert.equal(shown(registry), []);
	assert.equal(registry.seeds(), { seeds: [] });
	clock.advance(TTL - 1);
	assert.equal(registry.sweep(), []);
	clock.advance(1);
	assert.equal(forgottenOf(registry.sweep()), [`${ANN} ${SEED}`, ANN]);
	assert.equal(registry.size, { nodes: 0, seeds: 0, announces: 0 });
});

test('a late state lost or disconnected of an earlier session does not end a node that came back', () => {
	const { registry } = makeRegistry();
	registry.nodeState(ANN, state(S1), false);
	registry.nodeState(ANN, state(S2), false);
	registry.announce(SEED, ANN, announce(S2), false);
	assert.equal(registry.nodeState(ANN, state(S1, 'lost'), false), []);
	assert.equal(registry.nodeState(ANN, state(S1, 'disconnected'), false), []);
	assert.equal(shown(registry), [ANN]);
});

test('an announce that arrives after its node was lost does not bring the node back', () => {
	const { registry } = makeRegistry();
	registry.nodeState(ANN, state(S1), false);
	registry.nodeState(ANN, state(S1, 'lost'), false);
	assert.not(eventsOf(registry.announce(SEED, ANN, announce(S1), false)).includes('node-joined'));
	assert.equal(shown(registry), []);
});

test('a lost node returns with a new session and a matching update', () => {
	const { registry, clock } = makeRegistry();
	registry.nodeState(ANN, state(S1), false);
	registry.announce(SEED, ANN, announce(S1), false);
	registry.nodeState(ANN, state(S1, 'lost'), false);
	clock.advance(TTL / 2);
	assert.equal(eventsOf(registry.nodeState(ANN, state(S2), false)), ['node-joined']);
	assert.equal(shown(registry), [], 'the new session has sent no update yet');
	assert.is(registry.update(ANN, status(S2, [SEED])).status, 'ok');
	assert.equal(shown(registry), [ANN]);
	clock.advance(TTL - 1);
	assert.equal(registry.sweep(), []);
});

test('a live announce of another session makes that session the current one', () => {
	const { registry } = makeRegistry();
	registry.nodeState(ANN, state(S1), false);
	registry.nodeState(ANN, state(S1, 'lost'), false);
	const decisions = registry.announce(SEED, ANN, announce(S2), false);
	assert.equal(eventsOf(decisions), ['node-joined', 'seed-added']);
	assert.equal(shown(registry), [ANN]);
	assert.equal(registry.nodeState(ANN, state(S1, 'lost'), false), []);
});

test('a node that disconnects is removed at once, with all its messages', () => {
	const { registry } = makeRegistry();
	registry.nodeState(ANN, state(S1), false);
	registry.announce(SEED, ANN, announce(S1), false);
	const decisions = registry.nodeState(ANN, state(S1, 'disconnected'), false);
	assert.equal(eventsOf(decisions), ['node-left', 'seed-gone']);
	assert.equal(forgottenOf(decisions), [`${ANN} ${SEED}`, ANN]);
	assert.equal(registry.size, { nodes: 0, seeds: 0, announces: 0 });
	assert.equal(forgottenOf(registry.nodeState(BOB, state(S1, 'disconnected'), true)), [BOB]);
});

test('retained announces are listed after confirmed ones, cause no events, and expire after one ttl', () => {
	const { registry, clock } = makeRegistry();
	const found = [
		...registry.nodeState(ANN, state(S1), true),
		...registry.announce(SEED, ANN, announce(S1), true),
	];
	assert.equal(found, []);
	registry.nodeState(BOB, state(S2), false);
	registry.announce(SEED, BOB, announce(S2, {}, 1), false);
	assert.equal(shown(registry), [BOB, ANN]);
	clock.advance(TTL - 1);
	registry.update(BOB, status(S2, [SEED]));
	assert.equal(registry.sweep(), []);
	clock.advance(1);
	assert.equal(forgottenOf(registry.sweep()), [`${ANN} ${SEED}`, ANN]);
	assert.equal(shown(registry), [BOB]);
});

test('an update confirms the retained announces of a node', () => {
	const { registry, clock } = makeRegistry();
	registry.nodeState(ANN, state(S1), true);
	registry.announce(SEED, ANN, announce(S1), true);
	assert.is(registry.update(ANN, status(S1, [SEED])).status, 'ok');
	clock.advance(TTL - 1);
	assert.equal(registry.sweep(), []);
	assert.equal(shown(registry), [ANN]);
});

test('a retained announce is hidden unless its node is ready with the same session', () => {
	const { registry } = makeRegistry();
	registry.announce(SEED, ANN, announce(S1), true);
	assert.equal(shown(registry), [], 'no state');
	registry.nodeState(ANN, state(S2), true);
	assert.equal(shown(registry), [], 'another session');
	registry.nodeState(BOB, state(S1, 'lost'), true);
	registry.announce(SEED, BOB, announce(S1), true);
	assert.equal(shown(registry), [], 'lost');
});

test('a retained message that comes after a live one changes nothing', () => {
	const { registry } = makeRegistry();
	registry.nodeState(ANN, state(S2), false);
	registry.announce(SEED, ANN, announce(S2, {}, 2), false);
	registry.nodeState(ANN, state(S1, 'lost'), true);
	registry.nodeState(ANN, state(S1), true);
	registry.announce(SEED, ANN, announce(S1, {}, 1), true);
	assert.is(registry.query(SEED).nodes[0]?.have, 2);
});

test('after a reconnect of the tracker no node is confirmed, and a silent node is removed after one ttl', () => {
	const { registry, clock } = makeRegistry();
	registry.nodeState(ANN, state(S1), false);
	registry.nodeState(BOB, state(S2), false);
	clock.advance(TTL - 1);
	assert.equal(registry.sweep(), []);
	registry.disconnected();
	clock.advance(TTL);
	registry.connected();
	assert.equal(registry.sweep(), []);
	clock.advance(TTL - 1);
	registry.update(ANN, status(S1, []));
	clock.advance(1);
	const decisions = registry.sweep();
	assert.equal(forgottenOf(decisions), [BOB]);
	assert.equal(eventsOf(decisions), ['node-lost']);
});

test('a withdrawn announce is removed, and the last one of a seed causes the event seed-gone', () => {
	const { registry } = makeRegistry();
	registry.announce(SEED, ANN, announce(S1), false);
	registry.announce(SEED, BOB, announce(S2), false);
	assert.equal(registry.withdraw(SEED, ANN), []);
	assert.equal(eventsOf(registry.withdraw(SEED, BOB)), ['seed-gone']);
	assert.equal(registry.withdraw(SEED, BOB), []);
});

test('each change of a node or download causes one event', () => {
	const { registry } = makeRegistry();
	const events = [
		registry.nodeState(ANN, state(S1), false),
		registry.nodeState(ANN, state(S1), false),
		registry.announce(SEED, ANN, announce(S1, {}, 0), false),
		registry.announce(SEED, ANN, announce(S1, {}, 2), false),
		registry.announce(SEED, ANN, announce(S1, {}, 3), false),
		registry.announce(SEED, ANN, announce(S1, {}, 3), false),
		registry.announce(SEED, BOB, announce(S2, {}, 3), false),
	].map(eventsOf);
	assert.equal(events, [
		['node-joined'],
		[],
		['seed-added', 'download-started'],
		[],
		['download-complete'],
		[],
		['node-joined'],
	]);
});

test('two nodes that describe a seed differently are both listed, with the description of the first', () => {
	const { registry } = makeRegistry();
	registry.announce(SEED, ANN, announce(S1), false);
	registry.announce(SEED, BOB, announce(S2, { name: 'other', length: 600, chunks: 2 }, 1), false);
	assert.is(registry.seeds().seeds[0]?.name, 'a file.bin');
	assert.equal(shown(registry).sort(), [ANN, BOB]);
});

test('T14: names such as __proto__ are ordinary names', () => {
	const { registry } = makeRegistry();
	for (const id of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
		registry.nodeState(id, state(S1), false);
		registry.announce(SEED, id, announce(S1, { name: '__proto__' }), false);
		assert.is(registry.update(id, status(S1, [SEED])).status, 'ok');
	}
	assert.is(registry.query(SEED).seeders, 4);
	assert.is(registry.seeds().seeds[0]?.name, '__proto__');
});

test('a node whose will never comes is removed one ttl after its last message, also without announces', () => {
	const { registry, clock } = makeRegistry();
	registry.nodeState(ANN, state(S1), false);
	registry.nodeState(BOB, state(S2), false);
	clock.advance(TTL - 1);
	registry.update(ANN, status(S1, []));
	assert.equal(registry.sweep(), []);
	clock.advance(1);
	assert.equal(forgottenOf(registry.sweep()), [BOB]);
	assert.is(registry.size.nodes, 1);
});

test('a node whose state was lost has to repeat it, and a state after its announces counts', () => {
	const { registry } = makeRegistry();
	registry.nodeState(ANN, { ...state(S1, 'ready', ['mqtt://10.0.0.1:1']), seq: 7 }, false);
	registry.announce(SEED, ANN, announce(S1, { seq: 8 }), false);
	registry.announce(SEED, ANN, announce(S2, { seq: 2 }), false);
	assert.is(registry.update(ANN, status(S2, [SEED])).status, 'again');
	const late = { ...state(S2, 'ready', ['mqtt://10.0.0.2:1']), seq: 1 };
	assert.is(registry.nodeState(ANN, late, false).at(-1)?.do, 'notify');
	assert.equal(registry.query(SEED).nodes[0]?.addresses, ['mqtt://10.0.0.2:1']);
	assert.is(registry.update(ANN, status(S2, [SEED])).status, 'ok');
});

test('a state that comes after the will of its session does not bring the node back', () => {
	const { registry } = makeRegistry();
	registry.nodeState(ANN, state(S1), false);
	registry.announce(SEED, ANN, announce(S1), false);
	registry.nodeState(ANN, state(S1, 'lost'), false);
	registry.nodeState(ANN, state(S1), false);
	assert.equal(shown(registry), []);
});

test('a node with a new session is told the state of the tracker, once', () => {
	const { registry } = makeRegistry();
	const told = (decisions: readonly Decision[]): number =>
		decisions.filter(({ do: what }) => what === 'notify').length;
	assert.is(told(registry.nodeState(ANN, state(S1), false)), 1);
	assert.is(told(registry.nodeState(ANN, state(S1), false)), 0);
	assert.is(told(registry.nodeState(ANN, state(S2), false)), 1);
	assert.is(told(registry.nodeState(BOB, state(S1), true)), 0, 'it was only found retained');
});

test.run();
