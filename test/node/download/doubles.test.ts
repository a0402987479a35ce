import * as assert from 'uvu/assert';
import type { ChunkWriter } from '../../../node/chunk-writer/chunk-writer.ts';
import { InlineWriter } from '../../../node/chunk-writer/inline-writer.ts';
import { Doubles } from '../../../node/download/doubles.ts';
import { digestChunk } from '../../../node/hashing/hasher.ts';
import { ContentStore, type StoredContent } from '../../../node/storage/content-store.ts';
import { MemoryStorage } from '../../../node/storage/memory-storage.ts';
import { Bitfield, type DigestKind, Seed } from '../../../protocol/index.ts';
import { contentOf, seedOf } from '../../helpers/fixtures/seeds.ts';
import { rejects } from '../../helpers/harness/rejects.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('Doubles');
const CHUNK = 512;
const [A, B, C] = [contentOf(CHUNK), contentOf(CHUNK + 1).slice(1), contentOf(CHUNK + 2).slice(2)];

function rig(
	parts: readonly Uint8Array[],
	{
		missing = [...parts.keys()],
		kind = 'sha256' as DigestKind,
		selected,
		writer,
	}: {
		missing?: number[];
		kind?: DigestKind;
		selected?: StoredContent['selected'];
		writer?: ChunkWriter;
	} = {},
) {
	const bytes = new Uint8Array(Buffer.concat(parts));
	const seed = seedOf(bytes, { chunkSize: CHUNK, kind });
	const storage = new MemoryStorage(seed.length);
	const have = new Bitfield(seed.chunks);
	const content: StoredContent = { seed, have, storage, selected };
	const contents = new ContentStore();
	contents.add(content);
	const inline = new InlineWriter(seed, storage, digestChunk);
	const doubles = new Doubles(content, missing, { writer: writer ?? inline, contents });
	/** Stores chunks as if they had been fetched. */
	const fetch = async (...chunks: number[]): Promise<void> => {
		for (const chunk of chunks) {
			await storage.write(chunk * CHUNK, parts[chunk] as Uint8Array);
			contents.gain(content, chunk);
		}
	};
	const later = [...doubles.chunks.indices()];
	return { bytes, seed, storage, content, contents, doubles, fetch, later };
}

test('of chunks that repeat each other, only the first is fetched, and the others are copied from it', async () => {
	const { bytes, storage, content, doubles, fetch, later } = rig([A, B, A, A, C, B]);
	assert.equal(later, [2, 3, 5]);
	await fetch(1, 4, 0);
	await doubles.end();
	assert.ok(content.have.isFull);
	assert.equal(storage.bytes, bytes);
	assert.is(doubles.bytes, 3 * CHUNK);
});

test('chunks without a repetition are all fetched', async () => {
	const { doubles, later } = rig([A, B, C]);
	await doubles.end();
	assert.equal([later, doubles.bytes], [[], 0]);
});

test('a chunk that repeats a stored chunk is fetched, unless it also repeats a missing chunk', () => {
	assert.equal(rig([A, A, A, B], { missing: [1, 2, 3] }).later, [2]);
	assert.equal(rig([A, A, B], { missing: [1, 2] }).later, []);
});

test('chunks with MD5 digests that repeat each other are found, too', async () => {
	const { doubles, fetch, content, later } = rig([A, B, A], { kind: 'md5' });
	assert.equal(later, [2]);
	await fetch(0, 1);
	await doubles.end();
	assert.ok(content.have.isFull);
});

test('chunks whose digests have only the first bytes in common are all fetched', () => {
	const digests = Buffer.alloc(3 * 32, 7);
	digests[63] = 1;
	const digest = new Uint8Array(32);
	const seed = new Seed({
		...{ name: 'file.bin', kind: 'sha256', length: 3 * CHUNK, digest },
		chunkDigests: new Uint8Array(digests),
	});
	const have = new Bitfield(3);
	const content: StoredContent = { seed, have, storage: new MemoryStorage(seed.length) };
	const contents = new ContentStore();
	const writer = new InlineWriter(seed, content.storage, digestChunk);
	const doubles = new Doubles(content, [0, 1, 2], { writer, contents });
	assert.equal([...doubles.chunks.indices()], [2]);
});

test('nothing is copied from a chunk of which only some bytes are stored', async () => {
	const field = (...chunks: number[]): Bitfield => {
		const bits = new Bitfield(4);
		for (const chunk of chunks) {
			bits.set(chunk);
		}
		return bits;
	};
	const selected = {
		...{ paths: new Set<string>(), wanted: field(0, 1, 2, 3), whole: field(1, 2) },
		stored: field(),
	};
	const { later, fetch, doubles } = rig([A, A, A, A], { selected });
	assert.equal(later, [2, 3]);
	await fetch(1);
	await doubles.end();
	assert.equal([...selected.stored.indices()], [1, 2, 3]);
});

test('a copy whose source has changed on the disk is not stored', async () => {
	const { storage, content, doubles, fetch, contents } = rig([A, A, B]);
	await storage.write(0, B);
	contents.gain(content, 0);
	await fetch(2);
	await doubles.end();
	assert.equal([...content.have.indices()], [0, 2]);
	assert.is(doubles.bytes, 0);
});

test('after the end nothing is copied, and an error of the writer is thrown at the end', async () => {
	const ended = rig([A, A]);
	await ended.doubles.end();
	await ended.fetch(0);
	assert.not.ok(ended.content.have.has(1));
	const writer: ChunkWriter = {
		write: () => Promise.reject(new Error('the disk is full')),
		close: async () => {},
	};
	const failing = rig([A, A, A], { writer });
	await failing.fetch(0);
	assert.match((await rejects(failing.doubles.end())).message, 'the disk is full');
});

test('65,536 chunks that all repeat one chunk are found quickly', () => {
	const count = 65_536;
	const digest = Buffer.from(seedOf(A).chunkDigest(0));
	const seed = new Seed({
		...{ name: 'file.bin', kind: 'sha256', length: count * CHUNK, digest },
		chunkDigests: new Uint8Array(Buffer.concat(Array(count).fill(digest))),
	});
	const content: StoredContent = {
		...{ seed, have: new Bitfield(count), storage: new MemoryStorage(0) },
	};
	const startedAt = performance.now();
	const writer = new InlineWriter(seed, content.storage, digestChunk);
	const missing = Array.from({ length: count }, (_, chunk) => chunk);
	const doubles = new Doubles(content, missing, { writer, contents: new ContentStore() });
	const ms = performance.now() - startedAt;
	assert.is(doubles.chunks.count, count - 1);
	assert.ok(ms < 1_000, `${ms} ms`);
});

test.run();
