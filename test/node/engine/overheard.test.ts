import fc from 'fast-check';
import * as assert from 'uvu/assert';
import type { Attempt } from '../../../node/engine/attempt.ts';
import type { Decision } from '../../../node/engine/decision.ts';
import type { DownloadEngine } from '../../../node/engine/download-engine.ts';
import { bytesOpen } from '../../../node/engine/remote-node.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { checkEngine } from '../../helpers/simulation/check-engine.ts';
import { makeEngine, requestsIn } from '../../helpers/simulation/make-engine.ts';

const test = suite('overheard chunks');
const KIB = 1024;
const SIZE = 256 * KIB;

const engineOf = (chunks: number, nodes: readonly string[], size = SIZE): DownloadEngine =>
	makeEngine({ chunks, size, nodes, mostPart: SIZE, mostOutstanding: 4 * KIB * KIB });

const cancels = (decisions: readonly Decision[]) =>
	decisions.filter((each) => each.do === 'cancel');

test('an overheard chunk that is missing is verified like a requested chunk', () => {
	const engine = engineOf(100, ['a']);
	const [{ attempt } = {}] = engine.overheard('a', 50 * SIZE, SIZE, 0);
	assert.is(attempt?.firstChunk, 50);
	assert.ok(attempt?.isOverheard);
	assert.is(engine.states.of(50), 'verifying');
	engine.stored(50);
	assert.equal(engine.overheard('a', 50 * SIZE, SIZE, 1), [], 'a second copy is of no use');
});

test('an overheard chunk answers an open request to its sender; a request to another node is cancelled', () => {
	const engine = engineOf(4, ['a']);
	engine.decide(0);
	assert.is(engine.states.of(0), 'assigned');
	const before = bytesOpen(engine.nodes.values());
	assert.is(engine.overheard('a', 0, SIZE, 5).length, 1);
	assert.is(bytesOpen(engine.nodes.values()), before - SIZE);
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

test('a node is not dropped for overheard chunks that are bad', () => {
	const engine = engineOf(10, ['a']);
	for (let chunk = 0; chunk < 5; chunk += 1) {
		engine.overheard('a', chunk * SIZE, SIZE, 0);
		engine.unheard(chunk);
		assert.is(engine.states.of(chunk), 'missing');
	}
	assert.not(engine.isDropped('a'));
});

test('each missing run of chunks in an overheard message is taken', () => {
	const engine = engineOf(64, ['a'], 512);
	for (const chunk of [3, 4, 9]) {
		engine.overheard('a', chunk * 512, 512, 0);
		engine.stored(chunk);
	}
	const runs = engine.overheard('a', 512, 512 * 11, 0);
	assert.equal(
		runs.map(({ attempt: { firstChunk, chunks } }) => [firstChunk, chunks]),
		[
			[1, 2],
			[5, 4],
			[10, 2],
		],
	);
});

test('overheard bytes are ignored if they come from an unknown node, exceed the content, or do not match the bounds of chunks', () => {
	const engine = engineOf(4, ['a']);
	assert.equal(engine.overheard('b', 0, SIZE, 0), []);
	assert.equal(engine.overheard('a', 3 * SIZE, 2 * SIZE, 0), []);
	assert.equal(engine.overheard('a', 100, SIZE, 0), []);
	assert.is(engine.states.count('missing'), 4);
});

test('no further chunks are requested while most chunks are overheard', () => {
	const engine = engineOf(1_000, ['a']);
	engine.decide(0);
	for (let chunk = 100; chunk < 400; chunk += 1) {
		engine.overheard('a', chunk * SIZE, SIZE, chunk);
		engine.stored(chunk);
	}
	assert.ok(bytesOpen(engine.nodes.values()) > 0);
	const before = bytesOpen(engine.nodes.values());
	engine.decide(500);
	assert.is(bytesOpen(engine.nodes.values()), before, 'no request is added');
});

/** Returns the chunks of all open attempts. */
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

test('whatever is overheard, a chunk has an open attempt exactly if it is assigned', () => {
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
				for (const { attempt } of engine.overheard(node, first * 32 * KIB, length, now)) {
					settle(engine, attempt, isGood);
				}
				const open = covered(engine);
				assert.is(open.size, engine.states.count('assigned'));
				assert.ok([...open].every((chunk) => engine.states.of(chunk) === 'assigned'));
			}
		}),
	);
});

const LARGE = 1024 * KIB;

