import * as assert from 'uvu/assert';
import type { ByteRange } from '../../../protocol/index.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { makeEngine, requestsIn } from '../../helpers/simulation/make-engine.ts';

const test = suite('known ranges of chunks');
const KIB = 1024;
const SIZE = 256 * KIB;

function engineOf(chunks: number, known: ReadonlyMap<number, readonly ByteRange[]>) {
	return makeEngine({
		...{ chunks, size: SIZE, nodes: ['a'], mostStrikes: 1, mostOutstanding: 4 * KIB * KIB },
		knownIn: ({ first, count }) =>
			Array.from({ length: count }, (_, at) => known.get(first + at) ?? []).flat(),
	});
}

test('only the ranges that are not known are requested, after the known bytes were put into the attempt', () => {
	const known = new Map<number, ByteRange[]>([
		[
			0,
			[
				[0, 50 * KIB],
				[100 * KIB, 100 * KIB],
			],
		],
	]);
	const engine = engineOf(1, known);
	const decisions = engine.decide(0);
	assert.equal(
		decisions.map((each) => each.do),
		['prefill', 'request'],
	);
	const [{ request = 0n, ranges = [] } = {}] = requestsIn(decisions);
	// Parts do not cross a multiple of 64 KiB while the window is small.
	assert.equal(ranges, [
		[50 * KIB, 14 * KIB],
		[64 * KIB, 36 * KIB],
		[200 * KIB, 56 * KIB],
	]);
	for (const [offset, length] of ranges) {
		assert.is(engine.states.of(0), 'assigned');
		engine.received('a', request, offset, length, 5);
	}
	assert.is(engine.states.of(0), 'verifying');
	engine.stored(0);
	assert.ok(engine.states.isComplete);
});

test('if the chunk is wrong, no node is dropped, and the chunk is requested whole', () => {
	const known = new Map<number, ByteRange[]>([[0, [[0, SIZE - KIB]]]]);
	const engine = engineOf(1, known);
	const [{ request = 0n } = {}] = requestsIn(engine.decide(0));
	const attempt = engine.received('a', request, SIZE - KIB, KIB, 5);
	assert.ok(attempt?.isOverheard);
	known.clear();
	engine.unheard(0);
	assert.not.ok(engine.isDropped('a'));
	const [{ ranges } = {}] = requestsIn(engine.decide(6));
	assert.is(
		ranges?.reduce((sum, [, length]) => sum + length, 0),
		SIZE,
	);
});

test.run();
