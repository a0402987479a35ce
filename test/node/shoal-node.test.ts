import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { type Progress, ShoalNode } from '../../node/index.ts';
import { makeNodeId, type NodeListing } from '../../protocol/index.ts';
import { makeFolder, openBelow } from '../helpers/fixtures/folder.ts';
import { contentOf } from '../helpers/fixtures/seeds.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { listed, makeFile, startNode } from '../helpers/harness/node.ts';
import { nothingLeftOpen, openResources } from '../helpers/harness/open-resources.ts';
import { rejects } from '../helpers/harness/rejects.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('ShoalNode');
const CHUNK = 262_144;

async function shared(t: Scope, length: number, name?: string) {
	const { url } = await startBroker(t);
	const content = contentOf(length);
	const path = await makeFile(t, content, name);
	const seeder = await startNode(t, url);
	const share = await seeder.share(path);
	return { url, content, path, seeder, share, seed: share.seed };
}

async function read(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
	const parts: Uint8Array[] = [];
	for await (const part of stream) {
		parts.push(part);
	}
	return Buffer.concat(parts);
}

for (const length of [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 5_000_000]) {
	test(`${length} bytes that one node shares are downloaded by another node`, async (t) => {
		const { url, content, seed, seeder } = await shared(t, length);
		const folder = await makeFolder(t);
		const node = await startNode(t, url, { lane: 'direct' });
		const result = await node.get(seed.id, { output: folder });
		assert.is(result.path, join(folder, 'file.bin'));
		assert.is(result.seed.id, seed.id);
		assert.ok(result.ms >= 0);
		assert.ok((await readFile(result.path)).equals(content));
		assert.equal(await readdir(folder), ['file.bin']);
		assert.is(node.received.total, length);
		const [source] = result.sources;
		const { chunks } = seed;
		const all = { node: seeder.id, lane: 'direct' as const, chunks, bytes: length };
		assert.equal(source, length === 0 ? undefined : all);
	});

	test(`${length} bytes that one node shares are streamed to another node in order`, async (t) => {
		const { url, content, seed } = await shared(t, length);
		const node = await startNode(t, url);
		assert.ok((await read(node.stream(seed.id))).equals(content));
	});
}

test('get accepts an id, a link or a seed', async (t) => {
	const { url, content, seed, seeder } = await shared(t, 1_000);
	for (const what of [seed.id.toUpperCase(), seeder.link(seed), seed]) {
		const node = await startNode(t, url);
		const { path } = await node.get(what, { output: await makeFolder(t) });
		assert.ok((await readFile(path)).equals(content));
	}
});

test('get accepts the name of a listed seed, the start of its id, or an address of the page', async (t) => {
	const { url, content, seed } = await shared(t, 1_000, 'disk image.bin');
	const asked = [
		'disk image.bin',
		seed.id.slice(0, 6).toUpperCase(),
		`shoal:${seed.id.slice(0, 30)}`,
		`http://127.0.0.1:8080/#/${seed.id}`,
	];
	for (const what of asked) {
		const node = await startNode(t, url);
		const { path } = await node.get(what, { output: await makeFolder(t) });
		assert.ok((await readFile(path)).equals(content), what);
	}
	const node = await startNode(t, url);
	assert.ok((await read(node.stream('disk image.bin'))).equals(content));
	assert.is((await node.who('disk image.bin')).seeders, 1 + asked.length);
	assert.is(await node.resolve('disk image.bin'), seed.id);
});

test('a name of several contents is refused with their ids, until only one of them is listed', async (t) => {
	const { url, seed, share, seeder } = await shared(t, 1_000);
	const { seed: second } = await seeder.share(await makeFile(t, contentOf(1_001)));
	const node = await startNode(t, url);
	const error = await rejects(node.get('file.bin', { output: await makeFolder(t) }));
	assert.is(error.code, 'ERR_AMBIGUOUS');
	assert.match(error.message, seed.id);
	assert.match(error.message, second.id);
	await share.stop();
	await until('one is listed', async () => (await listed(node)).length === 1);
	assert.is(await node.resolve('file.bin'), second.id);
});

