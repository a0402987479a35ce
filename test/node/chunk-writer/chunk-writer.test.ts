import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, readFile, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import type { ChunkWriter } from '../../../node/chunk-writer/chunk-writer.ts';
import { ContentThread, threadOf } from '../../../node/chunk-writer/content-thread.ts';
import type { ContentThreads } from '../../../node/chunk-writer/content-threads.ts';
import { ContentWriter } from '../../../node/chunk-writer/content-writer.ts';
import { EventLoopThread } from '../../../node/chunk-writer/event-loop-thread.ts';
import { InlineWriter } from '../../../node/chunk-writer/inline-writer.ts';
import type { ThreadCommand } from '../../../node/chunk-writer/thread-messages.ts';
import { ThreadWriter } from '../../../node/chunk-writer/thread-writer.ts';
import { digestChunk } from '../../../node/hashing/hasher.ts';
import { ContentFiles } from '../../../node/storage/content-files.ts';
import { OpenFiles } from '../../../node/storage/content-place.ts';
import { FileStorage } from '../../../node/storage/file-storage.ts';
import { Bitfield, type Seed } from '../../../protocol/index.ts';
import { makeFolder } from '../../helpers/fixtures/folder.ts';
import { contentOf, seedOf } from '../../helpers/fixtures/seeds.ts';
import { rejects } from '../../helpers/harness/rejects.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';

const CHUNK = 512;
const LENGTH = 10 * CHUNK + 100;
const content = contentOf(LENGTH);
const seed = seedOf(content, { chunkSize: CHUNK });

/** Opens new files of these lengths for writing. */
async function filesOf(t: Scope, lengths: readonly number[]): Promise<FileStorage> {
	const folder = await makeFolder(t);
	const pieces = lengths.map((length, file) => ({ path: join(folder, `${file}`), length }));
	const storage = await FileStorage.openToWrite(pieces);
	t.defer(() => storage.close());
	return storage;
}

async function stored(storage: FileStorage, length = LENGTH): Promise<Uint8Array> {
	const bytes = new Uint8Array(length);
	await storage.read(0, bytes);
	return bytes;
}

/** Copies `bytes` into shared memory and returns them in segments, split at `cuts`. */
function segmentsOf(bytes: Uint8Array, cuts: readonly number[] = []): Uint8Array[] {
	const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
	shared.set(bytes);
	const borders = [0, ...cuts, bytes.length];
	return borders.slice(1).map((end, index) => shared.subarray(borders[index], end));
}

const chunksOf = (first: number, count: number): Uint8Array =>
	content.subarray(first * CHUNK, (first + count) * CHUNK);

const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const WRITERS: Record<string, (seed: Seed, storage: FileStorage) => ChunkWriter> = {
	'on the event loop': (of, storage) => new InlineWriter(of, storage, digestChunk),
	'in a thread': (of, storage) => new ThreadWriter(of, storage, undefined),
};

