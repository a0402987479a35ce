import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import * as assert from 'uvu/assert';
import { Seed } from '../../protocol/index.ts';
import { Peer } from '../helpers/adversaries/peer.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { contentOf, seedOf } from '../helpers/fixtures/seeds.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { startNode } from '../helpers/harness/node.ts';
import { rejects } from '../helpers/harness/rejects.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('downloads from malicious nodes');
const content = contentOf(1_000_000);
const wrong = contentOf(999_999);
const chunkSize = 262_144;
const seed = seedOf(content, { chunkSize });

async function start(t: Scope) {
	const { url } = await startBroker(t);
	const node = await startNode(t, url);
	const warnings: Array<{ code?: string }> = [];
	node.on('warning', (error) => warnings.push(error as { code?: string }));
	return { url, node, warnings, folder: await makeFolder(t) };
}

/** Makes `peer` answer each request `ms` later. */
function slowly(peer: Peer, ms: number): void {
	const { onRequest } = peer;
	peer.onRequest = (from, request) => setTimeout(() => onRequest(from, request), ms);
}

/** The behaviours of a liar; it answers before the honest node does. */
const LIARS: Record<string, (liar: Peer) => void> = {
	'never answers': () => {},
	'tells another length': (liar) => liar.serve(seed, { content, about: { length: 2_000_000 } }),
	'tells another number of chunks': (liar) => liar.serve(seed, { content, about: { chunks: 7 } }),
	'tells a length that cannot be': (liar) => {
		liar.serve(seed, { content, about: { length: 2 ** 42, chunks: 1 } });
	},
	'tells the largest length there is': (liar) => {
		liar.serve(seed, { content, about: { length: 2 ** 42, chunks: 2 ** 20 } });
	},
	'tells of other digests': (liar) => liar.serve(seed, { content, about: { kind: 'md5' } }),
	'has an unsafe name for it': (liar) => {
		liar.serve(seed, { content, about: { name: '../../evil' } });
	},
	'sends another seed': (liar) => {
		liar.serve(seed, { content, body: seedOf(wrong, { chunkSize }).body() });
	},
	'sends rubbish for the seed': (liar) => {
		liar.serve(seed, { content, body: new Uint8Array(seed.body().length).fill(65) });
	},
	'sends the seed and never a chunk': (liar) => {
		liar.onRequest = (from, request) => {
			if (request.op === 'have') {
				liar.tellHave(from, seed, { id: request.id });
			} else if (request.op === 'seed') {
				liar.answer(from, request, seed.body());
			}
		};
	},
	'sends wrong chunks': (liar) => liar.serve(seed, { content: new Uint8Array(1_000_000) }),
	'says that it is busy, always': (liar) => {
		liar.onRequest = (from, request) => {
			if (request.op === 'have') {
				liar.tellHave(from, seed, { id: request.id });
			} else if (request.op !== 'cancel') {
				const { id } = request;
				liar.reply(from, { op: 'refused', id, seed: seed.id, reason: 'busy' });
			}
		};
	},
	'refuses everything': (liar) => {
		liar.onRequest = (from, { id }) => {
			liar.reply(from, { op: 'refused', id, seed: seed.id, reason: 'not-shared' });
		};
	},
	'sends what nobody asked for': (liar) => {
		liar.onRequest = (from, request) => {
			if (request.op === 'have') {
				liar.tellHave(from, seed, { id: request.id });
				const ranges = [[0, 1_000]] as const;
				liar.answer(from, { op: 'chunks', id: '0'.repeat(16), seed: seed.id, ranges }, wrong);
				liar.answer(from, { op: 'seed', id: '0'.repeat(16), seed: seed.id, ranges }, wrong);
			} else if (request.op === 'seed') {
				liar.answer(from, { ...request, ranges: [[0, 1], ...request.ranges] }, seed.body());
			}
		};
	},
};

test('with an honest node a download completes beside any liar', async (t) => {
	const downloads = Object.entries(LIARS).map(async ([what, lie]) => {
		const { url, node, folder } = await start(t);
		const liar = await Peer.join(t, url);
		lie(liar);
		const honest = await Peer.join(t, url);
		honest.serve(seed, { content });
		slowly(honest, 100);
		await liar.announce(seed);
		await honest.announce(seed);
		await until('both are listed', async () => (await node.who(seed.id)).nodes.length === 2);
		const { path } = await node.get(seed.id, { output: folder });
		assert.ok(liar.requests.length > 0, what);
		assert.is(basename(path), 'file.bin', what);
		assert.equal(await readFile(path), Buffer.from(content), what);
		assert.equal(await readdir(folder), ['file.bin'], what);
	});
	await Promise.all(downloads);
});

