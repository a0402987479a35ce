import fc from 'fast-check';
import * as assert from 'uvu/assert';
import type { Attempt } from '../../../node/engine/attempt.ts';
import { CoDownloaders } from '../../../node/engine/co-downloaders.ts';
import type { Decision } from '../../../node/engine/decision.ts';
import { DownloadEngine } from '../../../node/engine/download-engine.ts';
import { Bitfield, Layout } from '../../../protocol/index.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('what is overheard');
const KIB = 1024;
const SIZE = 256 * KIB;

function engineOf(chunks: number, nodes: readonly string[], chunkSize = SIZE): DownloadEngine {
	let request = 0n;
	const engine = new DownloadEngine({
		coDownloaders: new CoDownloaders('downloader'),
		layout: new Layout(chunks * chunkSize, chunkSize),
		have: new Bitfield(chunks),
		order: 'rarest',
		mostPart: SIZE,
		mostOutstanding: 4 * KIB * KIB,
		mostStrikes: 2,
		mostRanges: 64,
		random: () => 0,
		requestId: () => {
			request += 1n;
			return request;
		},
	});
	for (const node of nodes) {
		engine.nodeHas(
			node,
			Array.from({ length: chunks }, (_, chunk) => chunk),
		);
	}
	return engine;
}

const cancels = (decisions: readonly Decision[]) =>
	decisions.filter((each) => each.do === 'cancel');

test('a chunk that is lacking is as good as asked for', () => {
	const engine = engineOf(100, ['a']);
	const [attempt] = engine.overheard('a', 50 * SIZE, SIZE, 0);
	assert.is(attempt?.firstChunk, 50);
	assert.ok(attempt?.isOverheard);
	assert.is(engine.states.of(50), 'verifying');
	engine.stored(50);
	assert.equal(engine.overheard('a', 50 * SIZE, SIZE, 1), [], 'and of no use a second time');
});

test('a wish of the same node is fulfilled, one of another is cancelled', () => {
	const engine = engineOf(4, ['a']);
	engine.decide(0);
	assert.is(engine.states.of(0), 'assigned');
	const before = engine.outstanding;
	assert.is(engine.overheard('a', 0, SIZE, 5).length, 1);
	assert.is(engine.outstanding, before - SIZE);
	assert.equal(cancels(engine.decide(5)), []);

	const two = engineOf(4, ['a', 'b']);
	two.decide(0);
	const [owner] = [...two.nodes.values()].filter(({ attempts }) => {
		return [...attempts].some(({ firstChunk }) => firstChunk === 0);
	});
	const other = owner?.id === 'a' ? 'b' : 'a';
	assert.is(two.overheard(other, 0, SIZE, 5).length, 1);
	const [cancel] = cancels(two.decide(5));
	assert.is(cancel?.do === 'cancel' && cancel.node, owner?.id);
});

test('what is wrong is charged to nobody', () => {
	const engine = engineOf(10, ['a']);
	for (let chunk = 0; chunk < 5; chunk += 1) {
		engine.overheard('a', chunk * SIZE, SIZE, 0);
		engine.unheard(chunk);
		assert.is(engine.states.of(chunk), 'missing');
	}
	assert.not(engine.isDropped('a'));
});

test('of a message that covers several runs, each that is lacking is taken', () => {
	const engine = engineOf(64, ['a'], 512);
	for (const chunk of [3, 4, 9]) {
		engine.overheard('a', chunk * 512, 512, 0);
		engine.stored(chunk);
	}
	const runs = engine.overheard('a', 512, 512 * 11, 0);
	assert.equal(
		runs.map(({ firstChunk, chunks }) => [firstChunk, chunks]),
		[
			[1, 2],
			[5, 4],
			[10, 2],
		],
	);
});

test('bytes of a stranger, beyond the end, or of no whole chunk are nothing', () => {
	const engine = engineOf(4, ['a']);
	assert.equal(engine.overheard('b', 0, SIZE, 0), []);
	assert.equal(engine.overheard('a', 3 * SIZE, 2 * SIZE, 0), []);
	assert.equal(engine.overheard('a', 100, SIZE - 100, 0), []);
	assert.is(engine.states.count('missing'), 4);
});

test('who hears much asks for little', () => {
	const engine = engineOf(1_000, ['a']);
	engine.decide(0);
	for (let chunk = 100; chunk < 400; chunk += 1) {
		engine.overheard('a', chunk * SIZE, SIZE, chunk);
		engine.stored(chunk);
	}
	assert.ok(engine.outstanding > 0);
	const before = engine.outstanding;
	engine.decide(500);
	assert.is(engine.outstanding, before, 'nothing is added to what is open');
});

/** The chunks that an open attempt is at. */
function covered(engine: DownloadEngine): Set<number> {
	const attempts = [...engine.nodes.values()].flatMap((node) => [...node.attempts]);
	const chunks = attempts.flatMap((attempt) => {
		return Array.from({ length: attempt.chunks }, (_, index) => attempt.firstChunk + index);
	});
	return new Set(chunks);
}

function settle(engine: DownloadEngine, { firstChunk, chunks }: Attempt, isGood: boolean): void {
	for (let chunk = firstChunk; chunk < firstChunk + chunks; chunk += 1) {
		isGood ? engine.stored(chunk) : engine.unheard(chunk);
	}
}

test('whatever is overheard, exactly the assigned chunks have an attempt', () => {
	const heard = fc.record({
		node: fc.constantFrom('a', 'b', 'c'),
		first: fc.nat({ max: 63 }),
		count: fc.integer({ min: 1, max: 8 }),
		isGood: fc.boolean(),
	});
	fc.assert(
		fc.property(fc.array(heard, { maxLength: 60 }), (all) => {
			const engine = engineOf(64, ['a', 'b'], 32 * KIB);
			for (const [step, { node, first, count, isGood }] of all.entries()) {
				const now = step * 10;
				engine.decide(now);
				const length = Math.min(count, 64 - first) * 32 * KIB;
				for (const attempt of engine.overheard(node, first * 32 * KIB, length, now)) {
					settle(engine, attempt, isGood);
				}
				const open = covered(engine);
				assert.is(open.size, engine.states.count('assigned'));
				assert.ok([...open].every((chunk) => engine.states.of(chunk) === 'assigned'));
			}
		}),
	);
});

test.run();