for (const [where, make] of Object.entries(WRITERS)) {
	const test = suite(`chunks are written ${where}`);
	const setUp = async (t: Scope, lengths = [LENGTH]) => {
		const storage = await filesOf(t, lengths);
		const writer = make(seed, storage);
		t.defer(() => writer.close());
		return { storage, writer };
	};

	test('the last chunk, which is shorter, is written', async (t) => {
		const { storage, writer } = await setUp(t);
		const good = await writer.write({ first: 9, count: 2 }, segmentsOf(chunksOf(9, 2)));
		assert.equal(good, [true, true]);
		assert.equal((await stored(storage)).subarray(9 * CHUNK), content.subarray(9 * CHUNK));
	});

	test('wrong chunks are reported and not written; right chunks beside them are written', async (t) => {
		const { storage, writer } = await setUp(t);
		const bytes = Uint8Array.from(chunksOf(0, 5));
		bytes.fill(0, CHUNK, CHUNK + 9);
		bytes.fill(255, 3 * CHUNK + 7, 3 * CHUNK + 9);
		const good = await writer.write({ first: 0, count: 5 }, segmentsOf(bytes));
		assert.equal(good, [true, false, true, false, true]);
		const found = await stored(storage);
		const expected = Uint8Array.from(chunksOf(0, 5))
			.fill(0, CHUNK, 2 * CHUNK)
			.fill(0, 3 * CHUNK, 4 * CHUNK);
		assert.equal(found.subarray(0, 5 * CHUNK), expected);
	});

	test('chunks are written from any segments and across any files', async (t) => {
		const cut = fc.integer({ min: 1, max: LENGTH - 1 });
		const cuts = fc.uniqueArray(cut, { maxLength: 12 }).map((all) => all.sort((a, b) => a - b));
		await fc.assert(
			fc.asyncProperty(cuts, cuts, async (inMemory, inFiles) => {
				const borders = [0, ...inFiles, LENGTH];
				const lengths = borders.slice(1).map((end, index) => end - (borders[index] as number));
				const { storage, writer } = await setUp(t, lengths);
				const good = await writer.write({ first: 0, count: 11 }, segmentsOf(content, inMemory));
				assert.ok(good.every(Boolean));
				assert.equal(await stored(storage), content);
				await writer.close();
				await storage.close();
			}),
			{ numRuns: 30 },
		);
	});

	test('chunks are written from memory that is not shared, also from a view of a larger buffer', async (t) => {
		const { storage, writer } = await setUp(t);
		const larger = new Uint8Array(10_000);
		larger.set(chunksOf(2, 2), 77);
		const view = larger.subarray(77, 77 + 2 * CHUNK);
		assert.equal(await writer.write({ first: 2, count: 2 }, [view]), [true, true]);
		assert.equal((await stored(storage)).subarray(2 * CHUNK, 4 * CHUNK), chunksOf(2, 2));
	});

	test('zeros are not written into holes, but are written over other bytes', async (t) => {
		const size = 256 * 1024;
		const sparse = new Uint8Array(4 * size);
		sparse.set(contentOf(1_000), 2 * size + 100);
		const holey = seedOf(sparse, { chunkSize: size });
		const storage = await filesOf(t, [3 * size, size]);
		await storage.write(3 * size, new Uint8Array(1_000).fill(7));
		const writer = make(holey, storage);
		t.defer(() => writer.close());
		const good = await writer.write(
			{ first: 0, count: 4 },
			segmentsOf(sparse, [size + 9, 3 * size]),
		);
		assert.ok(good.every(Boolean));
		assert.equal(await stored(storage, 4 * size), sparse);
		const { blocks } = await stat(storage.path);
		assert.ok(blocks * 512 <= size / 2, `${blocks} blocks`);
	});

	test('a file that was removed is ERR_NO_FILE', async (t) => {
		const { storage, writer } = await setUp(t);
		await unlink(storage.path);
		const { code } = await rejects(
			writer.write({ first: 0, count: 1 }, segmentsOf(chunksOf(0, 1))),
		);
		assert.is(code, 'ERR_NO_FILE');
	});

	test('close waits for writes that have begun', async (t) => {
		const { storage, writer } = await setUp(t);
		const writing = writer.write({ first: 0, count: 11 }, segmentsOf(content));
		await writer.close();
		assert.equal(await stored(storage), content);
		assert.ok((await writing).every(Boolean));
	});

	test.run();
}

async function hashing(t: Scope, threads: () => ContentThreads, have = new Bitfield(seed.chunks)) {
	const storage = await filesOf(t, [1_000, 0, LENGTH - 1_000]);
	for (const chunk of have.indices()) {
		await storage.write(chunk * CHUNK, chunksOf(chunk, 1));
	}
	const writer = new ThreadWriter(seed, storage, have, threads());
	t.defer(() => writer.close());
	const put = (first: number, count: number) =>
		writer.write({ first, count }, segmentsOf(chunksOf(first, count)));
	return { storage, writer, put };
}

/** An event loop that is too busy after some messages. */
class BusyAfter extends EventLoopThread {
	#left: number;

