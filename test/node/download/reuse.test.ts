import fc from 'fast-check';
import * as assert from 'uvu/assert';
import type { ChunkWriter } from '../../../node/chunk-writer/chunk-writer.ts';
import { InlineWriter } from '../../../node/chunk-writer/inline-writer.ts';
import { Reuse, reusedOf } from '../../../node/download/reuse.ts';
import { digestChunk } from '../../../node/hashing/hasher.ts';
import type { Candidate, KnownBytes } from '../../../node/reuse/known-bytes.ts';
import { ContentStore, type StoredContent } from '../../../node/storage/content-store.ts';
import { MemoryStorage } from '../../../node/storage/memory-storage.ts';
import { Bitfield, type DigestKind } from '../../../protocol/index.ts';
import { contentOf, seedOf } from '../../helpers/fixtures/seeds.ts';
import { rejects } from '../../helpers/harness/rejects.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('Reuse');
const CHUNK = 512;
const never = new AbortController().signal;

interface Rig {
	readonly content: StoredContent;
	readonly storage: MemoryStorage;
	readonly reuse: Reuse;
	/** For each call of the writer, the number of chunks in the call. */
	readonly runs: number[];
	/** Chunks in the order in which they were stored. */
	readonly stored: number[];
}

function rig(bytes: Uint8Array, options: { kind?: DigestKind; have?: number[] } = {}): Rig {
	const seed = seedOf(bytes, { chunkSize: CHUNK, kind: options.kind ?? 'sha256' });
	const storage = new MemoryStorage(seed.length);
	storage.bytes.fill(0xee);
	const have = new Bitfield(seed.chunks);
	for (const chunk of options.have ?? []) {
		have.set(chunk);
	}
	const content: StoredContent = { seed, have, storage };
	const contents = new ContentStore();
	contents.add(content);
	const stored: number[] = [];
	contents.on('stored', (_, chunk) => stored.push(chunk));
	const inline = new InlineWriter(seed, storage, digestChunk);
	const runs: number[] = [];
	const writer: ChunkWriter = {
		write: async (run, segments) => {
			runs.push(run.count);
			return await inline.write(run, segments);
		},
		close: async () => {},
	};
	return { content, storage, reuse: new Reuse(content, { writer, contents }), runs, stored };
}

/** A search with these steps. Each step returns the candidates of a chunk. */
function knownIn(...steps: Array<(chunk: number) => Candidate[]>): KnownBytes & { done: number } {
	const known = {
		done: 0,
		search: async function* () {
			for (const candidates of steps) {
				known.done += 1;
				yield { candidates };
			}
		},
	};
	return known;
}

function candidate(bytes: Uint8Array, origin: Candidate['origin'] = 'known') {
	const results: boolean[] = [];
	const read = async (into: Uint8Array): Promise<void> => into.set(bytes);
	return { origin, read, results, onResult: (isRight: boolean) => results.push(isRight) };
}

/** The bytes that were reused, except those that were in their place. */
function found(reuse: Reuse) {
	const { known, zeros, files } = reuse.of(Number.MAX_SAFE_INTEGER);
	return { known, zeros, files };
}

const chunkOf = (bytes: Uint8Array, chunk: number): Uint8Array =>
	bytes.subarray(chunk * CHUNK, (chunk + 1) * CHUNK);

test('chunks of zeros are stored without a search, many in one write; also a short last chunk', async () => {
	const bytes = new Uint8Array(3_000 * CHUNK + 100);
	bytes[700 * CHUNK] = 1;
	const { content, storage, reuse, runs } = rig(bytes);
	await reuse.takeAll(digestChunk, [], never);
	assert.equal(reuse.missing(), [700]);
	assert.equal(found(reuse), { known: 0, zeros: bytes.length - CHUNK, files: 0 });
	assert.is(content.have.count, 3_000);
	assert.equal([runs.length, Math.max(...runs) * CHUNK], [3, 1024 * 1024]);
	assert.ok(storage.bytes.subarray(0, 700 * CHUNK).every((byte) => byte === 0));
});

test('chunks of zeros that are stored already are not written again', async () => {
	const { reuse, stored } = rig(new Uint8Array(6 * CHUNK), { have: [0, 2, 3] });
	await reuse.takeAll(digestChunk, [], never);
	assert.equal(stored, [1, 4, 5]);
	assert.is(found(reuse).zeros, 3 * CHUNK);
});

test('chunks of zeros are recognized by MD5 digests, too', async () => {
	const { reuse } = rig(new Uint8Array(5 * CHUNK + 1), { kind: 'md5' });
	await reuse.takeAll(digestChunk, [], never);
	assert.equal(reuse.missing(), []);
});

test('if only some files are wanted, only their chunks are missing', async () => {
	const bytes = new Uint8Array(6 * CHUNK);
	const { content, reuse } = rig(bytes);
	const wanted = new Bitfield(6);
	wanted.setRange(1, 3);
	const stored = new Bitfield(6);
	stored.set(2);
	const selected = { paths: new Set<string>(), wanted, whole: wanted, stored };
	Object.assign(content, { selected });
	assert.equal(reuse.missing(), [1, 3]);
	await reuse.takeAll(digestChunk, [], never);
	assert.equal([reuse.missing(), found(reuse).zeros], [[], 2 * CHUNK]);
});

