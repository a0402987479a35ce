import * as assert from 'uvu/assert';
import type { Registry } from '../../../broker/index.ts';
import { makeSession } from '../../../protocol/index.ts';
import { announce, makeRegistry, seedId, state, status } from '../../helpers/fixtures/registry.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('order of messages at the registry');
const ANN = 'node-ann1';
const TTL = 90_000;
const S1 = 'session-1';
const S2 = 'session-2';
const SEED = seedId(1);

test('a message of an earlier session changes nothing, however late it is, until the newer one was silent for one ttl', () => {
	const { registry, clock } = makeRegistry();
	const [older, newer] = [makeSession(), makeSession()];
	const late = (): void => {
		registry.nodeState(ANN, state(older), false);
		registry.announce(SEED, ANN, announce(older, {}, 1), false);
		registry.announce(seedId(2), ANN, announce(older), false);
		registry.nodeState(ANN, state(older, 'lost'), false);
		registry.nodeState(ANN, state(older, 'disconnected'), false);
	};
	registry.nodeState(ANN, state(newer), false);
	registry.announce(SEED, ANN, announce(newer), false);
	late();
	clock.advance(TTL / 2);
	late();
	assert.is(registry.query(SEED).nodes[0]?.have, 3);
	assert.is(registry.size.announces, 1);

	// The clock of the machine was set back, and the node was started again. Its updates do not make
	// the newer session look alive.
	assert.is(registry.update(ANN, status(older, [SEED])).status, 'again');
	clock.advance(TTL / 2);
	registry.sweep();
	registry.nodeState(ANN, state(older), false);
	registry.announce(SEED, ANN, announce(older, {}, 1), false);
	assert.is(registry.query(SEED).nodes[0]?.have, 1);
});

test('a node publishes everything again after a message of an earlier session, which the broker now retains', () => {
	const [older, newer] = [makeSession(), makeSession()];
	const lates: ReadonlyArray<(registry: Registry) => unknown> = [
		(registry) => registry.nodeState(ANN, state(older), false),
		(registry) => registry.nodeState(ANN, state(older, 'lost'), false),
		(registry) => registry.nodeState(ANN, state(S1, 'lost'), false),
		(registry) => registry.nodeState(ANN, state(older), true),
		(registry) => registry.announce(SEED, ANN, announce(older), false),
	];
	for (const late of lates) {
		const { registry } = makeRegistry();
		registry.nodeState(ANN, state(newer), false);
		registry.announce(SEED, ANN, announce(newer), false);
		assert.is(registry.update(ANN, status(newer, [SEED])).status, 'ok');
		late(registry);
		assert.is(registry.query(SEED).seeders, 1, 'others find it all the time');
		assert.is(registry.update(ANN, status(newer, [SEED])).status, 'again');
		registry.nodeState(ANN, { ...state(newer), seq: 9 }, false);
		registry.announce(SEED, ANN, announce(newer, { seq: 10 }), false);
		assert.is(registry.update(ANN, status(newer, [SEED])).status, 'ok');
	}
});

test('an announce that was overwritten is asked for until it comes, although the node publishes states meanwhile', () => {
	const [older, newer] = [makeSession(), makeSession()];
	const { registry } = makeRegistry();
	registry.nodeState(ANN, { ...state(newer), seq: 1 }, false);
	registry.announce(SEED, ANN, announce(newer, { seq: 2 }), false);
	registry.announce(SEED, ANN, announce(older), false);
	registry.nodeState(ANN, { ...state(newer), seq: 3 }, false);
	assert.is(registry.update(ANN, status(newer, [SEED])).status, 'again');
	registry.announce(SEED, ANN, announce(newer, { seq: 4 }), false);
	assert.is(registry.update(ANN, status(newer, [SEED])).status, 'ok');
	registry.announce(SEED, ANN, announce(older), false);
	registry.withdraw(SEED, ANN);
	assert.is(registry.update(ANN, status(newer, [])).status, 'ok');
});

test('a message that comes twice is not published again; an earlier one of the same session has overwritten it', () => {
	const { registry } = makeRegistry();
	const answer = (): string => registry.update(ANN, status(S1, [SEED])).status;
	const say = (seq: number): void => {
		registry.nodeState(ANN, { ...state(S1), seq }, false);
		registry.announce(SEED, ANN, announce(S1, { seq: seq + 1 }), false);
	};
	say(3);
	say(3);
	assert.is(answer(), 'ok');
	registry.nodeState(ANN, { ...state(S1), seq: 1 }, false);
	assert.is(answer(), 'again');
	say(5);
	assert.is(answer(), 'ok');
	registry.announce(SEED, ANN, announce(S1, { seq: 2 }), false);
	assert.is(answer(), 'again');
	say(7);
	assert.is(answer(), 'ok');
});

test('of two messages of a session, the one with the higher number counts', () => {
	const { registry } = makeRegistry();
	registry.nodeState(ANN, { ...state(S1), seq: 3, name: 'new' }, false);
	registry.nodeState(ANN, { ...state(S1), seq: 1, name: 'old' }, false);
	registry.announce(SEED, ANN, announce(S1, { seq: 9 }, 3), false);
	registry.announce(SEED, ANN, announce(S1, { seq: 8 }, 1), false);
	const [node] = registry.query(SEED).nodes;
	assert.equal([node?.name, node?.have], ['new', 3]);
	registry.nodeState(ANN, { ...state(S2), seq: 1, name: 'restarted' }, false);
	registry.announce(SEED, ANN, announce(S2, { seq: 2 }, 2), false);
	const [again] = registry.query(SEED).nodes;
	assert.equal([again?.name, again?.have], ['restarted', 2]);
});

test.run();
