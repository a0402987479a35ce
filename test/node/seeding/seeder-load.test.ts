import * as assert from 'uvu/assert';
import { Listener } from '../../../broker/index.ts';
import type { Lane } from '../../../node/lanes/lane.ts';
import { MemoryStorage } from '../../../node/storage/memory-storage.ts';
import {
	Bitfield,
	type ByteRange,
	type Payload,
	parseRequestId,
	partsOf,
	resolveLimits,
} from '../../../protocol/index.ts';
import { Peer, topics } from '../../helpers/adversaries/peer.ts';
import { connectRaw, messagesOf, subscribePacket } from '../../helpers/adversaries/raw-client.ts';
import { contentOf, seedOf } from '../../helpers/fixtures/seeds.ts';
import { nothingLeftOpen, openResources } from '../../helpers/harness/open-resources.ts';
import { seed, startSeeder } from '../../helpers/harness/seeding.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('Seeder under load');
const MIB = 1024 * 1024;

/** A direct lane to a node that reads only while its socket is not paused. */
async function openLane(t: Scope) {
	let lane: Lane | undefined;
	const listener = await Listener.start({
		...{ id: 'listener-1', host: '127.0.0.1', port: 0, topics, limits: resolveLimits() },
		admit: () => {},
		onMessage: () => {},
	});
	t.defer(() => listener.close());
	listener.on('joined', (peer) => {
		lane = Object.assign(peer, { kind: 'direct' as const });
	});
	const id = 'neighbour-1';
	const client = await connectRaw(t, listener.address.port, id);
	client.socket.write(subscribePacket(topics.inboxFilter(id)));
	await until('the lane is open', () => lane !== undefined);
	return { id, client, lane: lane as unknown as Lane };
}

test('refuses a range larger than the broker carries, so the broker does not disconnect it', async (t) => {
	let downs = 0;
	const large = contentOf(1_048_576);
	const largeSeed = seedOf(large, { chunkSize: 262_144 });
	const { broker, context, peer, to } = await startSeeder(t, { part: 262_144 });
	context.link.on('down', () => {
		downs += 1;
	});
	const storage = new MemoryStorage(large.length);
	await storage.write(0, large);
	context.contents.add({ seed: largeSeed, have: Bitfield.full(4), storage });
	peer.ask(to, largeSeed.id, [[0, 262_145]]);
	peer.ask(to, largeSeed.id, [[0, 1_048_576]]);
	await until('two refusals', () => peer.refusals.length === 2);
	peer.ask(to, largeSeed.id, [[0, 262_144]]);
	await until('the largest part', () => peer.received === 262_144);
	assert.is(downs, 0);
	assert.equal(peer.refusals, ['not-there', 'not-there']);
	assert.is(broker.stats().cut, 0);
});

test('refuses requests beyond the queue limit of a downloader as busy, and still serves other downloaders', async (t) => {
	const { broker, peer, to } = await startSeeder(t, { maxUp: 5_000, limits: { requestQueue: 10 } });
	const ranges = Array.from({ length: 10 }, (_, index): ByteRange => [index * 1_000, 1_000]);
	peer.ask(to, seed.id, ranges);
	// With a rate limit, the first range is read ahead and does not count for the queue any more.
	peer.ask(to, seed.id, ranges.slice(0, 1));
	peer.ask(to, seed.id, ranges.slice(0, 5));
	await until('a refusal', () => peer.refusals.length > 0);
	assert.equal(peer.refusals, ['busy']);
	const other = await Peer.join(t, broker.url);
	other.ask(to, seed.id, ranges);
	await until('its first bytes', () => other.chunks.length > 0);
	assert.equal(other.refusals, []);
});

test('answers a request once although it arrives a thousand times while it waits', async (t) => {
	const { peer, to } = await startSeeder(t, { maxUp: 20_000 });
	const ranges = Array.from({ length: 8 }, (_, index): ByteRange => [index * 1_000, 1_000]);
	const id = '0123456789abcdef';
	for (let time = 0; time < 1_000; time += 1) {
		peer.ask(to, seed.id, ranges, { id });
	}
	// The answer to this request shows that all requests before it have been read.
	peer.askHave(to, seed.id);
	await until('all have been read', () => peer.repliesOf('have').length === 1);
	const before = peer.chunks.length;
	await until('each has been answered', () => {
		return new Set(peer.chunks.map(({ message }) => message.offset)).size === ranges.length;
	});
	await new Promise((resolve) => setTimeout(resolve, 1_000));
	// Each waiting range once, and the ranges that were read ahead.
	assert.ok(peer.chunks.length - before <= ranges.length + 2, `${peer.chunks.length - before}`);
	assert.equal(peer.refusals, []);
});

