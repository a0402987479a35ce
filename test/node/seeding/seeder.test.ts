import * as assert from 'uvu/assert';
import type { Storage } from '../../../node/storage/storage.ts';
import {
	Bitfield,
	type ByteRange,
	isShoalError,
	parseRequestId,
	ShoalError,
} from '../../../protocol/index.ts';
import { Peer, topics } from '../../helpers/adversaries/peer.ts';
import { contentOf, seedOf } from '../../helpers/fixtures/seeds.ts';
import { CHUNK, content, LENGTH, seed, startSeeder } from '../../helpers/harness/seeding.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('Seeder');

/** A storage whose reads fail with `code`. */
function failing(code: 'ERR_CHANGED' | 'ERR_IO'): Storage {
	return {
		read: () => Promise.reject(new ShoalError(code, 'as the test wants')),
		write: () => Promise.resolve(),
		check: () => {},
		close: () => Promise.resolve(),
	};
}

test('answers exactly the requested ranges, each with its header', async (t) => {
	const { peer, to } = await startSeeder(t);
	const ranges: ByteRange[] = [
		[0, 1],
		[511, 2],
		[1_000, 20_000],
		[LENGTH - 1, 1],
		[0, LENGTH],
	];
	const id = peer.ask(to, seed.id, ranges);
	await until('all answers', () => peer.chunks.length === ranges.length);
	for (const [index, [offset, length]] of ranges.entries()) {
		const { from, message } = peer.chunks[index] as (typeof peer.chunks)[0];
		assert.is(from, to);
		assert.is(message.of, 'content');
		assert.is(message.request, parseRequestId(id));
		assert.is(message.seed, seed.id);
		assert.is(message.offset, offset);
		assert.equal(
			Buffer.from(message.bytes),
			Buffer.from(content.subarray(offset, offset + length)),
		);
	}
	assert.equal(peer.replies, []);
});

test('answers requests for the body of the seed, and refuses ranges beyond its end', async (t) => {
	const { peer, to } = await startSeeder(t);
	const body = Buffer.from(seed.body());
	peer.ask(to, seed.id, [[3, body.length - 3]], { op: 'seed' });
	await until('the body', () => peer.chunks.length === 1);
	assert.is(peer.chunks[0]?.message.of, 'seed');
	assert.equal(Buffer.from(peer.chunks[0]?.message.bytes ?? []), body.subarray(3));
	peer.ask(to, seed.id, [[3, body.length - 2]], { op: 'seed' });
	await until('a refusal', () => peer.refusals.length === 1);
	assert.equal(peer.refusals, ['not-there']);
});

test('sends answers only to the inbox of the node that requested them (T11)', async (t) => {
	const { broker, peer, to } = await startSeeder(t);
	const victim = await Peer.join(t, broker.url);
	// A request in the name of the victim, which the broker does not forward.
	const liar = await Peer.join(t, broker.url);
	liar.link.send(
		topics.request(to, victim.id),
		new TextEncoder().encode(
			JSON.stringify({ op: 'chunks', id: '0'.repeat(16), seed: seed.id, ranges: [[0, LENGTH]] }),
		),
	);
	// A topic for the answer in the request is ignored.
	peer.link.send(
		topics.request(to, peer.id),
		new TextEncoder().encode(
			JSON.stringify({
				op: 'chunks',
				id: '1'.repeat(16),
				seed: seed.id,
				ranges: [[0, 100]],
				replyTo: topics.chunk(victim.id, to),
				from: victim.id,
			}),
		),
	);
	await until('the answer', () => peer.chunks.length === 1);
	assert.equal(victim.chunks, []);
	assert.equal(victim.replies, []);
	assert.is(broker.stats().refused.spoof, 1);
});

const REFUSED: Record<string, ByteRange[]> = {
	'that ends beyond the content': [[LENGTH - 10, 11]],
	'that starts beyond the content': [[LENGTH, 1]],
	'far outside the content': [[2 ** 41, 1_024]],
	'within the content and a range outside': [
		[0, 10],
		[LENGTH, 1],
	],
};

for (const [what, ranges] of Object.entries(REFUSED)) {
	test(`refuses the whole request if it has a range ${what}`, async (t) => {
		const { peer, to } = await startSeeder(t);
		const id = peer.ask(to, seed.id, ranges);
		await until('a refusal', () => peer.refusals.length === 1);
		const [refusal] = peer.repliesOf('refused');
		assert.equal(refusal, { op: 'refused', id, seed: seed.id, reason: 'not-there' });
		assert.equal(peer.chunks, []);
	});
}

