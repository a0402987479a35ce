import * as assert from 'uvu/assert';
import { CoDownloaders } from '../../../node/engine/co-downloaders.ts';
import type { Decision } from '../../../node/engine/decision.ts';
import { Demand } from '../../../node/engine/demand.ts';
import { DownloadEngine } from '../../../node/engine/download-engine.ts';
import type { RemoteNode } from '../../../node/engine/remote-node.ts';
import { isTooSlow } from '../../../node/engine/too-slow.ts';
import { Bitfield, Layout, MAX_RANGE } from '../../../protocol/index.ts';
import { seededRandom } from '../../helpers/harness/random.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { makeEngine, type Request, requestsIn } from '../../helpers/simulation/make-engine.ts';

const test = suite('requests on direct lanes, with co-downloaders');
const SIZE = 256 * 1024;
const SHARE = MAX_RANGE / SIZE;
const SEEDER = 'seeder';

/** An engine with a seeder on a direct lane, and with co-downloaders that have nothing yet. */
function engineOf(chunks: number, others: readonly string[], self = 'downloader') {
	const coDownloaders = new CoDownloaders(self);
	coDownloaders.set(new Set(others));
	let request = 0n;
	const demand = new Demand();
	const engine = new DownloadEngine({
		coDownloaders,
		demand,
		layout: new Layout(chunks * SIZE, SIZE),
		have: new Bitfield(chunks),
		order: 'rarest',
		mostPart: MAX_RANGE,
		mostOutstanding: 64 * MAX_RANGE,
		mostStrikes: 2,
		mostRanges: 64,
		random: seededRandom(1),
		requestId: () => {
			request += 1n;
			return request;
		},
	});
	const all = Array.from({ length: chunks }, (_, chunk) => chunk);
	for (const node of [SEEDER, ...others]) {
		engine.nodeHas(node, node === SEEDER ? all : []);
		engine.rebound(node, { isDirect: true, mostPart: MAX_RANGE });
	}
	return { engine, coDownloaders, demand };
}

type Engine = DownloadEngine;

const isCancel = (each: Decision): boolean => each.do === 'cancel';

/** Answers requests after `took` ms, and has the finished chunks stored. */
function answer(engine: Engine, requests: readonly Request[], now: number): void {
	for (const { node, request, ranges } of requests) {
		for (const [offset, length] of ranges) {
			const attempt = engine.received(node, request, offset, length, now);
			for (let index = 0; attempt?.isWhole && index < attempt.chunks; index += 1) {
				engine.stored(attempt.firstChunk + index);
			}
		}
	}
}

test('a node first requests its own shares, in long runs that stay within one share', () => {
	const { engine, coDownloaders } = engineOf(16_384, ['one', 'two', 'three']);
	const seen: [chunk: number, count: number][] = [];
	let decisions = engine.decide(0);
	for (let now = 10; now < 130; now += 10) {
		const requests = requestsIn(decisions, SEEDER);
		for (const [offset, length] of requests.flatMap(({ ranges }) => ranges)) {
			seen.push([Math.floor(offset / SIZE), Math.ceil(length / SIZE)]);
		}
		answer(engine, requests, now);
		decisions = engine.decide(now);
	}
	for (const [chunk, count] of seen) {
		const share = Math.floor(chunk / SHARE);
		assert.is(coDownloaders.rankOf(share, 16_384 / SHARE), 0, `chunk ${chunk}`);
		assert.is(Math.floor((chunk + count - 1) / SHARE), share, `${count} chunks from ${chunk}`);
	}
	assert.is(Math.max(...seen.map(([, count]) => count)), SHARE, 'a whole share in one range');
});

test('each node begins with another of its shares, so that a seeder of many is asked for all parts of the content', () => {
	const begins = ['one', 'two', 'three', 'four'].map((self) => {
		const requests = requestsIn(engineOf(64, ['other'], self).engine.decide(0), SEEDER);
		const offset = requests[0]?.ranges[0]?.[0] ?? Number.NaN;
		return Math.floor((4 * offset) / (64 * SIZE));
	});
	assert.ok(new Set(begins).size > 2, `${begins} of four quarters`);
});

