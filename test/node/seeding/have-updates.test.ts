import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { HaveUpdates } from '../../../node/seeding/have-updates.ts';
import { decodeReply, type NodeReply } from '../../../protocol/index.ts';
import { fakeClock } from '../../helpers/harness/clock.ts';
import { nothingLeftOpen, openResources } from '../../helpers/harness/open-resources.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('HaveUpdates');
const A = 'a'.repeat(64);
const B = 'b'.repeat(64);
const MIB = 1024 * 1024;
/** Bytes of a chunk, so few that a batch is sent because of its time, not of its size. */
const SMALL = 1;

function makeNews(t: Scope) {
	const told: Array<{ to: string; reply: Extract<NodeReply, { op: 'gained' }>; at: number }> = [];
	const clock = fakeClock();
	const news = new HaveUpdates((to, update) => {
		const reply = decodeReply(update);
		assert.is(reply.op, 'gained');
		told.push({ to, reply: reply as (typeof told)[0]['reply'], at: performance.now() });
	}, clock.now);
	t.defer(() => news.close());
	return { told, clock, news };
}

test('chunks that are gained at about the same time are reported in one message, as runs', async (t) => {
	const { told, news } = makeNews(t);
	news.subscribe(A, 'reader');
	for (const chunk of [5, 3, 9, 4, 10]) {
		news.gained(A, chunk, SMALL);
	}
	assert.is(told.length, 0);
	await until('the news', () => told.length > 0);
	const [only] = told;
	assert.is(told.length, 1);
	assert.is(only?.to, 'reader');
	assert.equal(only?.reply, {
		op: 'gained',
		seed: A,
		runs: [
			[3, 3],
			[9, 2],
		],
	});
});

test('a batch is sent at once when it has four mebibytes for each reader', (t) => {
	const { told, news } = makeNews(t);
	news.subscribe(A, 'one');
	news.subscribe(A, 'two');
	news.gained(A, 1, 4 * MIB);
	assert.is(told.length, 0);
	news.gained(A, 2, 4 * MIB);
	assert.equal(
		told.map(({ to, reply }) => [to, reply.runs]),
		[
			['one', [[1, 2]]],
			['two', [[1, 2]]],
		],
	);
	news.gained(A, 3, 7 * MIB);
	assert.is(told.length, 2);
});

test('a chunk that is new to the swarm is reported soon, together with those before it', async (t) => {
	const { told, news } = makeNews(t);
	news.subscribe(A, 'reader');
	news.gained(A, 1, SMALL);
	// Timers fire in the order in which they are due, also on a busy machine.
	let isLate = false;
	const timer = setTimeout(() => {
		isLate = true;
	}, 250);
	t.defer(() => clearTimeout(timer));
	news.gained(A, 2, SMALL, true);
	await until('the news', () => told.length > 0 || isLate);
	assert.not(isLate);
	assert.equal(told[0]?.reply.runs, [[1, 2]]);
});

test('each reader gets updates only for the seeds to which it has subscribed', async (t) => {
	const { told, news } = makeNews(t);
	news.subscribe(A, 'one');
	news.subscribe(A, 'two');
	news.subscribe(B, 'two');
	news.gained(A, 1, SMALL);
	news.gained(B, 2, SMALL);
	news.gained('c'.repeat(64), 3, SMALL);
	await until('the news', () => told.length >= 3);
	const list = told.map(({ to, reply }) => `${to} ${reply.seed[0]} ${reply.runs}`);
	assert.equal(list.sort(), ['one a 1,1', 'two a 1,1', 'two b 2,1']);
});

test('a reader gets no updates for chunks from before its subscription', async (t) => {
	const { told, news } = makeNews(t);
	news.gained(A, 1, SMALL);
	news.subscribe(A, 'reader');
	news.gained(A, 2, SMALL);
	await until('the news', () => told.length > 0);
	assert.equal(told[0]?.reply.runs, [[2, 1]]);
});

test('a subscription ends after ten seconds without renewal', async (t) => {
	const { told, news, clock } = makeNews(t);
	news.subscribe(A, 'short');
	news.subscribe(A, 'long');
	clock.advance(9_000);
	news.subscribe(A, 'long');
	clock.advance(1_500);
	news.gained(A, 1, SMALL);
	await until('the news', () => told.length > 0);
	assert.equal(
		told.map(({ to }) => to),
		['long'],
	);
	clock.advance(10_000);
	const before = openResources();
	news.gained(A, 2, SMALL);
	await nothingLeftOpen(before);
	assert.is(told.length, 1);
});

test('small batches are sent at most every quarter of a second', async (t) => {
	const { told, news } = makeNews(t);
	news.subscribe(A, 'reader');
	const start = performance.now();
	for (let chunk = 0; told.length < 3; chunk += 1) {
		news.gained(A, chunk, SMALL);
		await new Promise((resolve) => setTimeout(resolve, 5));
	}
	assert.ok(performance.now() - start > 700);
});

test('many runs are sent in several messages of limited length', async (t) => {
	const { told, news } = makeNews(t);
	news.subscribe(A, 'reader');
	for (let chunk = 0; chunk < 5_000; chunk += 2) {
		news.gained(A, chunk, SMALL);
	}
	await until('the news', () => told.length >= 3);
	assert.equal(
		told.map(({ reply }) => reply.runs.length),
		[1_000, 1_000, 500],
	);
});

test('the runs contain exactly the gained chunks', async (t) => {
	const { told, news } = makeNews(t);
	const sets = fc.sample(fc.uniqueArray(fc.nat(60), { minLength: 1 }), 30);
	for (const [index, chunks] of sets.entries()) {
		const seed = index.toString(16).padStart(64, '0');
		news.subscribe(seed, 'reader');
		for (const chunk of chunks) {
			news.gained(seed, chunk, SMALL);
		}
	}
	await until('the news', () => told.length === sets.length);
	for (const { reply } of told) {
		const chunks = sets[Number.parseInt(reply.seed, 16)] as number[];
		const listed = reply.runs.flatMap(([first, count]) =>
			Array.from({ length: count }, (_, index) => first + index),
		);
		assert.equal(
			listed,
			[...chunks].sort((a, b) => a - b),
		);
	}
});

test('after close no update is sent, and no timer is left', async (t) => {
	const { told, news } = makeNews(t);
	const before = openResources();
	news.subscribe(A, 'reader');
	news.gained(A, 1, SMALL);
	news.close();
	await nothingLeftOpen(before);
	news.gained(A, 2, SMALL);
	assert.is(told.length, 0);
});

test.run();
