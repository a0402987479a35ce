import { readdir, readFile, rename, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { Progress } from '../../../node/index.ts';
import { Layout, Seed } from '../../../protocol/index.ts';
import { makeFolder, openBelow, useTemporary } from '../../helpers/fixtures/folder.ts';
import { contentOf } from '../../helpers/fixtures/seeds.ts';
import { startBroker } from '../../helpers/harness/broker.ts';
import { makeFile, startNode } from '../../helpers/harness/node.ts';
import { nothingLeftOpen, openResources } from '../../helpers/harness/open-resources.ts';
import { rejects } from '../../helpers/harness/rejects.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('DownloadManager');
const LENGTH = 4 * 1_048_576 + 7;
const MIB = 1_048_576;
const content = contentOf(LENGTH);

async function swarm(t: Scope, { maxUp }: { maxUp?: number } = {}) {
	const { url } = await startBroker(t);
	const seeder = await startNode(t, url, maxUp === undefined ? {} : { maxUp });
	const { seed } = await seeder.share(await makeFile(t, content));
	const folder = await makeFolder(t);
	return { url, seeder, seed, folder, node: await startNode(t, url) };
}

/** The names of the files that a stopped download leaves. */
function namesOfPart({ id }: Seed): string[] {
	return ['journal', 'part'].map((suffix) => `file.bin.${id.slice(0, 8)}.${suffix}`);
}

/** Returns options that stop a download as soon as `isTime` is true. */
function stopWhen(isTime: (progress: Progress) => boolean) {
	const stop = new AbortController();
	const onProgress = (progress: Progress): void => {
		if (isTime(progress)) {
			stop.abort();
		}
	};
	return { signal: stop.signal, onProgress };
}

test('a stopped download keeps its part file, and the next download resumes with it', async (t) => {
	const { url, seeder, seed, folder, node } = await swarm(t, { maxUp: 3_000_000 });
	const options = stopWhen(({ have }) => have >= MIB);
	const error = await rejects(node.get(seed.id, { output: folder, ...options }));
	assert.is(error.code, 'ERR_ABORTED');
	assert.equal((await readdir(folder)).sort(), namesOfPart(seed));
	assert.equal(await openBelow(folder), []);
	seeder.limitRates(undefined, undefined);
	const second = await startNode(t, url);
	const { path } = await second.get(seed.id, { output: folder });
	assert.ok((await readFile(path)).equals(content));
	assert.equal(await readdir(folder), ['file.bin']);
	assert.ok(second.received.total <= LENGTH - MIB, `${second.received.total}`);
});

test('a stopped download can be started again in the same node', async (t) => {
	const { seeder, seed, folder, node } = await swarm(t, { maxUp: 3_000_000 });
	const options = stopWhen(({ have }) => have >= MIB);
	await rejects(node.get(seed, { output: folder, ...options }));
	const before = node.received.total;
	seeder.limitRates(undefined, undefined);
	const { path } = await node.get(seed, { output: folder });
	assert.ok((await readFile(path)).equals(content));
	assert.ok(node.received.total - before <= LENGTH - MIB);
});

test('only the wrong chunks of a damaged part file are fetched again', async (t) => {
	const { seed, folder, node } = await swarm(t);
	const partPath = join(folder, `file.bin.${seed.id.slice(0, 8)}.part`);
	const part = Buffer.from(content);
	part[MIB] = (part[MIB] ?? 0) ^ 1;
	await writeFile(partPath, part);
	await truncate(partPath, LENGTH - 1);
	const { path } = await node.get(seed, { output: folder });
	assert.ok((await readFile(path)).equals(content));
	assert.is(node.received.total, 262_144 + 7);
});

test('a complete part file is verified, and nothing is fetched', async (t) => {
	const { seed, folder, node } = await swarm(t);
	const partPath = join(folder, `file.bin.${seed.id.slice(0, 8)}.part`);
	await writeFile(partPath, content);
	const { path, sources } = await node.get(seed, { output: folder });
	assert.ok((await readFile(path)).equals(content));
	assert.equal(sources, []);
	assert.is(node.received.total, 0);
});

test('a download that is stopped while it is verified keeps all its chunks', async (t) => {
	const { seed, folder, node } = await swarm(t);
	const options = stopWhen(({ phase }) => phase === 'verifying');
	const error = await rejects(node.get(seed, { output: folder, ...options }));
	assert.is(error.code, 'ERR_ABORTED');
	assert.equal((await readdir(folder)).sort(), namesOfPart(seed));
	const before = node.received.total;
	const { path } = await node.get(seed, { output: folder });
	assert.ok((await readFile(path)).equals(content));
	assert.is(node.received.total, before);
});

test('if the signal is already aborted, a download creates nothing', async (t) => {
	const { seed, folder, node } = await swarm(t);
	for (const what of [seed, seed.id]) {
		const error = await rejects(node.get(what, { output: folder, signal: AbortSignal.abort() }));
		assert.is(error.code, 'ERR_ABORTED');
	}
	assert.equal(await readdir(folder), []);
});

for (const phase of ['finding', 'fetching', 'verifying'] as const) {
	test(`a node that is closed while ${phase} ends its download, and nothing stays open`, async (t) => {
		const { url, seed, folder } = await swarm(t, { maxUp: 5_000_000 });
		const before = openResources();
		const node = await startNode(t, url);
		let closing: Promise<void> | undefined;
		const what = phase === 'finding' ? '0'.repeat(64) : seed;
		const error = await rejects(
			node.get(what, {
				output: folder,
				onProgress: (progress) => {
					closing ??= progress.phase === phase ? node.close() : undefined;
				},
			}),
		);
		assert.is(error.code, 'ERR_CLOSED');
		await closing;
		await nothingLeftOpen(before);
		assert.equal(await openBelow(folder), []);
		assert.not((await readdir(folder)).includes('file.bin'));
	});
}

test('a node that is closed while it checks a large part file stops the check', async (t) => {
	const { url, folder } = await swarm(t);
	const large = await makeFile(t, '', 'large.bin');
	await truncate(large, 3 * 2 ** 30);
	const { chunks } = new Layout(3 * 2 ** 30, MIB);
	const digest = new Uint8Array(32);
	const chunkDigests = new Uint8Array(chunks * 32);
	const other = new Seed({ name: 'a', length: 3 * 2 ** 30, kind: 'sha256', digest, chunkDigests });
	const partPath = join(folder, `a.${other.id.slice(0, 8)}.part`);
	await rename(large, partPath);
	const before = openResources();
	const node = await startNode(t, url);
	const getting = rejects(node.get(other, { output: folder }));
	await until('it checks', async () => (await openBelow(folder)).length > 1);
	await node.close();
	assert.is((await getting).code, 'ERR_CLOSED');
	await nothingLeftOpen(before);
	assert.equal(await openBelow(folder), []);
	assert.is((await stat(partPath)).size, 3 * 2 ** 30);
});

test('a stream that is not read to its end stops its download, and leaves no file', async (t) => {
	const { seed, folder, node } = await swarm(t, { maxUp: 10_000_000 });
	useTemporary(t, folder);
	for await (const bytes of node.stream(seed)) {
		assert.equal(Buffer.from(bytes), Buffer.from(content.subarray(0, bytes.length)));
		assert.is((await readdir(folder)).length, 1);
		break;
	}
	assert.equal(await readdir(folder), []);
	assert.equal(await openBelow(folder), []);
	const { path } = await node.get(seed, { output: folder });
	assert.ok((await readFile(path)).equals(content));
});

test('a stream that is stopped fails with ERR_ABORTED, and leaves no file', async (t) => {
	const { seed, folder, node } = await swarm(t, { maxUp: 3_000_000 });
	useTemporary(t, folder);
	for (const delay of [0, 1, 5, 300]) {
		const reading = (async () => {
			for await (const _ of node.stream(seed, { signal: AbortSignal.timeout(delay) })) {
				// Reads until the signal stops it.
			}
		})();
		assert.is((await rejects(reading)).code, 'ERR_ABORTED');
		assert.equal(await readdir(folder), []);
	}
});

test('a stream that has ended leaves no file, and its content is not shared any more', async (t) => {
	const { seed, seeder, folder, node } = await swarm(t);
	useTemporary(t, folder);
	let length = 0;
	for await (const bytes of node.stream(seed)) {
		length += bytes.length;
	}
	assert.is(length, LENGTH);
	assert.equal(await readdir(folder), []);
	await until('it is withdrawn', async () => {
		const { nodes } = await seeder.who(seed.id);
		return nodes.every(({ node: id }) => id !== node.id);
	});
});

test('a download into a missing folder fails at once', async (t) => {
	const { seed, folder, node } = await swarm(t);
	const missing = await rejects(node.get(seed, { output: join(folder, 'no', 'file') }));
	assert.is(missing.code, 'ERR_NO_FILE');
	assert.equal(await readdir(folder), []);
});

test.run();