test('get with wait waits for a name as for an id, and a signal stops it', async (t) => {
	const { url } = await startBroker(t);
	const node = await startNode(t, url);
	const output = await makeFolder(t);
	const getting = node.get('file.bin', { output, wait: true });
	const stop = new AbortController();
	const stopped = rejects(node.get('file.bin', { output, wait: true, signal: stop.signal }));
	const seeder = await startNode(t, url);
	stop.abort();
	assert.is((await stopped).code, 'ERR_ABORTED');
	const share = await seeder.share(await makeFile(t, 'content'));
	assert.is((await getting).seed.id, share.seed.id);
});

test('a malformed name is refused at once, an unknown name after the tracker was queried', async (t) => {
	const { url } = await startBroker(t);
	const node = await startNode(t, url);
	for (const [what, code] of [
		['', 'ERR_ID'],
		['0'.repeat(65), 'ERR_ID'],
		['shoal:nonsense', 'ERR_LINK'],
		['http://127.0.0.1:8080/', 'ERR_LINK'],
	] as const) {
		assert.is((await rejects(node.get(what))).code, code);
		assert.is((await rejects(read(node.stream(what)))).code, code);
		assert.is((await rejects(node.who(what))).code, code);
	}
	assert.is((await rejects(node.who('nonsense'))).code, 'ERR_NOT_FOUND');
	assert.is((await rejects(node.get('nonsense'))).code, 'ERR_NOT_FOUND');
});

test('a node shares the content that it has downloaded', async (t) => {
	const { url, content, seed, seeder } = await shared(t, 600_000);
	const second = await startNode(t, url);
	await second.get(seed, { output: await makeFolder(t) });
	await seeder.close();
	const third = await startNode(t, url);
	const { path, sources } = await third.get(seed.id, { output: await makeFolder(t) });
	assert.ok((await readFile(path)).equals(content));
	assert.equal(
		sources.map(({ node }) => node),
		[second.id],
	);
});

test('of two gets of the same file in one node, the second waits and then finds the file', async (t) => {
	const { url, seed, content } = await shared(t, 600_000);
	const output = await makeFolder(t);
	const node = await startNode(t, url);
	const phases: string[] = [];
	const onProgress = ({ phase }: Progress): void => void phases.push(phase);
	const [first, second] = await Promise.all([
		node.get(seed, { output }),
		node.get(seed.id, { output, onProgress }),
	]);
	assert.equal([first.wasThere, second.wasThere], [false, true]);
	assert.equal([second.path, second.kept, second.sources], [first.path, content.length, []]);
	assert.equal(phases, ['waiting']);
	assert.is(node.received.total, content.length);
	assert.ok((await node.get(seed, { output })).wasThere);
	assert.equal(await readdir(output), ['file.bin']);
	assert.is((await rejects(node.share(first.path))).code, 'ERR_EXISTS');
});

test('get copies a content that the node has to another path, and fetches nothing', async (t) => {
	const { seed, seeder, content } = await shared(t, 600_000);
	const output = `${await makeFolder(t)}/copies/`;
	const { path, kept, wasThere } = await seeder.get(seed, { output });
	assert.equal([path, kept, wasThere], [`${output}file.bin`, content.length, false]);
	assert.ok((await readFile(path)).equals(content));
	assert.is(seeder.received.total, 0);
	await writeFile(`${output}other`, 'mine');
	const error = await rejects(seeder.get(seed, { output: `${output}other` }));
	assert.is(error.code, 'ERR_EXISTS');
	assert.equal((await readdir(output)).sort(), ['file.bin', 'other']);
});