	constructor(messages: number) {
		super();
		this.#left = messages;
	}

	override get isBusy(): boolean {
		return this.#left <= 0;
	}

	override postMessage(commands: readonly ThreadCommand[]): void {
		this.#left -= 1;
		super.postMessage(commands);
	}
}

const THREADS: Record<string, () => ContentThreads> = {
	'in the thread that writes': () => ({ writing: ContentThread.writing, hashing: undefined }),
	'in a second thread': () => ({ writing: ContentThread.writing, hashing: ContentThread.hashing }),
	'on the event loop, then in a thread': () => ({
		writing: new ContentThread(new BusyAfter(2)),
		hashing: undefined,
		next: () => ContentThread.writing,
	}),
};

for (const [where, threads] of Object.entries(THREADS)) {
	const test = suite(`the digest of the whole, computed ${where}`);

	test('is right for chunks that come in order', async (t) => {
		const { writer, put } = await hashing(t, threads);
		for (let first = 0; first < 11; first += 1) {
			await put(first, 1);
		}
		assert.ok(await writer.isRight());
	});

	test('is right for chunks that come in any order, also if isRight is called before the last chunk', async (t) => {
		await fc.assert(
			fc.asyncProperty(
				fc.shuffledSubarray([...Array(11).keys()], { minLength: 11 }),
				async (order) => {
					const { writer, put } = await hashing(t, threads);
					const right = writer.isRight();
					for (const chunk of order) {
						void put(chunk, 1);
					}
					assert.ok(await right);
					await writer.close();
				},
			),
			{ numRuns: 30 },
		);
	});

	test('is computed from the stored chunks and the new chunks', async (t) => {
		const have = new Bitfield(seed.chunks);
		have.setRange(0, 4);
		have.set(6);
		const { writer, put } = await hashing(t, threads, have);
		await put(4, 2);
		await put(7, 4);
		assert.ok(await writer.isRight());
	});

	test('starts again when stored chunks are found to be wrong', async (t) => {
		const { storage, writer, put } = await hashing(t, threads);
		await put(0, 11);
		await storage.write(CHUNK, new Uint8Array(CHUNK));
		assert.ok(await writer.isRight(), 'the digest was computed from memory');
		const right = Bitfield.full(seed.chunks);
		right.clear(1);
		writer.restart(right);
		await put(1, 1);
		assert.ok(await writer.isRight());
		assert.is(digestOf(await stored(storage)), seed.digest);
	});

	test('the signal ends the wait for the digest', async (t) => {
		const { writer } = await hashing(t, threads);
		const abort = new AbortController();
		const right = writer.isRight(abort.signal);
		abort.abort();
		assert.is((await rejects(right)).code, 'ERR_ABORTED');
	});

	test('close ends the wait for the digest, and a write after close fails', async (t) => {
		const { writer, put } = await hashing(t, threads);
		const right = rejects(writer.isRight());
		await writer.close();
		assert.is((await right).code, 'ERR_IO');
		assert.is((await rejects(put(0, 1))).code, 'ERR_IO');
		const next = await hashing(t, threads);
		assert.equal(await next.put(0, 11), Array(11).fill(true), 'the thread still works');
	});

	test('waiting for chunks takes no processor time', async (t) => {
		const { writer, put } = await hashing(t, threads);
		const right = writer.isRight();
		await put(1, 10);
		const before = process.cpuUsage();
		await new Promise((resolve) => setTimeout(resolve, 500));
		const { user, system } = process.cpuUsage(before);
		assert.ok(user + system < 250_000, `${user + system} us in 500 ms`);
		await put(0, 1);
		assert.ok(await right);
	});

	test('a file that becomes shorter is ERR_CHANGED', async (t) => {
		const folder = await makeFolder(t);
		const path = join(folder, 'file');
		await writeFile(path, content);
		const storage = await FileStorage.openToWrite([{ path, length: LENGTH }]);
		t.defer(() => storage.close());
		await writeFile(path, content.subarray(0, 700));
		const writer = new ThreadWriter(seed, storage, Bitfield.full(seed.chunks), threads());
		t.defer(() => writer.close());
		assert.is((await rejects(writer.isRight())).code, 'ERR_CHANGED');
	});

	test('new chunks are stored although stored chunks cannot be read for the digest', async (t) => {
		const path = join(await makeFolder(t), 'file');
		await writeFile(path, content);
		const file = await open(path, constants.O_WRONLY);
		t.defer(() => file.close());
		const pieces = [{ fd: file.fd, path, length: LENGTH, keepsHoles: false }];
		const have = new Bitfield(seed.chunks);
		have.set(0);
		const writer = new ThreadWriter(
			seed,
			{ location: { pieces }, path, checkNamed: () => {} },
			have,
			threads(),
		);
		t.defer(() => writer.close());
		const good = await writer.write({ first: 1, count: 10 }, segmentsOf(chunksOf(1, 10)));
		assert.equal(good, Array(10).fill(true));
		assert.is((await rejects(writer.isRight())).code, 'ERR_IO');
	});

	test.run();
}