test('a run for a reader begins with the chunk that the reader needs', () => {
	const { engine, demand } = engineOf(16_384, ['one', 'two', 'three']);
	let decisions = engine.decide(0);
	for (let now = 10; now < 130; now += 10) {
		answer(engine, requestsIn(decisions, SEEDER), now);
		decisions = engine.decide(now);
	}
	answer(engine, requestsIn(decisions, SEEDER), 130);
	const chunk = [...Array(16_384).keys()].findIndex((each) => {
		const isOpen = (one: number): boolean => engine.states.of(one) === 'missing';
		return each % SHARE === 2 && [-2, -1, 0, 1].every((step) => isOpen(each + step));
	});
	demand.set({}, { first: chunk, count: 2 });
	const ranges = requestsIn(engine.decide(130), SEEDER).flatMap((each) => each.ranges);
	assert.equal(ranges[0], [chunk * SIZE, 2 * SIZE]);
});

test('a request that a complete node lets wait goes to a co-downloader that has the chunk by now', () => {
	const { engine } = engineOf(256, ['one']);
	// The first window is one chunk; after its answer, several chunks are requested.
	answer(engine, requestsIn(engine.decide(0), SEEDER), 0);
	const [first] = requestsIn(engine.decide(0), SEEDER);
	assert.ok(first && first.ranges.length > 1);
	// One chunk arrives, so that the usual time of an answer is known. The others wait.
	const [offset = 0] = first.ranges[0] ?? [];
	const own = first.ranges.filter(
		([each]) => Math.floor(each / SIZE) === Math.floor(offset / SIZE),
	);
	answer(engine, [{ ...first, ranges: own }], 50);
	const waiting = engine.nodes.get(SEEDER)?.attempts ?? new Set();
	const chunk = [...waiting].find(({ isUntouched }) => isUntouched)?.firstChunk as number;
	engine.nodeHas('one', [chunk]);
	assert.not(engine.decide(100).some(isCancel), 'the seeder may answer soon');
	const later = engine.decide(400);
	assert.ok(later.some((each) => isCancel(each) && 'node' in each && each.node === SEEDER));
	const asked = requestsIn(later, 'one').flatMap(({ ranges }) => ranges);
	assert.ok(
		asked.some(([each]) => Math.floor(each / SIZE) === chunk),
		`chunk ${chunk}`,
	);
});

test('a request that a complete node passes over goes to a co-downloader that has the chunk, without a long wait', () => {
	const { engine } = engineOf(256, ['one']);
	answer(engine, requestsIn(engine.decide(0), SEEDER), 0);
	const [request] = requestsIn(engine.decide(0), SEEDER);
	const { ranges } = request as Request;
	const chunkOf = ([offset]: readonly [number, number]): number => Math.floor(offset / SIZE);
	const chunk = chunkOf(ranges[0] as [number, number]);
	const later = ranges.filter((range) => chunkOf(range) !== chunk);
	assert.ok(later.length > 1);
	engine.nodeHas('one', [chunk]);
	assert.not(engine.decide(60).some(isCancel), 'the seeder may answer soon');
	answer(engine, [{ ...(request as Request), ranges: later }], 100);
	const decisions = engine.decide(120);
	assert.ok(decisions.some((each) => isCancel(each) && 'node' in each && each.node === SEEDER));
	const asked = requestsIn(decisions, 'one').flatMap((each) => each.ranges);
	assert.ok(asked.some((range) => chunkOf(range) === chunk));
});

test('news of chunks is useful if one of them is missing here and new to the node', () => {
	const { engine } = engineOf(8, ['one']);
	engine.states.move(3, 'assigned');
	assert.is(engine.nodeHas('one', [3]), false);
	assert.is(engine.nodeHas('one', [3, 4]), true);
	assert.is(engine.nodeHas('one', [3, 4]), false);
});

