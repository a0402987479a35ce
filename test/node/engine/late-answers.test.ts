import * as assert from 'uvu/assert';
import { MAX_RANGE } from '../../../protocol/index.ts';
import { seededRandom } from '../../helpers/harness/random.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { makeEngine, requestsIn } from '../../helpers/simulation/make-engine.ts';

const test = suite('answers to abandoned requests');
/** Bytes of a chunk, and of the first parts. */
const SIZE = 64 * 1024;
const CHUNKS = 64;
/** ms after which a node that has never answered times out. */
const TIMEOUT = 2_100;

/** An engine that has requested chunks from `slow`, which timed out, so that `other` was asked. */
function timedOut() {
	const engine = makeEngine({
		...{ chunks: CHUNKS, size: SIZE, mostPart: MAX_RANGE, mostOutstanding: 64 * MAX_RANGE },
		...{ mostStrikes: 1, random: seededRandom(1) },
	});
	const all = Array.from({ length: CHUNKS }, (_, chunk) => chunk);
	engine.nodeHas('slow', all);
	engine.rebound('slow', { isDirect: true, mostPart: MAX_RANGE });
	const [asked] = requestsIn(engine.decide(0), 'slow');
	engine.nodeHas('other', all);
	engine.rebound('other', { isDirect: true, mostPart: MAX_RANGE });
	const decisions = engine.decide(TIMEOUT);
	assert.ok(asked && asked.ranges.length > 1);
	assert.ok(decisions.some((each) => each.do === 'cancel' && each.node === 'slow'));
	return { engine, asked, again: requestsIn(decisions, 'other') };
}

test('a whole chunk is used, and the request to another node is cancelled', () => {
	const { engine, asked, again } = timedOut();
	const ranges = new Set(again.flatMap((each) => each.ranges.map(([offset]) => offset)));
	const [offset, length] = asked.ranges.find(([each]) => ranges.has(each)) ?? [0, 0];
	assert.is(length, SIZE, 'a chunk that was requested from both');
	const attempt = engine.received('slow', asked.request, offset, length, TIMEOUT + 10);
	assert.ok(attempt?.isWhole);
	assert.is(attempt?.node, 'slow');
	assert.is(engine.states.of(offset / SIZE), 'verifying');
	const cancelled = engine
		.decide(TIMEOUT + 10)
		.flatMap((each) => (each.do === 'cancel' && each.node === 'other' ? each.ranges : []));
	assert.equal(cancelled, [[offset, length]]);
	// The answer of the other node is of no use any more, and neither is the same one again.
	const [{ request } = { request: 0n }] = again;
	assert.is(engine.received('other', request, offset, length, TIMEOUT + 20), undefined);
	assert.is(engine.received('slow', asked.request, offset, length, TIMEOUT + 20), undefined);
});

test('a wrong chunk is charged to its node', () => {
	const { engine, asked } = timedOut();
	const [[offset, length] = [0, 0]] = asked.ranges;
	engine.received('slow', asked.request, offset, length, TIMEOUT + 10);
	assert.equal(engine.bad(offset / SIZE, 'slow'), [{ do: 'drop', node: 'slow' }]);
});

test('bytes that were not requested in exactly this way are ignored', () => {
	const { engine, asked } = timedOut();
	const { request, ranges } = asked;
	const [[offset, length] = [0, 0]] = ranges;
	const now = TIMEOUT + 10;
	assert.is(engine.received('other', request, offset, length, now), undefined);
	assert.is(engine.received('slow', request + 100n, offset, length, now), undefined);
	assert.is(engine.received('slow', request, offset, length - 1, now), undefined);
	assert.is(engine.received('slow', request, (CHUNKS - 1) * SIZE + offset, length, now), undefined);
});

test('after a lane was lost, answers that were on their way are ignored', () => {
	const { engine, asked } = timedOut();
	const [[offset, length] = [0, 0]] = asked.ranges;
	engine.disconnectedFrom('slow');
	assert.is(engine.received('slow', asked.request, offset, length, TIMEOUT + 10), undefined);
});

test('a chunk that has arrived from another node stays as it is', () => {
	const { engine, asked, again } = timedOut();
	const [{ request, ranges } = { request: 0n, ranges: [] }] = again;
	const both = ranges.find(([each]) => asked.ranges.some(([offset]) => offset === each));
	const [offset, length] = both ?? [0, 0];
	assert.ok(engine.received('other', request, offset, length, TIMEOUT + 10)?.isWhole);
	engine.stored(offset / SIZE);
	assert.is(engine.received('slow', asked.request, offset, length, TIMEOUT + 20), undefined);
	assert.is(engine.states.of(offset / SIZE), 'have');
});

test.run();