const faults = suite('the threads that write and hash');

for (const role of ['writing', 'hashing'] as const) {
	faults(
		`the thread for ${role} ends: writes fail, and the next content gets a new thread`,
		async (t) => {
			const script = join(await makeFolder(t), 'ends.mjs');
			await writeFile(
				script,
				"import { parentPort } from 'node:worker_threads';\nparentPort.on('message', () => process.exit(1));\n",
			);
			const storage = await filesOf(t, [LENGTH]);
			const ends = new ContentThread(threadOf(new URL(`file://${script}`)));
			const threads = { writing: ContentThread.writing, hashing: undefined, [role]: ends };
			const writer = new ThreadWriter(seed, storage, new Bitfield(seed.chunks), threads);
			for (const first of [0, 1]) {
				const writing = writer.write({ first, count: 1 }, segmentsOf(chunksOf(first, 1)));
				assert.is((await rejects(writing)).code, 'ERR_IO');
			}
			await writer.close();
			const next = new ThreadWriter(seed, storage, undefined);
			assert.equal(
				await next.write({ first: 0, count: 11 }, segmentsOf(content)),
				Array(11).fill(true),
			);
			await next.close();
		},
	);
}

faults('one thread writes several contents at a time, each with its own error', async (t) => {
	const [broken, whole] = [await filesOf(t, [LENGTH]), await filesOf(t, [LENGTH])];
	const first = new ThreadWriter(seed, broken, undefined);
	const second = new ThreadWriter(seed, whole, new Bitfield(seed.chunks));
	const full = await open('/dev/full', 'r+');
	t.defer(() => full.close());
	const path = '/dev/full';
	const pieces = [{ path, length: LENGTH, fd: full.fd, keepsHoles: false }];
	const files = { location: { pieces }, path, checkNamed: () => {} };
	const third = new ThreadWriter(seed, files, undefined);
	const writes = [first, second, third].map((each) =>
		each.write({ first: 0, count: 11 }, segmentsOf(content)),
	);
	assert.is((await rejects(writes[2] as Promise<unknown>)).code, 'ERR_NO_SPACE');
	assert.ok((await Promise.all(writes.slice(0, 2))).flat().every(Boolean));
	assert.ok(await second.isRight());
	await Promise.all([first, second, third].map((each) => each.close()));
	assert.equal(new Uint8Array(await readFile(broken.path)), content);
});

faults('an unknown error of the system is reported with its code', () => {
	const path = 'file';
	const place = new OpenFiles([{ path, fd: 1_000_000, length: LENGTH, keepsHoles: false }]);
	const digests = seed.chunkDigests();
	const content = { kind: 'sha256', length: LENGTH, chunkSize: CHUNK, digests } as const;
	const writer = new ContentWriter(content, new ContentFiles(place));
	assert.throws(() => writer.write(0, 2, segmentsOf(chunksOf(0, 2))), /EBADF/);
});

faults.run();
