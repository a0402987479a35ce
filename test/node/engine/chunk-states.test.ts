import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { type ChunkState, ChunkStates } from '../../../node/engine/chunk-states.ts';
import { Bitfield } from '../../../protocol/index.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('chunk states');
const STATES: readonly ChunkState[] = ['missing', 'assigned', 'verifying', 'have'];
const ALLOWED: ReadonlyArray<readonly [ChunkState, ChunkState]> = [
	['missing', 'assigned'],
	['assigned', 'missing'],
	['assigned', 'verifying'],
	['verifying', 'have'],
	['verifying', 'missing'],
];

function statesOf(size: number, have: readonly number[] = []): ChunkStates {
	const field = new Bitfield(size);
	for (const chunk of have) {
		field.set(chunk);
	}
	return new ChunkStates(field);
}

/** Moves chunk 0 to `state`, through the states before it. */
function bring(states: ChunkStates, state: ChunkState): void {
	const path: Record<ChunkState, ChunkState[]> = {
		missing: [],
		assigned: ['assigned'],
		verifying: ['assigned', 'verifying'],
		have: ['assigned', 'verifying', 'have'],
	};
	for (const step of path[state]) {
		states.move(0, step);
	}
}

test('only the listed changes of state are possible', () => {
	for (const from of STATES) {
		for (const to of STATES) {
			const states = statesOf(1);
			bring(states, from);
			const isAllowed = ALLOWED.some(([a, b]) => a === from && b === to);
			if (isAllowed) {
				states.move(0, to);
				assert.is(states.of(0), to);
			} else {
				assert.throws(() => states.move(0, to), /cannot go from/);
				assert.is(states.of(0), from);
			}
		}
	}
});

test('chunks that are there at the start have the state "have"', () => {
	const states = statesOf(4, [1, 3]);
	assert.equal(
		[0, 1, 2, 3].map((chunk) => states.of(chunk)),
		['missing', 'have', 'missing', 'have'],
	);
	assert.equal([...states.missing()], [0, 2]);
	assert.not(states.isComplete);
});

test('a content without chunks is complete', () => {
	assert.ok(statesOf(0).isComplete);
});

test('after any changes of state, each chunk is in one state, and the lists equal those of a model', () => {
	const move = fc.tuple(fc.nat({ max: 19 }), fc.constantFrom(...STATES));
	fc.assert(
		fc.property(fc.array(move, { maxLength: 200 }), (moves) => {
			const states = statesOf(20, [5]);
			const model = Array.from({ length: 20 }, (_, chunk): ChunkState => {
				return chunk === 5 ? 'have' : 'missing';
			});
			for (const [chunk, to] of moves) {
				if (ALLOWED.some(([from, next]) => from === model[chunk] && next === to)) {
					states.move(chunk, to);
					model[chunk] = to;
				}
			}
			assert.equal(
				model.map((_, chunk) => states.of(chunk)),
				model,
			);
			for (const state of STATES) {
				assert.is(states.count(state), model.filter((each) => each === state).length);
			}
			const missing = model.flatMap((state, chunk) => (state === 'missing' ? [chunk] : []));
			assert.equal([...states.missing()], missing);
			const drawn = missing.map((_, position) => states.missingAt(position));
			assert.equal(
				drawn.sort((a, b) => a - b),
				missing,
			);
			assert.is(
				states.isComplete,
				model.every((state) => state === 'have'),
			);
		}),
	);
});

test.run();