test('a chunk larger than a part is assembled from overheard blocks, and only the other blocks are requested', () => {
	const engine = engineOf(4, ['a'], LARGE);
	const hear = (block: number) => engine.overheard('a', 2 * LARGE + block * SIZE, SIZE, 0);
	const [first] = hear(1);
	assert.equal(first?.ranges, [[2 * LARGE + SIZE, SIZE]]);
	assert.equal(hear(1), [], 'a second copy is of no use');
	assert.is(engine.states.of(2), 'assigned');
	hear(3);
	const requested = requestsIn(engine.decide(1)).flatMap(({ ranges }) => ranges);
	const inside = requested.filter(([offset]) => engine.states.of(Math.floor(offset / LARGE)));
	for (const [offset, length] of inside.filter(([offset]) => Math.floor(offset / LARGE) === 2)) {
		const block = Math.floor((offset - 2 * LARGE) / SIZE);
		assert.ok([0, 2].includes(block), `${offset} ${length}`);
		assert.is(Math.floor((offset + length - 1 - 2 * LARGE) / SIZE), block);
	}
	hear(0);
	const [last] = hear(2);
	assert.ok(last?.attempt.isWhole && last.attempt.isOverheard);
	assert.is(engine.states.of(2), 'verifying');
	engine.unheard(2);
	assert.is(engine.states.of(2), 'missing');
});

test('tiny overheard blocks are ignored, so a chunk is never assembled from thousands of pieces', () => {
	const engine = engineOf(4, ['a'], LARGE);
	for (let at = 0; at < LARGE; at += 2) {
		assert.equal(engine.overheard('a', at, 1, 0), []);
	}
	assert.is(engine.states.count('missing'), 4);
});

test('a node that begins many chunks and completes none can keep only a limited number of chunks assigned', () => {
	const engine = engineOf(100, ['a'], LARGE);
	for (let chunk = 0; chunk < 100; chunk += 1) {
		engine.overheard('a', chunk * LARGE, SIZE, 0);
	}
	assert.ok(engine.states.count('assigned') < 40, String(engine.states.count('assigned')));
});

type Range = readonly [offset: number, length: number];

/**
 * Makes the calls of a download to its engine, and checks that each byte of a chunk is taken once.
 */
class Receiver {
	readonly engine = engineOf(4, ['a', 'b'], LARGE);
	now = 0;
	readonly #open: { node: string; request: bigint; range: Range }[] = [];
	readonly #taken = new Map<Attempt, Range[]>();

	decide(): void {
		for (const decision of this.engine.decide(this.now)) {
			if (decision.do === 'request') {
				const { node, request, ranges } = decision;
				this.#open.push(...ranges.map((range) => ({ node, request, range })));
			}
		}
	}

	answer(which: number): void {
		const [next] = this.#open.splice(which % Math.max(1, this.#open.length), 1);
		if (next !== undefined) {
			const { node, request, range } = next;
			const attempt = this.engine.received(node, request, ...range, this.now);
			if (attempt !== undefined) {
				this.#take(attempt, [range]);
			}
		}
	}

	hear(node: string, offset: number, length: number): void {
		for (const { attempt, ranges } of this.engine.overheard(node, offset, length, this.now)) {
			this.#take(attempt, ranges);
		}
	}

	#take(attempt: Attempt, ranges: readonly Range[]): void {
		const all = [...(this.#taken.get(attempt) ?? []), ...ranges].sort(([a], [b]) => a - b);
		this.#taken.set(attempt, all);
		let at = attempt.offset;
		for (const [offset, length] of all) {
			assert.ok(offset >= at, 'no byte twice');
			at = offset + length;
		}
		const sum = all.reduce((bytes, [, length]) => bytes + length, 0);
		assert.is(attempt.isWhole, sum === attempt.length);
		const state = attempt.isWhole ? 'verifying' : 'assigned';
		assert.is(this.engine.states.of(attempt.firstChunk), state);
	}
}

test('each byte of a chunk is taken once, whatever is received or overheard', () => {
	const step = fc.oneof(
		fc.record({ wait: fc.constantFrom(10, 3_000) }),
		fc.record({ answer: fc.nat() }),
		fc.record({
			hear: fc.constantFrom('a', 'b'),
			chunk: fc.nat(3),
			from: fc.nat(15),
			blocks: fc.integer({ min: 1, max: 8 }),
		}),
	);
	fc.assert(
		fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
			const receiver = new Receiver();
			for (const each of steps) {
				receiver.now += 'wait' in each ? each.wait : 10;
				if ('hear' in each) {
					const offset = each.from * 64 * KIB;
					const length = Math.min(each.blocks * 64 * KIB, LARGE - offset);
					receiver.hear(each.hear, each.chunk * LARGE + offset, length);
				} else if ('answer' in each) {
					receiver.answer(each.answer);
				}
				receiver.decide();
				checkEngine(receiver.engine);
			}
		}),
	);
});

test.run();
