import { readdir, readFile, writeFile } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as assert from 'uvu/assert';
import type { Progress } from '../../node/index.ts';
import type { TraceEvent } from '../../node/stats/trace.ts';
import { Peer } from '../helpers/adversaries/peer.ts';
import { makeFolder, openBelow, useTemporary } from '../helpers/fixtures/folder.ts';
import { contentOf } from '../helpers/fixtures/seeds.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { makeFile, startNode } from '../helpers/harness/node.ts';
import { rejects } from '../helpers/harness/rejects.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('streams of a node');
const CHUNK = 262_144;
const CHUNKS = 40;
const LENGTH = CHUNKS * CHUNK - 5;
const content = contentOf(LENGTH);

async function swarm(t: Scope, options: { maxUp?: number } = {}) {
	const { url } = await startBroker(t);
	const seeder = await startNode(t, url, options);
	const path = await makeFile(t, content);
	const share = await seeder.share(path);
	const events: TraceEvent[] = [];
	const node = await startNode(t, url, { trace: (event) => events.push(event) });
	return { url, seeder, share, path, seed: share.seed, node, events };
}

/** The bytes received from the first request for `count` chunks at `first` to their last byte. */
function bytesUntil(events: readonly TraceEvent[], first: number, count: number): number {
	const [start, end] = [first * CHUNK, (first + count) * CHUNK];
	const isIn = ([offset]: readonly [number, number]) => offset >= start && offset < end;
	const from = events.findIndex((each) => each.event === 'asked' && each.ranges.some(isIn));
	let [sum, last] = [0, 0];
	for (const each of events.slice(from)) {
		if (each.event === 'received') {
			sum += each.useful;
			last = isIn([each.offset, each.length]) ? sum : last;
		}
	}
	return last;
}

async function read(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
	const parts: Uint8Array[] = [];
	for await (const part of stream) {
		parts.push(part);
	}
	return Buffer.concat(parts);
}

const slice = (start: number, end: number) => Buffer.from(content.subarray(start, end + 1));

test('only the chunks of a range are fetched', async (t) => {
	const { seed, node, seeder } = await swarm(t);
	const [start, end] = [3 * CHUNK + 7, 6 * CHUNK - 1];
	const stream = node.stream(seed.id, { start, end });
	assert.equal(await read(stream), slice(start, end));
	assert.is(node.received.total, 3 * CHUNK);
	const { verified, length, sources } = stream.result ?? {};
	assert.equal([verified, length], ['chunks', 3 * CHUNK - 7]);
	assert.equal(sources, [{ node: seeder.id, lane: 'direct', chunks: 3, bytes: 3 * CHUNK }]);
});

test('several ranges can be read at the same time, and chunks of two ranges are fetched once', async (t) => {
	const { seed, node } = await swarm(t);
	const ranges = [
		[30 * CHUNK, LENGTH - 1],
		[0, 5 * CHUNK],
		[2 * CHUNK, 7 * CHUNK],
	] as const;
	const got = await Promise.all(
		ranges.map(([start, end]) => read(node.stream(seed, { start, end }))),
	);
	assert.equal(
		got,
		ranges.map(([start, end]) => slice(start, end)),
	);
	assert.is(node.received.total, 18 * CHUNK - 5);
});

test('a range at the end does not wait until the whole content has been read', async (t) => {
	const { seed, node, events } = await swarm(t, { maxUp: 8_000_000 });
	const all = node.stream(seed);
	all.on('error', () => {});
	all.resume();
	await until('some has come', () => node.received.total > CHUNK);
	const start = LENGTH - 100;
	assert.equal(await read(node.stream(seed, { start })), slice(start, LENGTH - 1));
	// Only requested bytes arrive before the range: at most 4 MiB of the 9 MiB that are missing.
	const before = bytesUntil(events, CHUNKS - 1, 1);
	assert.ok(before > 0 && before < 20 * CHUNK, `${before / CHUNK} chunks`);
});

test('when a reader stops reading, its download stops at the read-ahead', async (t) => {
	const { seed, node } = await swarm(t);
	const readAhead = 6 * CHUNK;
	const stream = node.stream(seed, { readAhead });
	const iterator = stream[Symbol.asyncIterator]();
	await iterator.next();
	await until('it has fetched ahead', () => node.received.total >= readAhead);
	await new Promise((resolve) => setTimeout(resolve, 300));
	// For the download, bytes that wait in the buffers of the stream have been read.
	assert.ok(node.received.total <= readAhead + 4 * CHUNK, `${node.received.total / CHUNK} chunks`);
	await iterator.return?.();
});

test('a slow writer gets the whole content through a pipeline', async (t) => {
	const { seed, node } = await swarm(t);
	const parts: Buffer[] = [];
	const slow = new Writable({
		write(part, _, done) {
			parts.push(part);
			setTimeout(done, 2);
		},
	});
	const stream = node.stream(seed, { readAhead: CHUNK });
	await pipeline(stream, slow);
	assert.ok(Buffer.concat(parts).equals(content));
	assert.is(stream.result?.verified, 'whole');
});

