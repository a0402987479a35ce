import { type FileHandle, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { IoQueue } from '../../../node/storage/io-queue.ts';
import { makeFolder } from '../../helpers/fixtures/folder.ts';
import { rejects } from '../../helpers/harness/rejects.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';

const test = suite('IoQueue');

type Handle = Pick<FileHandle, 'writev'>;

/** A queue that makes at most two writes at a time. */
function writesTo(handle: Handle): IoQueue {
	return new IoQueue(async (buffers, at) => (await handle.writev(buffers, at)).bytesWritten, {
		atOnce: 2,
		mostBytes: 4 * 1024 * 1024,
	});
}

interface Written {
	readonly at: number;
	readonly count: number;
	readonly bytes: Buffer;
}

/** A file that writes as many bytes of each write as `take` returns, and records the writes. */
function fakeHandle(take: (length: number, at: number) => number): {
	handle: Handle;
	writes: Written[];
} {
	const writes: Written[] = [];
	const writev = async (buffers: readonly Uint8Array[], at: number): Promise<unknown> => {
		await new Promise((resolve) => setImmediate(resolve));
		const bytes = Buffer.concat(buffers);
		const bytesWritten = take(bytes.length, at);
		writes.push({ at, count: buffers.length, bytes: bytes.subarray(0, bytesWritten) });
		return { bytesWritten, buffers };
	};
	return { handle: { writev } as Handle, writes };
}

async function makeFile(t: Scope): Promise<{ path: string; queue: IoQueue; close(): unknown }> {
	const path = join(await makeFolder(t), 'file');
	const handle = await open(path, 'w+');
	t.defer(() => handle.close());
	return { path, queue: writesTo(handle), close: () => handle.close() };
}

test('a file is complete after its pieces were written in any order', async (t) => {
	const { path, queue } = await makeFile(t);
	const anyFile = fc
		.array(fc.uint8Array({ maxLength: 2_000 }), { minLength: 1, maxLength: 60 })
		.chain((pieces) =>
			fc.record({
				pieces: fc.constant(pieces),
				order: fc.shuffledSubarray([...pieces.keys()], { minLength: pieces.length }),
			}),
		);
	await fc.assert(
		fc.asyncProperty(anyFile, async ({ pieces, order }) => {
			const starts: number[] = [];
			pieces.reduce((at, { length }) => {
				starts.push(at);
				return at + length;
			}, 0);
			await Promise.all(
				order.map((piece) => queue.move(starts[piece] as number, pieces[piece] as Uint8Array)),
			);
			const whole = Buffer.concat(pieces);
			assert.ok((await readFile(path)).subarray(0, whole.length).equals(whole));
		}),
		{ numRuns: 50 },
	);
});

test('consecutive waiting pieces are written with one call', async () => {
	const { handle, writes } = fakeHandle((length) => length);
	const queue = writesTo(handle);
	const all = [0, 1, 2, 3, 5, 4, 9].map((place) => queue.move(place * 10, Buffer.alloc(10, place)));
	await Promise.all(all);
	assert.equal(
		writes.map(({ at, count }) => [at, count]),
		[
			[0, 6],
			[90, 1],
		],
	);
});

test('each write has at most 4 MiB and 256 buffers', async () => {
	const { handle, writes } = fakeHandle((length) => length);
	const queue = writesTo(handle);
	const large = Array.from({ length: 12 }, (_, place) =>
		queue.move(place * 1_048_576, Buffer.alloc(1_048_576)),
	);
	const start = 12 * 1_048_576;
	const small = Array.from({ length: 600 }, (_, place) =>
		queue.move(start + place, Buffer.alloc(1)),
	);
	await Promise.all([...large, ...small]);
	assert.ok(writes.every(({ bytes, count }) => bytes.length <= 4 << 20 && count <= 256));
	assert.ok(writes.length <= 8, `${writes.length} writes`);
});

test('after a partial write, the rest is written', async () => {
	for (const most of [1, 7, 10, 25]) {
		const { handle, writes } = fakeHandle((length) => Math.min(length, most));
		const queue = writesTo(handle);
		await Promise.all(
			[4, 0, 1, 2, 3].map((place) => queue.move(place * 10, Buffer.alloc(10, place))),
		);
		const file = Buffer.alloc(50, 0xff);
		for (const { at, bytes } of writes) {
			bytes.copy(file, at);
		}
		assert.ok(file.equals(Buffer.concat([0, 1, 2, 3, 4].map((place) => Buffer.alloc(10, place)))));
	}
});

test('each of several writes at one position settles', async (t) => {
	const { path, queue } = await makeFile(t);
	const same = Buffer.from('same');
	await Promise.all(Array.from({ length: 20 }, () => queue.move(0, same)));
	await Promise.all([queue.move(4, same), queue.move(4, Buffer.alloc(0)), queue.move(4, same)]);
	assert.is(await readFile(path, 'utf8'), 'samesame');
});

test('if a combined write fails in the middle, the pieces before the failure succeed, and later writes are tried', async () => {
	const { handle } = fakeHandle((length, at) => {
		if (at === 15) {
			throw Object.assign(new Error('full'), { code: 'ENOSPC' });
		}
		return at < 15 ? Math.min(length, 15 - at) : length;
	});
	const queue = writesTo(handle);
	const first = queue.move(1_000, Buffer.alloc(5));
	const second = queue.move(2_000, Buffer.alloc(5));
	const run = [0, 10, 20].map((at) => queue.move(at, Buffer.alloc(10)));
	const later = queue.move(500, Buffer.alloc(1));
	const outcomes = await Promise.allSettled([first, second, ...run, later]);
	assert.equal(
		outcomes.map(({ status }) => status),
		['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'rejected', 'fulfilled'],
	);
	assert.is((await rejects(run[2] as Promise<void>)).code, 'ENOSPC');
});

test('a write of 0 bytes by the system is an error', async () => {
	const queue = writesTo(fakeHandle(() => 0).handle);
	assert.match((await rejects(queue.move(0, Buffer.alloc(1)))).message, 'no bytes');
});

test('every waiting write settles when the file is closed', async (t) => {
	const { queue, close } = await makeFile(t);
	const writes = Array.from({ length: 50 }, (_, place) =>
		queue.move(place * 2_000_000, Buffer.alloc(1_000_000)),
	);
	const closing = close();
	await Promise.allSettled(writes);
	await closing;
	await rejects(queue.move(0, Buffer.alloc(1)));
});

test.run();
