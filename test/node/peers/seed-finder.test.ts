import * as assert from 'uvu/assert';
import type { HaveReply } from '../../../node/peers/peer-types.ts';
import { SeedFinder } from '../../../node/peers/seed-finder.ts';
import { decodeChunk, type Seed } from '../../../protocol/index.ts';
import { Peer } from '../../helpers/adversaries/peer.ts';
import { contentOf, seedOf } from '../../helpers/fixtures/seeds.ts';
import { startBroker } from '../../helpers/harness/broker.ts';
import { openContext } from '../../helpers/harness/context.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('SeedFinder');
const content = contentOf(60_000);
const seed = seedOf(content);
/** Bytes of a part, so few that the text of the seed has several parts. */
const PART = 1_024;

const about: HaveReply = {
	op: 'have',
	id: '0'.repeat(16),
	seed: seed.id,
	name: 'file.bin',
	length: seed.length,
	chunks: seed.chunks,
	kind: seed.kind,
	have: 'all',
};

/**
 * Starts `count` peers that say they have the seed and never send it, and prepares a `SeedFinder`.
 */
async function start(t: Scope, count: number) {
	const { url } = await startBroker(t, { limits: { part: PART } });
	let finder: SeedFinder | undefined;
	const context = await openContext(t, url, {
		onMessage: (topic, payload) => {
			if (topic.kind === 'chunk') {
				finder?.onBytes(topic.from, decodeChunk(payload));
			}
		},
	});
	const peers = await Promise.all(Array.from({ length: count }, () => Peer.join(t, url)));
	/** Ids of the peers from which the text was requested, in the order of the requests. */
	const asked: string[] = [];
	const useless: string[] = [];
	for (const peer of peers) {
		peer.onRequest = () => asked.push(peer.id);
	}
	const find = (): { finder: SeedFinder; found: Promise<Seed> } => {
		const found = new Promise<Seed>((resolve) => {
			finder = new SeedFinder(context, {
				id: seed.id,
				peers: { roundTrip: 5, heard: () => {}, remove: (node) => useless.push(node) },
				found: resolve,
			});
		});
		t.defer(() => finder?.close());
		return { finder: finder as unknown as SeedFinder, found };
	};
	const serve = (peer: Peer): void => {
		peer.onRequest = (from, request) => {
			asked.push(peer.id);
			if ('ranges' in request) {
				peer.answer(from, request, seed.body());
			}
		};
	};
	return { context, peers, asked, useless, find, serve };
}

test('T30: the text is requested from two peers at once, and from others only if nothing arrives', async (t) => {
	const { peers, asked, find, serve } = await start(t, 4);
	for (const peer of peers) {
		serve(peer);
	}
	const { finder, found } = find();
	for (const { id } of peers) {
		finder.offer(id, about);
	}
	assert.is((await found).id, seed.id);
	const [first, second] = peers as [Peer, Peer];
	assert.ok(
		asked.length >= 1 && asked.slice(0, 2).every((id) => id === first.id || id === second.id),
	);
});

test('T30: the text comes from the sixth peer before one of the five silent peers times out', async (t) => {
	const { peers, asked, useless, find, serve } = await start(t, 6);
	serve(peers[5] as Peer);
	const { finder, found } = find();
	for (const { id } of peers) {
		finder.offer(id, about);
	}
	assert.is((await found).id, seed.id);
	assert.equal(asked.sort(), peers.map(({ id }) => id).sort());
	assert.equal(useless, []);
});

test('T30: the text also comes from the sixth peer if the other five send one part and then nothing', async (t) => {
	const { peers, useless, find, serve } = await start(t, 6);
	for (const peer of peers.slice(0, 5)) {
		peer.onRequest = (from, request) => {
			if ('ranges' in request) {
				peer.answer(from, { ...request, ranges: request.ranges.slice(0, 1) }, seed.body());
			}
		};
	}
	serve(peers[5] as Peer);
	const { finder, found } = find();
	for (const { id } of peers) {
		finder.offer(id, about);
	}
	assert.is((await found).id, seed.id);
	assert.equal(useless, []);
});

test('T30: a peer that did not send the text is asked last the next time', async (t) => {
	const { context, peers, asked, find, serve } = await start(t, 4);
	const silent = peers.slice(0, 3);
	serve(peers[3] as Peer);
	const first = find();
	for (const { id } of peers) {
		first.finder.offer(id, about);
	}
	await first.found;
	const now = performance.now();
	await until('two silent peers are remembered', () => {
		return silent.filter(({ id }) => context.responsiveness.isSilent(id, now)).length >= 2;
	});
	asked.length = 0;
	const known = silent.filter(({ id }) => context.responsiveness.isSilent(id, now));
	const second = find();
	// The first offers fill the slots. Among the waiting peers, the one that delivered before goes
	// first.
	second.finder.offer((known[0] as Peer).id, about);
	second.finder.offer((known[1] as Peer).id, about);
	second.finder.offer((known[0] as Peer).id, about);
	second.finder.offer((peers[3] as Peer).id, about);
	assert.is((await second.found).id, seed.id);
	assert.is(asked.at(-1), (peers[3] as Peer).id);
});

test('a peer that sends another text is removed, and the next peer is asked', async (t) => {
	const { peers, useless, find, serve } = await start(t, 3);
	for (const liar of peers.slice(0, 2)) {
		liar.onRequest = (from, request) => {
			if ('ranges' in request) {
				liar.answer(from, request, new Uint8Array(seed.body().length));
			}
		};
	}
	serve(peers[2] as Peer);
	const { finder, found } = find();
	for (const { id } of peers) {
		finder.offer(id, about);
	}
	await found;
	assert.ok(useless.length >= 1);
});

test.run();
