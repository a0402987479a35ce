import * as assert from 'uvu/assert';
import { type Transfer, type Waiter, Waiting } from '../../../node/download/waits-for.ts';
import { Demand } from '../../../node/engine/demand.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { makeEngine } from '../../helpers/simulation/make-engine.ts';

const test = suite('what a download waits for');
const CHUNKS = 8;
const SIZE = 1_000;

/** A download of eight chunks; with readers, it fetches only what they need. */
function waitingOf(order: Waiter['order']) {
	const demand = new Demand();
	const engine = makeEngine({ chunks: CHUNKS, size: SIZE, order, demand });
	const content = { seed: { length: CHUNKS * SIZE, chunks: CHUNKS } };
	const waiting = new Waiting({
		...{ order, demand },
		lanes: { reaches: () => true },
		peers: { replies: [] },
	});
	return { waiting, demand, states: engine.states, transfer: { engine, content } as Transfer };
}

test('a download for readers rests while they have all that they need, and nothing is on its way', () => {
	const { waiting, demand, states, transfer } = waitingOf('demanded');
	assert.ok(waiting.rests(transfer), 'nobody reads');
	demand.set(test, { first: 2, count: 2 });
	assert.not(waiting.rests(transfer), 'two chunks are missing');
	for (const state of ['assigned', 'verifying'] as const) {
		states.move(2, state);
		states.move(3, state);
		assert.not(waiting.rests(transfer), state);
	}
	states.move(2, 'have');
	states.move(3, 'have');
	assert.ok(waiting.rests(transfer), 'the readers have what they need');
});

test('a download of everything rests only when nothing is missing', () => {
	const { waiting, states, transfer } = waitingOf('rarest');
	for (let chunk = 0; chunk < CHUNKS; chunk += 1) {
		assert.not(waiting.rests(transfer), `${chunk}`);
		for (const state of ['assigned', 'verifying', 'have'] as const) {
			states.move(chunk, state);
		}
	}
	assert.ok(waiting.rests(transfer));
});

test('a reason is told when it has lasted for more than a second', () => {
	const { waiting, states, transfer } = waitingOf('rarest');
	assert.is(waiting.reason(transfer, 5_000), undefined);
	assert.is(waiting.reason(transfer, 6_000), undefined);
	assert.is(waiting.reason(transfer, 6_001), 'chunks');
	states.move(0, 'assigned');
	assert.is(waiting.reason(transfer, 6_002), undefined, 'a chunk is on its way');
	states.move(0, 'missing');
	assert.is(waiting.reason(transfer, 6_003), undefined, 'the time begins anew');
	assert.is(waiting.reason(transfer, 7_004), 'chunks');
});

test.run();
