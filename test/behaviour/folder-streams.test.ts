import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { TraceEvent } from '../../node/stats/trace.ts';
import { contentOf } from '../helpers/fixtures/seeds.ts';
import { makeTree } from '../helpers/fixtures/trees.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { startNode } from '../helpers/harness/node.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';

const test = suite('streams of a folder');
const CHUNK = 262_144;
const FILES = 1_000;
/** The length of the names, with which the index is longer than a chunk. */
const NAME = 230;

const CONTENT = contentOf(200);
const lengthOf = (name: string): number => 100 + (Number(name) % 90);

async function swarm(t: Scope) {
	const { url } = await startBroker(t);
	const seeder = await startNode(t, url);
	const names = Array.from({ length: FILES }, (_, number) => `${number}`.padStart(NAME, '0'));
	const files = names.map((name) => [name, CONTENT.subarray(0, lengthOf(name))]);
	const root = await makeTree(t, Object.fromEntries(files));
	const { seed } = await seeder.share(root);
	const events: TraceEvent[] = [];
	const node = await startNode(t, url, { trace: (event) => events.push(event) });
	return { root, names, seed, node, events };
}

async function read(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
	const parts: Uint8Array[] = [];
	for await (const part of stream) {
		parts.push(part);
	}
	return Buffer.concat(parts);
}

test('the raw stream of a folder has its index, then its files; the stream of a path has one file', async (t) => {
	const { root, names, seed, node } = await swarm(t);
	const files = await Promise.all(names.map((name) => readFile(join(root, name))));
	const stream = node.stream(seed.id, { raw: true });
	const content = await read(stream);
	assert.is(content.length, seed.length);
	assert.match(content.subarray(0, 400).toString(), /^shoal-folder 1\n[0-9a-f]{64} \d+ f 0{230}\n/);
	assert.ok(content.subarray(seed.index).equals(Buffer.concat(files)));
	assert.equal([stream.result?.verified, stream.result?.path], ['chunks', undefined]);
	const range = node.stream(seed.id, {
		raw: true,
		start: (seed.index ?? 0) + 5,
		end: seed.length - 1,
	});
	assert.ok((await read(range)).equals(Buffer.concat(files).subarray(5)));
	const [first] = files;
	const file = node.stream(seed.id, { raw: false, path: names[0] });
	assert.ok((await read(file)).equals(first as Buffer));
	assert.is(file.result?.verified, 'whole');
});

test('the index is fetched only once for several files and listings', async (t) => {
	const { names, seed, node, events } = await swarm(t);
	assert.ok((seed.index ?? 0) > CHUNK);
	const { entries } = await node.list(seed.id);
	assert.is(entries.length, FILES);
	for (const name of names.slice(-3)) {
		assert.is((await read(node.stream(seed.id, { path: name }))).length, lengthOf(name));
	}
	assert.equal((await node.list(seed.id)).entries, entries);
	const asked = events.flatMap((event) => (event.event === 'asked' ? event.ranges : []));
	const ofIndex = asked.filter(([offset]) => offset < CHUNK);
	const bytes = ofIndex.reduce((sum, [, length]) => sum + length, 0);
	assert.is(bytes, CHUNK, 'the first chunk has the start of the index only');
});

test.run();