test('a content that the node shares or has got is read from its file, and nothing is fetched', async (t) => {
	const { seed, seeder, node } = await swarm(t);
	assert.equal(await read(seeder.stream(seed.id, { start: 10, end: 19 })), slice(10, 19));
	await node.get(seed, { output: await makeFolder(t) });
	const before = node.received.total;
	const stream = node.stream(seed.id);
	assert.ok((await read(stream)).equals(content));
	assert.equal([stream.result?.sources, stream.result?.verified], [[], 'whole']);
	assert.is(node.received.total, before);
});

test('a range is read from a running get, and its chunks are fetched first', async (t) => {
	const { seed, node, events } = await swarm(t, { maxUp: 8_000_000 });
	const folder = await makeFolder(t);
	const getting = node.get(seed, { output: folder });
	const start = 30 * CHUNK;
	const range = await read(node.stream(seed, { start, end: start + 3 * CHUNK - 1 }));
	assert.equal(range, slice(start, start + 3 * CHUNK - 1));
	const before = bytesUntil(events, 30, 3);
	assert.ok(before > 0 && before < 20 * CHUNK, `${before / CHUNK} chunks`);
	const { path } = await getting;
	assert.ok((await readFile(path)).equals(content));
	assert.is(node.received.total, LENGTH);
});

test('a get that begins while a stream is read takes over the download, and the stream goes on', async (t) => {
	const { seed, node } = await swarm(t, { maxUp: 20_000_000 });
	const stream = node.stream(seed, { readAhead: 2 * CHUNK });
	const reading = read(stream);
	await until('some has come', () => node.received.total > 4 * CHUNK);
	const { path } = await node.get(seed.id, { output: await makeFolder(t) });
	assert.ok((await readFile(path)).equals(content));
	assert.ok((await reading).equals(content));
});

test('a stream goes on when the get or share from which it reads is stopped', async (t) => {
	const { url, seed, node, path } = await swarm(t, { maxUp: 20_000_000 });
	const stop = new AbortController();
	const output = await makeFolder(t);
	const getting = rejects(node.get(seed, { output, signal: stop.signal }));
	const reading = read(node.stream(seed));
	await until('some has come', () => node.received.total > 4 * CHUNK);
	stop.abort();
	assert.is((await getting).code, 'ERR_ABORTED');
	assert.ok((await reading).equals(content));
	const other = await startNode(t, url);
	const share = await other.share(path);
	const iterator = other.stream(seed)[Symbol.asyncIterator]();
	const parts = [(await iterator.next()).value as Uint8Array];
	await share.stop();
	parts.push(await read({ [Symbol.asyncIterator]: () => iterator }));
	assert.ok(Buffer.concat(parts).equals(content));
});

test('a shared file that has changed ends the stream with ERR_CHANGED', async (t) => {
	const { seed, seeder, path } = await swarm(t);
	await writeFile(path, 'something else');
	assert.is((await rejects(read(seeder.stream(seed)))).code, 'ERR_CHANGED');
});

test('a stream that is destroyed cancels its requests, and leaves no file', async (t) => {
	const { url, share, seed, node } = await swarm(t);
	await share.stop();
	const folder = await makeFolder(t);
	useTemporary(t, folder);
	const silent = await Peer.join(t, url);
	const open = new Set<string>();
	silent.onRequest = (from, request) => {
		if (request.op === 'have') {
			silent.tellHave(from, seed);
			return;
		}
		for (const [offset] of request.ranges) {
			const range = `${request.id} ${offset}`;
			request.op === 'cancel' ? open.delete(range) : open.add(range);
		}
	};
	await silent.announce(seed);
	const stream = node.stream(seed);
	await until('it has requested chunks', () => open.size > 0);
	assert.is((await readdir(folder)).length, 1);
	stream.destroy();
	await until('all requests are cancelled', () => open.size === 0);
	await until('its file is gone', async () => (await readdir(folder)).length === 0);
	assert.equal(await openBelow(folder), []);
});

test('the progress of a range counts only the bytes of the range', async (t) => {
	const { seed, node } = await swarm(t, { maxUp: 1_000_000 });
	const told: Progress[] = [];
	const onProgress = (progress: Progress) => void told.push(progress);
	await read(node.stream(seed, { start: CHUNK, end: 5 * CHUNK - 1, onProgress }));
	assert.ok(told.some(({ phase, have }) => phase === 'fetching' && have > 0));
	assert.ok(
		told.filter(({ phase }) => phase === 'fetching').every(({ length }) => length === 4 * CHUNK),
	);
});

test('an invalid range is ERR_RANGE before a chunk is requested', async (t) => {
	const { seed, node } = await swarm(t);
	for (const range of [{ start: 5, end: 4 }, { start: 0.5 }, { end: -1 }, { start: Number.NaN }]) {
		assert.is((await rejects(read(node.stream(seed.id, range)))).code, 'ERR_RANGE');
	}
	assert.is((await rejects(read(node.stream(seed.id, { start: LENGTH })))).code, 'ERR_RANGE');
	assert.is(node.received.total < 4_096, true);
});

test('a node that is closed ends its streams with ERR_CLOSED', async (t) => {
	const { seed, node } = await swarm(t, { maxUp: 1_000_000 });
	const reading = rejects(read(node.stream(seed)));
	await until('some has come', () => node.received.total > 0);
	await node.close();
	assert.is((await reading).code, 'ERR_CLOSED');
});

test.run();