test('a waiting get continues the download when the first get is stopped, and can be stopped itself', async (t) => {
	const { url, seed, content } = await shared(t, 600_000);
	const output = await makeFolder(t);
	const node = await startNode(t, url, { maxDown: 100_000 });
	const [first, third] = [new AbortController(), new AbortController()];
	const stopped = rejects(node.get(seed, { output, signal: first.signal }));
	const second = node.get(seed, { output });
	const waiting = rejects(node.get(seed, { output, signal: third.signal }));
	await until('some has come', () => node.received.total > 0);
	third.abort();
	assert.is((await waiting).code, 'ERR_ABORTED');
	first.abort();
	assert.is((await stopped).code, 'ERR_ABORTED');
	node.limitRates(undefined, undefined);
	const { path } = await second;
	assert.ok((await readFile(path)).equals(content));
	assert.equal(await readdir(output), ['file.bin']);
});

test('an existing file without any chunk of the seed is not replaced', async (t) => {
	const { url, seed } = await shared(t, 600_000);
	const path = await makeFile(t, 'precious');
	const node = await startNode(t, url);
	assert.is((await rejects(node.get(seed, { output: path }))).code, 'ERR_EXISTS');
	assert.is((await rejects(node.get(seed.id, { output: path }))).code, 'ERR_EXISTS');
	assert.is(await readFile(path, 'utf8'), 'precious');
});

test('the phases of progress are in order from finding to verifying', async (t) => {
	const { url, seed, content } = await shared(t, 3_000_000);
	const node = await startNode(t, url, { maxDown: 4_000_000 });
	const seen: Progress[] = [];
	await node.get(seed.id, {
		output: await makeFolder(t),
		onProgress: (progress) => seen.push(progress),
	});
	const phases = ['finding', 'checking', 'fetching', 'verifying'];
	const order = seen.map(({ phase }) => phases.indexOf(phase));
	assert.equal(
		order,
		[...order].sort((a, b) => a - b),
	);
	assert.ok(order.includes(2) && order.at(-1) === 3);
	for (const [index, progress] of seen.entries()) {
		assert.is(progress.id, seed.id);
		assert.ok(progress.have >= (seen[index - 1]?.have ?? 0));
	}
	const last = seen.at(-1) as Progress;
	assert.is(last.have, content.length);
	assert.is(last.length, content.length);
	assert.is(last.name, 'file.bin');
});

test('a download keeps to its rate limit, and the limit can be lifted during the download', async (t) => {
	const { url, seed } = await shared(t, 3_000_000);
	const rate = 50_000;
	const node = await startNode(t, url, { maxDown: rate });
	const start = performance.now();
	const getting = node.get(seed, { output: await makeFolder(t) });
	await until('some has come', () => node.received.total > rate / 2);
	const allowed = (performance.now() - start) * (rate / 1_000);
	assert.ok(node.received.total < allowed + rate / 2, `${node.received.total} of ${allowed} bytes`);
	const lifted = performance.now();
	node.limitRates(undefined, undefined);
	await getting;
	const ms = performance.now() - lifted;
	assert.ok(ms < 30_000, `${ms} ms instead of a minute`);
});

test('an invalid rate is refused, and nothing stays open', async (t) => {
	const { url } = await startBroker(t);
	const before = openResources();
	for (const rate of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
		assert.is((await rejects(startNode(t, url, { maxUp: rate }))).code, 'ERR_USAGE');
		assert.is((await rejects(startNode(t, url, { maxDown: rate }))).code, 'ERR_USAGE');
	}
	await nothingLeftOpen(before);
});

test('an id that is in use is ERR_ID_TAKEN, an invalid id is ERR_ID', async (t) => {
	const { url } = await startBroker(t);
	const node = await startNode(t, url);
	assert.is((await rejects(startNode(t, url, { id: node.id }))).code, 'ERR_ID_TAKEN');
	assert.is((await rejects(startNode(t, url, { id: 'a b' }))).code, 'ERR_ID');
	await node.close();
	await startNode(t, url, { id: node.id });
});