test('does not send cancelled ranges', async (t) => {
	const { peer, to } = await startSeeder(t, { maxUp: 10_000 });
	const ranges = Array.from({ length: 40 }, (_, index): ByteRange => [index * 1_000, 1_000]);
	const id = peer.ask(to, seed.id, ranges);
	const other = peer.ask(to, seed.id, [[90_000, 10]]);
	peer.ask(to, seed.id, ranges.slice(1), { op: 'cancel', id });
	await until('the other one', () =>
		peer.chunks.some(({ message }) => message.request === parseRequestId(other)),
	);
	// Ranges that were read ahead cannot be cancelled.
	assert.ok(peer.chunks.length <= 6, `${peer.chunks.length}`);
	assert.equal(peer.refusals, []);
});

test('ignores a cancel from a node that did not send the request', async (t) => {
	const { broker, peer, to } = await startSeeder(t, { maxUp: 50_000 });
	const ranges = Array.from({ length: 20 }, (_, index): ByteRange => [index * 500, 500]);
	const id = peer.ask(to, seed.id, ranges);
	const other = await Peer.join(t, broker.url);
	other.ask(to, seed.id, ranges, { op: 'cancel', id });
	await until('all of it', () => peer.received === 10_000);
});

test('serves two downloaders in turn, so a small request does not wait for a large one', async (t) => {
	const { broker, peer, to } = await startSeeder(t, { maxUp: 100_000 });
	const ranges = Array.from({ length: 60 }, (_, index): ByteRange => [index * 1_000, 1_000]);
	peer.ask(to, seed.id, ranges);
	await until('it has begun', () => peer.chunks.length > 0);
	const modest = await Peer.join(t, broker.url);
	const before = peer.chunks.length;
	modest.ask(to, seed.id, ranges.slice(0, 5));
	await until('the small request is served', () => modest.chunks.length === 5);
	assert.ok(peer.chunks.length - before < 20, `${peer.chunks.length - before}`);
	await until('both are served', () => peer.chunks.length === 60);
});

test('keeps to its upload limit', async (t) => {
	const { peer, to, context } = await startSeeder(t, { maxUp: 100_000 });
	const begin = performance.now();
	peer.ask(
		to,
		seed.id,
		Array.from({ length: 50 }, (_, index): ByteRange => [index * 1_000, 1_000]),
	);
	await until('all of it', () => peer.received === 50_000);
	const ms = performance.now() - begin;
	assert.ok(ms > 350, `${ms}`);
	assert.is(context.traffic.up.total, 50_000);
});

test('sends nothing after close, and keeps nothing open', async (t) => {
	const { peer, to, seeder, context, holding: content } = await startSeeder(t, { maxUp: 1_000 });
	const before = openResources();
	peer.askHave(to, seed.id);
	peer.ask(to, seed.id, [
		[0, 1_000],
		[1_000, 1_000],
	]);
	await until('an answer', () => peer.replies.length === 1);
	seeder.close();
	const count = peer.chunks.length;
	context.contents.gain(content, 0);
	await nothingLeftOpen(before);
	assert.ok(peer.chunks.length <= count + 1);
});

test('a node that requests on a direct lane and reads nothing is answered only up to a bound', async (t) => {
	const { seeder } = await startSeeder(t, { have: new Bitfield(seed.chunks) });
	const { id: from, client, lane } = await openLane(t);
	const request = { op: 'have', id: '0'.repeat(16), seed: seed.id } as const;
	client.socket.pause();
	for (let count = 0; count < 60_000; count += 1) {
		seeder.onRequest(from, request, lane);
	}
	assert.ok(lane.queued > 3 * MIB, `${lane.queued} bytes are queued`);
	assert.ok(lane.queued < 5 * MIB, `${lane.queued} bytes are queued`);
	client.socket.resume();
	await until('it has read all', () => lane.queued === 0);
	const last = 'f'.repeat(16);
	seeder.onRequest(from, { ...request, id: last }, lane);
	await until('it is answered again', () =>
		messagesOf(client).some(({ payload }) => payload.includes(last)),
	);
});

test('T11: a node that cannot send as fast as others request drops replies through the broker too', async (t) => {
	const { seeder } = await startSeeder(t, { have: new Bitfield(seed.chunks) });
	const lane = {
		kind: 'broker' as const,
		isUp: true,
		queued: 4 * MIB - 1_000,
		send: (_topic: string, payload: Payload) => {
			lane.queued += partsOf(payload).reduce((sum, { length }) => sum + length, 0);
		},
		drained: async () => {},
	};
	const request = { op: 'have', id: '0'.repeat(16), seed: seed.id } as const;
	for (let count = 0; count < 100; count += 1) {
		seeder.onRequest('requester-1', request, lane);
	}
	assert.ok(lane.queued > 4 * MIB, `${lane.queued} bytes are queued`);
	assert.ok(lane.queued < 4 * MIB + 1_000, `${lane.queued} bytes are queued`);
});

test.run();
