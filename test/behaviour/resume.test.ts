import { open, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { partPathsOf } from '../../node/download/target/part-paths.ts';
import type { Progress } from '../../node/index.ts';
import { Layout, type Seed } from '../../protocol/index.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { contentOf } from '../helpers/fixtures/seeds.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { makeFile, startNode } from '../helpers/harness/node.ts';
import { rejects } from '../helpers/harness/rejects.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';

const test = suite('resuming a download');
const MIB = 1_048_576;
const CHUNK = MIB / 4;
const content = contentOf(4 * MIB + 7);

async function swarm(t: Scope, { maxUp }: { maxUp?: number } = {}) {
	const { url } = await startBroker(t);
	const seeder = await startNode(t, url, maxUp === undefined ? {} : { maxUp });
	const { seed } = await seeder.share(await makeFile(t, content));
	const path = join(await makeFolder(t), 'copy.bin');
	return {
		url,
		seeder,
		seed,
		path,
		places: partPathsOf(path, seed),
		node: await startNode(t, url),
	};
}

/** Starts a download, and stops it when more than 1 MiB has arrived. */
async function interrupt({ seeder, node, seed, path }: Awaited<ReturnType<typeof swarm>>) {
	const stop = new AbortController();
	const onProgress = ({ have }: Progress): void => {
		if (have > MIB) {
			stop.abort();
		}
	};
	await rejects(node.get(seed, { output: path, signal: stop.signal, onProgress }));
	seeder.limitRates(undefined, undefined);
}

/** The total length, in bytes, of the chunks of the content that `bytes` lacks. */
function lacking(seed: Seed, bytes: Uint8Array): number {
	const layout = new Layout(seed.length, CHUNK);
	let sum = 0;
	for (let chunk = 0; chunk < layout.chunks; chunk += 1) {
		const [start, size] = [layout.offsetOf(chunk), layout.sizeOf(chunk)];
		const isThere = Buffer.from(content.subarray(start, start + size)).equals(
			bytes.subarray(start, start + size),
		);
		sum += isThere ? 0 : size;
	}
	return sum;
}

/** The prototype of the objects of all open files. */
async function fileMethods() {
	const handle = await open(process.execPath);
	await handle.close();
	return Object.getPrototypeOf(handle);
}

/** Counts the bytes written to files from now on. */
async function countWrites(t: Scope): Promise<() => number> {
	let written = 0;
	const { writev } = await fileMethods();
	await replaceMethod(t, 'writev', function (this: unknown, buffers: Uint8Array[], ...rest) {
		written += buffers.reduce((sum, { length }) => sum + length, 0);
		return writev.call(this, buffers, ...rest);
	});
	return () => written;
}

/** Replaces a method of every open file. @returns a function that restores the method early */
async function replaceMethod(
	t: Scope,
	name: 'sync' | 'writev',
	method: (buffers: Uint8Array[], ...rest: unknown[]) => Promise<unknown>,
): Promise<() => void> {
	const prototype = await fileMethods();
	const before = prototype[name];
	const undo = (): void => {
		prototype[name] = before;
	};
	prototype[name] = method;
	t.defer(undo);
	return undo;
}

function fails(code: string): () => Promise<never> {
	return () => Promise.reject(Object.assign(new Error(`${code}: no`), { code }));
}

test('a chunk that was changed after the journal recorded it is found at the end, and fetched again', async (t) => {
	const all = await swarm(t, { maxUp: 3_000_000 });
	const { node, seed, path, places } = all;
	await interrupt(all);
	const part = await readFile(places.part);
	const missing = lacking(seed, part);
	const kept = [...Array(16).keys()].find(
		(chunk) => part[chunk * CHUNK + 1] === content[chunk * CHUNK + 1],
	) as number;
	part[kept * CHUNK] = (part[kept * CHUNK] as number) ^ 1;
	await writeFile(places.part, part, { flag: 'r+' });
	const warnings: unknown[] = [];
	node.on('warning', (error) => warnings.push((error as { code?: string }).code));
	const before = node.received.total;
	const { sources } = await node.get(seed, { output: path });
	assert.ok((await readFile(path)).equals(content));
	assert.is(node.received.total - before, missing + CHUNK);
	assert.equal(warnings, ['ERR_CHANGED']);
	assert.is(sources.length, 1);
	assert.is(sources[0]?.bytes, missing + CHUNK);
	assert.equal(await readdir(join(path, '..')), ['copy.bin']);
});

test('a right file that exists already is reported as such and shared, and nothing is fetched', async (t) => {
	const { url, node, seed, path, seeder } = await swarm(t);
	await writeFile(path, content);
	const phases = new Set<string>();
	const result = await node.get(seed, {
		output: path,
		onProgress: ({ phase }) => phases.add(phase),
	});
	const { sources, wasThere, kept } = result;
	assert.equal({ sources, wasThere, kept }, { sources: [], wasThere: true, kept: content.length });
	assert.is(node.received.total, 0);
	await seeder.close();
	const other = await startNode(t, url);
	const copy = await other.get(seed.id, { output: `${path}.2` });
	assert.equal(
		copy.sources.map(({ node: id }) => id),
		[node.id],
	);
});

test('over an older version only the chunks that differ are fetched', async (t) => {
	const { node, seed, path } = await swarm(t);
	const older = content.slice(0, 3 * MIB);
	older.fill(7, MIB, MIB + 10);
	await writeFile(path, older);
	const { kept, wasThere } = await node.get(seed, { output: path });
	assert.ok((await readFile(path)).equals(content));
	assert.is(node.received.total, CHUNK + MIB + 7);
	assert.is(kept, 3 * MIB - CHUNK);
	assert.is(wasThere, false);
	assert.equal(await readdir(join(path, '..')), ['copy.bin']);
});

for (const [code, expected] of [
	['ENOSPC', 'ERR_NO_SPACE'],
	['EIO', 'ERR_IO'],
] as const) {
	test(`F12 F13: ${code} on write ends the download, and verified chunks are kept`, async (t) => {
		const all = await swarm(t, { maxUp: 3_000_000 });
		const { node, seed, path, places } = all;
		await interrupt(all);
		const kept = content.length - lacking(seed, await readFile(places.part));
		const undo = await replaceMethod(t, 'writev', fails(code));
		const error = await rejects(node.get(seed, { output: path }));
		assert.is(error.code, expected);
		assert.match(error.message, 'what is verified is kept');
		undo();
		const before = node.received.total;
		const result = await node.get(seed, { output: path });
		assert.is(node.received.total - before, content.length - kept);
		assert.is(result.kept, kept);
		assert.ok((await readFile(path)).equals(content));
	});

	for (const [what, old] of Object.entries({ nothing: undefined, 'an older version': MIB })) {
		test(`F12 F13: after ${code} on fsync the final path has ${what}, and all chunks are kept`, async (t) => {
			const { node, seed, path, places } = await swarm(t);
			if (old !== undefined) {
				await writeFile(path, content.subarray(0, old));
			}
			const undo = await replaceMethod(t, 'sync', fails(code));
			assert.is((await rejects(node.get(seed, { output: path }))).code, expected);
			undo();
			assert.is((await stat(path).catch(() => undefined))?.size, old);
			assert.ok((await readFile(places.part)).equals(content));
			const before = node.received.total;
			const written = await countWrites(t);
			await node.get(seed, { output: path });
			assert.is(node.received.total, before);
			// After a failed fsync, the system may treat bytes in memory as if they were on the disk.
			assert.ok(written() >= content.length, 'everything was written again');
			assert.ok((await readFile(path)).equals(content));
			assert.equal(await readdir(join(path, '..')), ['copy.bin']);
		});
	}
}

test.run();