test('without an honest node some liars end the download, each with its error code', async (t) => {
	const { url, node, folder } = await start(t);
	const expected: Record<string, string> = {
		'has an unsafe name for it': 'ERR_NAME',
		'tells a length that cannot be': 'ERR_SEED',
		'sends another seed': 'ERR_SEED',
		'sends rubbish for the seed': 'ERR_SEED',
	};
	const checks = Object.entries(expected).map(async ([what, code], index) => {
		// Each liar has a seed of its own.
		const own = seedOf(contentOf(500_000 + index), { chunkSize });
		const liar = await Peer.join(t, url);
		LIARS[what]?.(liar);
		const { onRequest } = liar;
		liar.onRequest = (from, request) => {
			const isHave = request.op === 'have';
			const about = code === 'ERR_NAME' ? { name: '../../evil' } : {};
			const length = what === 'tells a length that cannot be' ? { length: 2 ** 42, chunks: 1 } : {};
			if (isHave) {
				liar.tellHave(from, own, { id: request.id, ...about, ...length });
			} else {
				onRequest(from, request);
			}
		};
		await liar.announce(own);
		const error = await rejects(node.get(own.id, { output: folder }));
		assert.is(error.code, code, what);
	});
	await Promise.all(checks);
	assert.equal(await readdir(folder), []);
});

test('T4: an unsafe name does not matter if the output or the link of the user has a name', async (t) => {
	const { url, node, folder } = await start(t);
	const hostile = await Peer.join(t, url);
	hostile.serve(seed, { content, about: { name: '../../evil' } });
	await hostile.announce(seed);
	const { path } = await node.get(seed.id, { output: join(folder, 'safe.bin') });
	assert.is(path, join(folder, 'safe.bin'));
	const other = await startNode(t, url);
	const inner = await makeFolder(t);
	const named = await other.get(`shoal:${seed.id}?name=named.bin`, { output: inner });
	assert.is(named.path, join(inner, 'named.bin'));
	assert.not((await readdir(dirname(dirname(folder)))).includes('evil'));
	assert.equal(await readdir(folder), ['safe.bin']);
});

test('a seed whose digest of the whole is wrong is ERR_SEED_LIES, and nothing is left', async (t) => {
	const { url, node, folder } = await start(t);
	const lying = new Seed({
		name: 'lying.bin',
		length: seed.length,
		kind: 'sha256',
		digest: new Uint8Array(32).fill(1),
		chunkDigests: Buffer.concat(
			Array.from({ length: seed.chunks }, (_, chunk) => seed.chunkDigest(chunk)),
		),
	});
	const peer = await Peer.join(t, url);
	peer.serve(lying, { content });
	await peer.announce(lying);
	const error = await rejects(node.get(lying.id, { output: folder }));
	assert.is(error.code, 'ERR_SEED_LIES');
	assert.equal(await readdir(folder), []);
	const streaming = (async () => {
		for await (const _ of node.stream(lying.id)) {
			// All bytes arrive before the error.
		}
	})();
	assert.is((await rejects(streaming)).code, 'ERR_SEED_LIES');
});

test('a reply that names every chunk many times is ignored, with a warning', async (t) => {
	const { url, node, warnings, folder } = await start(t);
	const liar = await Peer.join(t, url);
	liar.onRequest = (from, { op, id }) => {
		if (op === 'have') {
			liar.tellHave(from, seed, { id, have: { first: 0, bits: 'AA==' } });
			const runs = Array.from({ length: 2_000 }, () => [0, seed.chunks] as const);
			liar.reply(from, { op: 'gained', seed: seed.id, runs });
		}
	};
	await liar.announce(seed, { have: 0 });
	const stop = new AbortController();
	const getting = rejects(node.get(seed, { output: folder, signal: stop.signal }));
	await until('a warning', () => warnings.length > 0);
	stop.abort();
	await getting;
	assert.match(String(warnings[0]), `node ${liar.id} reports wrong chunks of seed ${seed.id}`);
});

test('a node that sends wrong chunks gets no more requests after two of them', async (t) => {
	const { url, node, warnings, folder } = await start(t);
	const liar = await Peer.join(t, url);
	liar.serve(seed, { content: new Uint8Array(1_000_000) });
	await liar.announce(seed);
	const stop = new AbortController();
	const getting = rejects(node.get(seed, { output: folder, signal: stop.signal }));
	await until('two warnings', () => warnings.length >= 2);
	// The node sends this answer after all its earlier requests.
	liar.askHave(node.id, seed.id);
	await until('an answer', () => liar.replies.length > 0);
	const asked = liar.requests.length;
	await new Promise((resolve) => setTimeout(resolve, 1_500));
	stop.abort();
	assert.is((await getting).code, 'ERR_ABORTED');
	assert.is(liar.requests.length, asked);
	assert.ok(warnings.length <= seed.chunks);
});

test('a malformed message is a warning', async (t) => {
	const { url, node, warnings } = await start(t);
	const peer = await Peer.join(t, url);
	const rubbish = new TextEncoder().encode('{"op":');
	for (const kind of ['request', 'reply', 'chunk']) {
		peer.link.send(`shoal/1/inbox/${node.id}/${kind}/${peer.id}`, rubbish);
	}
	await until('three warnings', () => warnings.length === 3);
	peer.askHave(node.id, seed.id);
	await until('an answer', () => peer.replies.length === 1);
});

test.run();
