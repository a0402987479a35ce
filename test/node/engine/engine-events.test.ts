import fc from 'fast-check';
import * as assert from 'uvu/assert';
import type { Attempt } from '../../../node/engine/attempt.ts';
import { CoDownloaders } from '../../../node/engine/co-downloaders.ts';
import type { Decision } from '../../../node/engine/decision.ts';
import { DownloadEngine } from '../../../node/engine/download-engine.ts';
import { bytesOpen } from '../../../node/engine/remote-node.ts';
import { Bitfield, DEFAULT_LIMITS, Layout } from '../../../protocol/index.ts';
import { seededRandom } from '../../helpers/harness/random.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { checkEngine } from '../../helpers/simulation/check-engine.ts';

const test = suite('events of the download engine');
const KIB = 1024;
const CHUNKS = 24;
const NODES = ['a', 'b', 'c'];

/** A requested part, open or already answered. */
interface Wish {
	readonly node: string;
	readonly request: bigint;
	readonly offset: number;
	readonly length: number;
}

/** Feeds events to an engine, and keeps its own list of the chunks that are stored. */
class Driver {
	readonly engine: DownloadEngine;
	now = 0;
	readonly #wishes: Wish[] = [];
	readonly #verifying: Attempt[] = [];
	readonly #stored = new Set<number>();
	#requests = 0n;

	constructor(chunkSize: number, seed: number) {
		this.engine = new DownloadEngine({
			coDownloaders: new CoDownloaders('downloader'),
			layout: new Layout(CHUNKS * chunkSize - 7, chunkSize),
			have: new Bitfield(CHUNKS),
			order: 'rarest',
			mostPart: DEFAULT_LIMITS.part,
			mostOutstanding: DEFAULT_LIMITS.outstanding,
			mostStrikes: DEFAULT_LIMITS.badAnswers,
			mostRanges: DEFAULT_LIMITS.requestRanges,
			random: seededRandom(seed),
			requestId: () => {
				this.#requests += 1n;
				return this.#requests;
			},
		});
	}

	decide(ms: number): void {
		this.now += ms;
		this.#act(this.engine.decide(this.now));
	}

	/**
	 * Delivers a requested part, from its node or from the node `from`. With `isKept` it can be
	 * delivered again.
	 */
	answer(which: number, isKept: boolean, from?: string): void {
		const wish = this.#wishes[which % Math.max(1, this.#wishes.length)];
		if (wish !== undefined) {
			const { node, request, offset, length } = wish;
			const attempt = this.engine.received(from ?? node, request, offset, length, this.now);
			if (attempt?.isWhole) {
				this.#verifying.push(attempt);
			}
			if (!isKept) {
				this.#wishes.splice(this.#wishes.indexOf(wish), 1);
			}
		}
	}

	refuse(which: number, isBusy: boolean): void {
		const wish = this.#wishes[which % Math.max(1, this.#wishes.length)];
		if (wish !== undefined) {
			this.engine.refused(wish.node, wish.request, isBusy, this.now);
		}
	}

	settle(isGood: boolean): void {
		const attempt = this.#verifying.shift();
		for (let index = 0; index < (attempt?.chunks ?? 0); index += 1) {
			const chunk = (attempt as Attempt).firstChunk + index;
			if (isGood) {
				this.engine.stored(chunk);
				this.#stored.add(chunk);
			} else {
				this.#act(this.engine.bad(chunk, (attempt as Attempt).node));
			}
		}
	}

	/** Checks all invariants of the engine. */
	check(): void {
		checkEngine(this.engine);
		assert.equal(
			[...this.engine.states.have().indices()],
			[...this.#stored].sort((a, b) => a - b),
			'exactly the stored chunks count',
		);
		let twice = 0;
		for (const node of this.engine.nodes.values()) {
			for (const { rivals, length } of node.attempts) {
				twice += length * (1 - 1 / rivals.length);
			}
		}
		assert.ok(twice <= DEFAULT_LIMITS.outstanding, `${twice} bytes requested twice`);
	}

	/** Adds an honest node, which answers every request, and completes the download. */
	finish(): void {
		this.engine.nodeHas('honest', all());
		for (let round = 0; round < 2_000 && !this.engine.states.isComplete; round += 1) {
			this.decide(100);
			while (this.#wishes.length > 0) {
				const isAnswered = this.#wishes[0]?.node === 'honest';
				isAnswered ? this.answer(0, false) : this.#wishes.shift();
			}
			while (this.#verifying.length > 0) {
				this.settle(true);
			}
			this.check();
		}
		assert.ok(this.engine.states.isComplete, 'the download completes');
		assert.is(bytesOpen(this.engine.nodes.values()), 0);
	}

	#act(decisions: readonly Decision[]): void {
		for (const decision of decisions) {
			if (decision.do === 'request') {
				const { node, request, ranges } = decision;
				this.#wishes.push(...ranges.map(([offset, length]) => ({ node, request, offset, length })));
				const remote = this.engine.nodes.get(node);
				assert.ok(remote !== undefined, 'requests go only to known peers');
				assert.ok(remote.outstanding < remote.window.size + DEFAULT_LIMITS.part, 'window');
			}
		}
	}
}

function all(): number[] {
	return Array.from({ length: CHUNKS }, (_, chunk) => chunk);
}

const node = fc.constantFrom(...NODES);
const which = fc.nat({ max: 500 });
type Event = (driver: Driver) => void;
const event: fc.Arbitrary<Event> = fc.oneof(
	fc.nat({ max: 300 }).map(
		(ms): Event =>
			(driver) =>
				driver.decide(ms),
	),
	fc.constantFrom(600, 3_000, 20_000).map(
		(ms): Event =>
			(driver) =>
				driver.decide(ms),
	),
	which.map(
		(at): Event =>
			(driver) =>
				driver.answer(at, false),
	),
	which.map(
		(at): Event =>
			(driver) =>
				driver.answer(at, true),
	),
	fc.tuple(which, node).map(
		([at, from]): Event =>
			(driver) =>
				driver.answer(at, true, from),
	),
	fc.tuple(which, fc.boolean()).map(
		([at, isBusy]): Event =>
			(driver) =>
				driver.refuse(at, isBusy),
	),
	fc.constantFrom(true, true, false).map(
		(isGood): Event =>
			(driver) =>
				driver.settle(isGood),
	),
	node.map(
		(id): Event =>
			(driver) =>
				driver.engine.removeNode(id),
	),
	node.map(
		(id): Event =>
			(driver) =>
				driver.engine.nodeHas(id, all()),
	),
	fc.tuple(node, fc.array(fc.nat({ max: CHUNKS - 1 }), { maxLength: 8 })).map(
		([id, chunks]): Event =>
			(driver) =>
				driver.engine.nodeHas(id, chunks),
	),
	fc.constant<Event>((driver) => driver.engine.disconnected()),
);

test('for any events in any order, the invariants hold, and an honest node can complete the download', () => {
	fc.assert(
		fc.property(
			fc.array(event, { minLength: 1, maxLength: 150 }),
			fc.constantFrom(512, 64 * KIB, 256 * KIB, 1024 * KIB),
			fc.integer(),
			(events, chunkSize, seed) => {
				const driver = new Driver(chunkSize, seed);
				for (const happen of events) {
					happen(driver);
					driver.check();
				}
				driver.finish();
			},
		),
		{ numRuns: 300 },
	);
});

test.run();