test('without a broker the start fails with ERR_BROKER, and nothing stays open', async () => {
	const before = openResources();
	const start = ShoalNode.start({ broker: 'mqtt://127.0.0.1:9', id: makeNodeId() });
	assert.is((await rejects(start)).code, 'ERR_BROKER');
	await nothingLeftOpen(before);
});

test('seeds and who return the list of the tracker', async (t) => {
	const { url, seed, seeder } = await shared(t, 600_000, 'a name.bin');
	const node = await startNode(t, url);
	const list = async () => {
		const seeds = [];
		for await (const each of node.seeds()) {
			seeds.push(each);
		}
		return seeds;
	};
	await until('the seed is listed', async () => (await list()).length === 1);
	const { id, name, length, chunks } = seed;
	assert.equal(await list(), [{ seed: id, name, length, chunks, seeders: 1, downloaders: 0 }]);
	const { nodes } = await node.who(id);
	const [{ addresses, ticket, ...listing }, ...others] = nodes as [NodeListing];
	assert.equal(others, []);
	assert.equal(listing, { node: seeder.id, have: chunks, chunks, verified: 1 });
	assert.match(addresses.join(), /^mqtt:\/\/127\.0\.0\.1:\d+$/);
	assert.type(ticket, 'string');
});

test('linger ends after a time without requests, after its longest time, or at its signal', async (t) => {
	const { url } = await startBroker(t);
	const node = await startNode(t, url);
	// If one of these calls did not end, the test would time out.
	const hour = 3_600_000;
	await node.linger(100, hour);
	await node.linger(hour, 100);
	await node.linger(hour, hour, AbortSignal.timeout(50));
});

test('close can be called twice, and afterwards nothing is open', async (t) => {
	const { url, path, seeder, seed } = await shared(t, 600_000);
	const before = openResources();
	const node = await startNode(t, url);
	const folder = await makeFolder(t);
	await node.get(seed, { output: folder });
	await Promise.all([node.close(), node.close()]);
	await node.close();
	await nothingLeftOpen(before);
	assert.equal(await openBelow(folder), []);
	const first = seeder.close();
	await seeder.close();
	assert.equal(await openBelow(path), []);
	await first;
});

test('all methods of a closed node fail with ERR_CLOSED', async (t) => {
	const { url, path, seed } = await shared(t, 1_000);
	const node = await startNode(t, url);
	await node.close();
	assert.is((await rejects(node.get(seed))).code, 'ERR_CLOSED');
	assert.is((await rejects(node.share(path))).code, 'ERR_CLOSED');
	assert.is((await rejects(node.who(seed.id))).code, 'ERR_CLOSED');
	assert.throws(() => node.stream(seed));
});

test('if the tracker refuses the announce, share fails at once and names the limit', async (t) => {
	const { url } = await startBroker(t, { limits: { nodeAnnounces: 3 } });
	const node = await startNode(t, url);
	const warnings: unknown[] = [];
	node.on('warning', (error) => warnings.push(error));
	const paths = await Promise.all(
		Array.from({ length: 5 }, (_, index) => makeFile(t, `content ${index}`, `file-${index}`)),
	);
	const shares = await Promise.allSettled(paths.map((path) => node.share(path)));
	const refused = shares.flatMap((share) => (share.status === 'rejected' ? [share.reason] : []));
	assert.is(refused.length, 2);
	for (const error of refused) {
		assert.is(error.code, 'ERR_LIMIT');
		assert.match(error.message, 'nodeAnnounces');
	}
	const seeds = [];
	for await (const seed of node.seeds()) {
		seeds.push(seed);
	}
	assert.is(seeds.length, 3);
	assert.equal(warnings, []);
	const first = shares.find((share) => share.status === 'fulfilled');
	assert.ok(first !== undefined);
	await first.value.stop();
	await node.share(await makeFile(t, 'another', 'another'));
});

test.run();