test('refuses ranges of missing chunks, and answers them after the chunks are gained', async (t) => {
	const have = new Bitfield(seed.chunks);
	have.set(0);
	have.set(2);
	const { peer, to, context, holding } = await startSeeder(t, { have });
	peer.ask(to, seed.id, [[CHUNK - 1, 2]]);
	peer.ask(to, seed.id, [[0, CHUNK * 3]]);
	await until('two refusals', () => peer.refusals.length === 2);
	assert.equal(peer.refusals, ['not-there', 'not-there']);
	context.contents.gain(holding, 1);
	peer.ask(to, seed.id, [[0, CHUNK * 3]]);
	await until('the answer', () => peer.received === CHUNK * 3);
});

test('refuses all requests for a seed that it does not share', async (t) => {
	const { peer, to } = await startSeeder(t);
	const other = 'e'.repeat(64);
	peer.ask(to, other, [[0, 1]]);
	peer.ask(to, other, [[0, 1]], { op: 'seed' });
	peer.askHave(to, other);
	await until('three refusals', () => peer.refusals.length === 3);
	assert.equal(peer.refusals, ['not-shared', 'not-shared', 'not-shared']);
	peer.ask(to, other, [[0, 1]], { op: 'cancel' });
	peer.askHave(to, seed.id);
	await until('the next answer', () => peer.repliesOf('have').length === 1);
	assert.is(peer.refusals.length, 3);
});

test('answers a have request with name, length, chunks, kind and "all" for a complete content', async (t) => {
	const { peer, to } = await startSeeder(t);
	const id = peer.askHave(to, seed.id);
	await until('an answer', () => peer.replies.length === 1);
	const { name, length, chunks, kind } = seed;
	const part = 1_048_576;
	const about = { op: 'have', id, seed: seed.id, name, length, chunks, kind, part, have: 'all' };
	assert.equal(peer.repliesOf('have')[0], about);
});

test('answers a have request with the chunks of a partial content, and later sends the gained chunks', async (t) => {
	const have = new Bitfield(seed.chunks);
	have.set(1);
	have.set(195);
	const { peer, to, context, holding } = await startSeeder(t, { have });
	peer.askHave(to, seed.id);
	await until('an answer', () => peer.replies.length === 1);
	const [reply] = peer.repliesOf('have');
	const bits = Buffer.from(have.toBytes()).toString('base64');
	assert.equal(reply?.have, { first: 0, bits });
	for (const chunk of [7, 5, 6]) {
		context.contents.gain(holding, chunk);
	}
	await until('the news', () => peer.repliesOf('gained').length === 1);
	assert.equal(peer.repliesOf('gained')[0]?.runs, [[5, 3]]);
});

test('sends gained chunks only to nodes that have asked', async (t) => {
	const { broker, peer, to, context, holding } = await startSeeder(t, {
		have: new Bitfield(seed.chunks),
	});
	const wrongPeer = await Peer.join(t, broker.url);
	peer.askHave(to, seed.id);
	await until('an answer', () => peer.replies.length === 1);
	context.contents.gain(holding, 0);
	await until('the news', () => peer.repliesOf('gained').length === 1);
	assert.equal(wrongPeer.replies, []);
});

for (const [code, reason] of [
	['ERR_CHANGED', 'changed'],
	['ERR_IO', 'failed'],
] as const) {
	test(`if a read fails with ${code}, the request is refused as ${reason}, and the content is not shared any more`, async (t) => {
		const { peer, to, context, holding, broken } = await startSeeder(t);
		context.contents.remove(holding);
		context.contents.add({ ...holding, storage: failing(code) });
		const id = peer.ask(to, seed.id, [[0, 10]]);
		await until('a refusal', () => peer.refusals.length === 1);
		assert.equal(peer.repliesOf('refused')[0], { op: 'refused', id, seed: seed.id, reason });
		assert.ok(isShoalError(broken[0]?.error, code));
		peer.ask(to, seed.id, [[0, 10]]);
		await until('another refusal', () => peer.refusals.length === 2);
		assert.equal(peer.refusals, [reason, 'not-shared']);
		assert.equal(peer.chunks, []);
	});
}

test('other contents are served although one content fails', async (t) => {
	const { peer, to, context } = await startSeeder(t);
	const other = seedOf(contentOf(5_000));
	context.contents.add({ seed: other, have: Bitfield.full(10), storage: failing('ERR_IO') });
	peer.ask(to, other.id, [
		[0, 10],
		[10, 10],
	]);
	peer.ask(to, seed.id, [[0, 10]]);
	await until('the answer of the other', () => peer.received === 10);
	assert.ok(peer.refusals.every((reason) => reason === 'failed'));
});

test.run();