test('a search that finds nothing takes no memory for chunks', async (t) => {
	const Shared = globalThis.SharedArrayBuffer;
	let made = 0;
	globalThis.SharedArrayBuffer = class extends Shared {
		constructor(length: number) {
			super(length);
			made += 1;
		}
	} as SharedArrayBufferConstructor;
	t.defer(() => {
		globalThis.SharedArrayBuffer = Shared;
	});
	const bytes = contentOf(6 * CHUNK);
	const { reuse } = rig(bytes);
	await reuse.takeAll(digestChunk, [knownIn(() => [])], never);
	assert.is(made, 0);
	const one = candidate(chunkOf(bytes, 2));
	await reuse.takeAll(digestChunk, [knownIn((chunk) => (chunk === 2 ? [one] : []))], never);
	assert.equal([made, reuse.missing()], [1, [0, 1, 3, 4, 5]]);
});

test('known chunks are verified and counted by their origin, and each candidate gets its result', async () => {
	const bytes = contentOf(5 * CHUNK + 9);
	const { content, storage, reuse } = rig(bytes);
	const wrong = candidate(contentOf(CHUNK + 1).subarray(0, CHUNK));
	const unreadable = {
		...candidate(bytes),
		read: async () => {
			throw new Error('the disk has failed');
		},
	};
	const right = [0, 1, 2, 3, 4, 5].map((chunk) =>
		candidate(chunkOf(bytes, chunk), chunk < 2 ? 'files' : 'known'),
	);
	const unused = candidate(bytes);
	await reuse.takeAll(
		digestChunk,
		[
			knownIn((chunk) => {
				const own = right[chunk] as Candidate;
				return chunk === 3 ? [wrong] : chunk === 4 ? [wrong, unreadable, own, unused] : [own];
			}),
		],
		never,
	);
	assert.equal(reuse.missing(), [3]);
	assert.equal(found(reuse), { known: 2 * CHUNK + 9, zeros: 0, files: 2 * CHUNK });
	assert.equal(
		[wrong, unreadable, unused, right[4]].map((each) => each?.results),
		[[false, false], [false], [], [true]],
	);
	for (const chunk of content.have.indices()) {
		assert.equal(chunkOf(storage.bytes, chunk), chunkOf(bytes, chunk));
	}
	assert.ok(
		chunkOf(storage.bytes, 3).every((byte) => byte === 0xee),
		'nothing wrong is written',
	);
});

test('the search goes on with the next step, and ends when nothing is missing', async () => {
	const bytes = contentOf(4 * CHUNK);
	const { reuse } = rig(bytes);
	const known = knownIn(
		(chunk) => (chunk === 1 ? [candidate(chunkOf(bytes, 1))] : []),
		(chunk) => [candidate(chunkOf(bytes, chunk))],
		() => assert.unreachable() as never,
	);
	await reuse.takeAll(digestChunk, [known], never);
	assert.equal([known.done, reuse.missing()], [2, []]);
});

test('at most 32 chunks are read at a time', async () => {
	const bytes = contentOf(40 * CHUNK);
	const { reuse } = rig(bytes);
	let [now, most] = [0, 0];
	await reuse.takeAll(
		digestChunk,
		[
			knownIn((chunk) => [
				{
					...candidate(bytes),
					read: async (into) => {
						now += 1;
						most = Math.max(most, now);
						await new Promise((resolve) => setImmediate(resolve));
						into.set(chunkOf(bytes, chunk));
						now -= 1;
					},
				},
			]),
		],
		never,
	);
	assert.equal([reuse.missing(), most], [[], 32]);
});

test('a search that is stopped ends, and what was stored stays', async () => {
	const bytes = contentOf(40 * CHUNK);
	const { content, reuse } = rig(bytes);
	const controller = new AbortController();
	const known = knownIn((chunk) => {
		if (chunk === 10) {
			controller.abort();
		}
		return [candidate(chunkOf(bytes, chunk))];
	});
	await rejects(reuse.takeAll(digestChunk, [known], controller.signal));
	assert.ok(content.have.count < 40, `${content.have.count}`);
	await rejects(rig(new Uint8Array(CHUNK)).reuse.takeAll(digestChunk, [], AbortSignal.abort()));
});

test('an error of the writer ends the search', async () => {
	const bytes = contentOf(3 * CHUNK);
	const { content } = rig(bytes);
	const writer: ChunkWriter = {
		write: () => Promise.reject(new Error('the disk is full')),
		close: async () => {},
	};
	const reuse = new Reuse(content, { writer, contents: new ContentStore() });
	const known = knownIn((chunk) => [candidate(chunkOf(bytes, chunk))]);
	assert.match(
		(await rejects(reuse.takeAll(digestChunk, [known], never))).message,
		'the disk is full',
	);
});

test('the numbers of reused bytes add up, even if chunks that were found had to be fetched later', () => {
	fc.assert(
		fc.property(fc.nat(100), fc.nat(50), fc.nat(50), fc.nat(50), (kept, known, zeros, files) => {
			const { place, ...found } = reusedOf(kept, { known, zeros, files });
			assert.is(place + found.known + found.zeros + found.files, kept);
			assert.ok(Math.min(place, found.known, found.zeros, found.files) >= 0);
			assert.ok(found.known <= known && found.zeros <= zeros && found.files <= files);
			assert.ok(place === 0 || place === kept - known - zeros - files);
		}),
	);
});

test.run();