test('a complete node is not asked for chunks that co-downloaders have, while enough is open', () => {
	const { engine, coDownloaders } = engineOf(1_024, ['one']);
	const ours = Array.from({ length: 1_024 }, (_, chunk) => chunk).filter(
		(chunk) => coDownloaders.rankOf(Math.floor(chunk / SHARE), 1_024 / SHARE) === 0,
	);
	const held = new Set(ours.slice(0, ours.length / 2));
	engine.nodeHas('one', held);
	let decisions = engine.decide(0);
	const asked: number[] = [];
	for (let now = 10; now < 200; now += 10) {
		const requests = requestsIn(decisions, SEEDER);
		asked.push(
			...requests.flatMap(({ ranges }) => ranges.map(([offset]) => Math.floor(offset / SIZE))),
		);
		answer(engine, requests, now);
		decisions = engine.decide(now);
	}
	assert.ok(asked.length > 10);
	assert.equal(
		asked.filter((chunk) => held.has(chunk)),
		[],
	);
});

/**
 * How many of `count` complete nodes have open requests, if all missing chunks are assigned to a
 * co-downloader, which has nothing yet.
 */
function askedOfComplete(count: number): number {
	const chunks = 4_096;
	const { engine, coDownloaders } = engineOf(chunks, ['one']);
	for (let chunk = 0; chunk < chunks; chunk += 1) {
		if (coDownloaders.rankOf(Math.floor(chunk / SHARE), chunks / SHARE) === 0) {
			engine.states.move(chunk, 'assigned');
		}
	}
	for (let node = 1; node < count; node += 1) {
		engine.nodeHas(`seeder-${node}`, Bitfield.full(chunks).indices());
		engine.rebound(`seeder-${node}`, { isDirect: true, mostPart: MAX_RANGE });
	}
	let decisions = engine.decide(0);
	for (let now = 10; now < 60; now += 10) {
		const nodes = [...engine.nodes.keys()];
		answer(
			engine,
			nodes.flatMap((node) => requestsIn(decisions, node)),
			now,
		);
		decisions = engine.decide(now);
	}
	return [...engine.nodes.values()].filter(({ outstanding }) => outstanding > 0).length;
}

test('if most peers are complete, chunks that co-downloaders are about to get are requested from all of them', () => {
	assert.is(askedOfComplete(2), 2);
	assert.is(askedOfComplete(5), 5);
});

/** The co-downloaders of a download of 8 chunks: one node, `fast`. */
function withFast(): CoDownloaders {
	const coDownloaders = new CoDownloaders('downloader');
	coDownloaders.add('fast');
	return coDownloaders;
}

/**
 * Chunks that are requested from a seeder that is too slow, while the co-downloader `fast` is busy
 * with other chunks. It has all 8 chunks but `lacking`.
 */
function askedOfSlow(lacking: number | undefined, isDirect = true): number[] {
	const engine = makeEngine({ chunks: 8, size: SIZE, coDownloaders: withFast() });
	engine.nodeHas(
		'fast',
		[...Bitfield.full(8).indices()].filter((chunk) => chunk !== lacking),
	);
	engine.rebound('fast', { isDirect: true, mostPart: SIZE });
	engine.nodes.get('fast')?.window.onAnswer(SIZE, 0, 100);
	assert.ok(requestsIn(engine.decide(100), 'fast').length > 0);
	engine.nodeHas(SEEDER, Bitfield.full(8).indices());
	engine.rebound(SEEDER, { isDirect, mostPart: SIZE });
	const seeder = engine.nodes.get(SEEDER) as RemoteNode;
	seeder.window.onAnswer(SIZE, 0, 30_000);
	const missing = engine.states.count('missing') * SIZE;
	assert.ok(missing > 0);
	assert.ok(isTooSlow(seeder, engine.nodes, { chunkSize: SIZE, missing }));
	const requests = requestsIn(engine.decide(101), SEEDER);
	const asked = requests.flatMap(({ ranges }) => ranges.map(([at]) => Math.floor(at / SIZE)));
	return [...new Set(asked)];
}

test('an own chunk that only a seeder on a direct lane has is requested from it although it is too slow', () => {
	const ranks = Array.from({ length: 8 }, (_, chunk) => withFast().rankOf(chunk, 8));
	const own = ranks.indexOf(0);
	const other = ranks.indexOf(1);
	assert.ok(own >= 0 && other >= 0);
	assert.equal(askedOfSlow(own), [own]);
	assert.equal(askedOfSlow(other), [], 'it is assigned to the other node');
	assert.equal(askedOfSlow(undefined), [], 'another node has it');
	assert.equal(askedOfSlow(own, false), [], 'the seeder is on the broker lane');
});

test.run();
