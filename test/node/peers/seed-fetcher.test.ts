import * as assert from 'uvu/assert';
import type { HaveReply } from '../../../node/peers/peer-types.ts';
import { SeedFetcher } from '../../../node/peers/seed-fetcher.ts';
import { decodeChunk, type Seed, ShoalError } from '../../../protocol/index.ts';
import { Peer } from '../../helpers/adversaries/peer.ts';
import { contentOf, seedOf } from '../../helpers/fixtures/seeds.ts';
import { startBroker } from '../../helpers/harness/broker.ts';
import { openContext } from '../../helpers/harness/context.ts';
import { nothingLeftOpen, openResources } from '../../helpers/harness/open-resources.ts';
import { rejects } from '../../helpers/harness/rejects.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';
import { throwsCode } from '../../helpers/harness/throws-code.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('SeedFetcher');
const content = contentOf(300_000);
const seed = seedOf(content);

const aboutOf = ({ id, name, length, chunks, kind }: Seed): HaveReply => {
	return { op: 'have', id: '0'.repeat(16), seed: id, name, length, chunks, kind, have: 'all' };
};

async function start(t: Scope, about: Partial<HaveReply> = {}, of: Seed = seed) {
	// With parts this small, the text of a seed has many parts.
	const { url } = await startBroker(t, { limits: { part: 1_024 } });
	let fetcher: SeedFetcher | undefined;
	const context = await openContext(t, url, {
		onMessage: (topic, payload) => {
			if (topic.kind === 'chunk') {
				fetcher?.onBytes(topic.from, decodeChunk(payload));
			}
		},
	});
	const peer = await Peer.join(t, url);
	const make = (): SeedFetcher => {
		fetcher = new SeedFetcher(context, peer.id, of.id, { ...aboutOf(of), ...about });
		return fetcher;
	};
	return { url, context, peer, make };
}

for (const length of [0, 1, 512, 513, 300_000]) {
	test(`the seed of a content of ${length} bytes is fetched, and gets the given name`, async (t) => {
		const bytes = contentOf(length);
		const small = seedOf(bytes);
		const { peer, make } = await start(t, {}, small);
		peer.serve(small, { content: bytes });
		const fetched = await make().fetch('a name');
		assert.is(fetched.id, small.id);
		assert.is(fetched.name, 'a name');
		assert.is(fetched.length, length);
	});
}

test('a classic seed (MD5) is fetched', async (t) => {
	const classic = seedOf(contentOf(4_259), { kind: 'md5' });
	const { peer, make } = await start(t, {}, classic);
	peer.serve(classic, { content });
	assert.is((await make().fetch('x')).id, classic.id);
});

test('sixteen parts are requested at a time, each at most as large as the broker carries', async (t) => {
	const { peer, make } = await start(t);
	peer.serve(seed, { content });
	await make().fetch('x');
	const ranges = peer.requests.map(({ request }) => ('ranges' in request ? request.ranges : []));
	const parts = Math.ceil(seed.body().length / 1_024);
	assert.equal(
		ranges.map(({ length }) => length),
		[16, 16, parts - 32],
	);
	assert.ok(ranges.flat().every(([, length]) => length <= 1_024));
	assert.is(new Set(ranges.flat().map(([offset]) => offset)).size, parts);
});

test('the text is assembled from parts in any order, duplicates included', async (t) => {
	const { peer, make } = await start(t);
	peer.onRequest = (from, request) => {
		if (request.op === 'seed') {
			const ranges = [...request.ranges].reverse();
			peer.answer(from, { ...request, ranges: [...ranges.slice(0, 5), ...ranges] }, seed.body());
		}
	};
	assert.is((await make().fetch('x')).id, seed.id);
});

test('bytes are ignored if their node, request, offset or length does not match a request', async (t) => {
	const { url, context, peer, make } = await start(t);
	const liar = await Peer.join(t, url);
	const rubbish = new Uint8Array(seed.body().length + 4_096).fill(65);
	peer.onRequest = (from, request) => {
		if (request.op !== 'seed') {
			return;
		}
		const [[offset, length] = [0, 0]] = request.ranges;
		liar.answer(from, request, rubbish);
		peer.answer(from, { ...request, id: '1'.repeat(16) }, rubbish);
		peer.answer(from, { ...request, ranges: [[offset, length - 1]] }, rubbish);
		peer.answer(from, { ...request, ranges: [[offset + 1, length]] }, rubbish);
		setTimeout(() => peer.answer(from, request, seed.body()), 50);
	};
	assert.is((await make().fetch('x')).id, seed.id);
	assert.equal(context.warnings, []);
});

test('the text of another seed, and a text that is no seed, are ERR_SEED', async (t) => {
	const { peer, make } = await start(t);
	for (const body of [seedOf(contentOf(299_999)).body(), new Uint8Array(seed.body().length)]) {
		peer.serve(seed, { content, body });
		assert.is((await rejects(make().fetch('x'))).code, 'ERR_SEED');
	}
});

const IMPOSSIBLE: ReadonlyArray<Partial<HaveReply>> = [
	{ length: 2 ** 42, chunks: 1 },
	{ length: 0, chunks: 1 },
	{ length: 1, chunks: 0 },
	{ length: 300_000, chunks: 6 },
	{ length: 2 ** 42, chunks: 2 ** 21 },
];

test('impossible lengths and numbers of chunks are refused before any request and before memory is reserved (T2)', async (t) => {
	const { context, peer } = await start(t);
	for (const about of IMPOSSIBLE) {
		throwsCode('ERR_SEED', () => {
			new SeedFetcher(context, peer.id, seed.id, { ...aboutOf(seed), ...about });
		});
	}
	assert.equal(peer.requests, []);
});

test('if a node stops sending the text, the result is ERR_TIMEOUT after four seconds without a byte', async (t) => {
	const { peer, make } = await start(t);
	let answered = 0;
	peer.onRequest = (from, request) => {
		if (request.op === 'seed' && answered === 0) {
			answered += 1;
			peer.answer(from, request, seed.body());
		}
	};
	assert.is((await rejects(make().fetch('x'))).code, 'ERR_TIMEOUT');
	assert.is(peer.requests.length, 2);
});

test('a stopped fetch ends at once, and bytes that arrive later start no timer', async (t) => {
	const { peer, make } = await start(t);
	const fetcher = make();
	const before = openResources();
	const fetching = rejects(fetcher.fetch('x'));
	await until('it has asked', () => peer.requests.length === 1);
	fetcher.stop(new ShoalError('ERR_CLOSED', 'not needed any more'));
	assert.is((await fetching).code, 'ERR_CLOSED');
	const { from, request } = peer.requests[0] as (typeof peer.requests)[0];
	if (request.op === 'seed') {
		peer.answer(from, { ...request, ranges: request.ranges.slice(0, 3) }, seed.body());
	}
	await new Promise((resolve) => setTimeout(resolve, 100));
	await nothingLeftOpen(before);
});

test.run();
