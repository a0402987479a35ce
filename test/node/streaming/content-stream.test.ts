import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { ContentSource } from '../../../node/download/content-source.ts';
import { ContentStore, type StoredContent } from '../../../node/storage/content-store.ts';
import { MemoryStorage } from '../../../node/storage/memory-storage.ts';
import { ContentStream, type StreamOptions } from '../../../node/streaming/content-stream.ts';
import { Bitfield } from '../../../protocol/index.ts';
import { contentOf, seedOf } from '../../helpers/fixtures/seeds.ts';
import { rejects } from '../../helpers/harness/rejects.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('ContentStream');

function makeContent(length: number) {
	const content = contentOf(length);
	const seed = seedOf(content);
	const contents = new ContentStore();
	const storage = new MemoryStorage(length);
	const holding: StoredContent = { seed, have: new Bitfield(seed.chunks), storage };
	contents.add(holding);
	const gain = async (chunk: number): Promise<void> => {
		const start = seed.layout.offsetOf(chunk);
		await storage.write(start, content.subarray(start, start + seed.layout.sizeOf(chunk)));
		contents.gain(holding, chunk);
	};
	/** Opens a stream of the content that is held here; it fails when the content is removed. */
	const stream = (options: StreamOptions = {}, after?: Error): ContentStream =>
		new ContentStream(async (signal) => {
			const held = contents.get(seed.id);
			if (held === undefined) {
				throw after;
			}
			return new ContentSource(contents, held, { signal }, undefined, () => {});
		}, options);
	return { content, holdings: contents, holding, gain, stream };
}

async function read(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
	const chunks: Uint8Array[] = [];
	for await (const chunk of stream) {
		chunks.push(chunk);
	}
	return Buffer.concat(chunks);
}

for (const length of [0, 1, 512, 513, 5_000]) {
	test(`returns all ${length} bytes of a complete content`, async () => {
		const { content, holding, gain, stream } = makeContent(length);
		for (let chunk = 0; chunk < holding.seed.chunks; chunk += 1) {
			await gain(chunk);
		}
		const all = stream();
		assert.equal(await read(all), Buffer.from(content));
		const { verified, start, length: bytes } = all.result ?? {};
		assert.equal([verified, start, bytes], ['whole', 0, length]);
	});
}

test('returns the bytes in order, whatever the order in which chunks arrive', async () => {
	const order = fc.shuffledSubarray([...Array(10).keys()], { minLength: 10 });
	await fc.assert(
		fc.asyncProperty(order, async (chunks) => {
			const { content, gain, stream } = makeContent(5_000);
			const reading = read(stream());
			for (const chunk of chunks) {
				await gain(chunk);
			}
			assert.equal(await reading, Buffer.from(content));
		}),
		{ numRuns: 50 },
	);
});

test('returns the same bytes as fs.createReadStream for any range, and says that the chunks are verified', async () => {
	const path = join(tmpdir(), `shoal-range-${process.pid}`);
	const { content, holding, gain, stream } = makeContent(1_300);
	for (let chunk = 0; chunk < holding.seed.chunks; chunk += 1) {
		await gain(chunk);
	}
	await writeFile(path, content);
	try {
		await fc.assert(
			fc.asyncProperty(fc.nat(1_299), fc.nat(2_000), async (start, more) => {
				const range = { start, end: start + more };
				const ranged = stream(range);
				assert.equal(await read(ranged), await read(createReadStream(path, range)));
				assert.is(ranged.result?.verified, start === 0 && more >= 1_299 ? 'whole' : 'chunks');
				const { length } = await ranged.opened;
				assert.is(length, Math.min(more + 1, 1_300 - start));
			}),
		);
	} finally {
		await rm(path);
	}
});

test('a start below 0 counts from the end', async () => {
	const { content, gain, stream } = makeContent(600);
	await gain(0);
	await gain(1);
	assert.equal(await read(stream({ start: -90 })), Buffer.from(content.subarray(510)));
	assert.equal(await read(stream({ start: -9_000 })), Buffer.from(content));
});

test('a range that starts at or beyond the end is ERR_RANGE, both from the stream and from its promise opened', async () => {
	const { stream } = makeContent(600);
	const beyond = stream({ start: 600 });
	assert.is((await rejects(beyond.opened)).code, 'ERR_RANGE');
	assert.is((await rejects(read(stream({ start: 600, end: 700 })))).code, 'ERR_RANGE');
});

test('opened resolves with the position and length of the range before the first byte arrives', async () => {
	const { holding, stream } = makeContent(600);
	const waiting = stream({ start: 100 });
	const { seed, path, size, start, length } = await waiting.opened;
	assert.equal([seed, path, size, start, length], [holding.seed, undefined, 600, 100, 500]);
	waiting.destroy();
	await once(waiting, 'close');
});

test('returns a chunk before the next one has arrived', async () => {
	const { content, gain, stream } = makeContent(1_000);
	const iterator = stream()[Symbol.asyncIterator]();
	const first = iterator.next();
	await gain(0);
	assert.equal(new Uint8Array((await first).value), content.slice(0, 512));
	await iterator.return?.();
});

test('opens the content again when it is removed, and fails if it is not found', async () => {
	const { content, holdings: contents, holding, gain, stream } = makeContent(1_000);
	const reading = stream({}, new Error('it is nowhere'));
	const parts: Uint8Array[] = [];
	const all = (async () => {
		for await (const bytes of reading) {
			parts.push(bytes);
		}
	})();
	await gain(0);
	await until('the first chunk is read', () => parts.length === 1);
	contents.remove(holding);
	const error = await rejects(all);
	assert.match(error.message, 'it is nowhere');
	assert.is(reading.result, undefined);
	assert.equal(Buffer.concat(parts), Buffer.from(content.subarray(0, 512)));
});

test('a chunk of another content does not make the stream read', async () => {
	const { stream } = makeContent(1_000);
	const other = makeContent(2_000);
	const waiting = stream();
	let isRead = false;
	waiting.on('data', () => {
		isRead = true;
	});
	await waiting.opened;
	other.holdings.gain(other.holding, 0);
	await new Promise((resolve) => setTimeout(resolve, 20));
	assert.not(isRead);
	waiting.destroy();
	await once(waiting, 'close');
});

test('opened rejects with ERR_ABORTED if the stream is destroyed before it opens', async () => {
	const waiting = new ContentStream(async (signal) => {
		return await new Promise((_, reject) => {
			signal.addEventListener('abort', () => reject(signal.reason));
		});
	}, {});
	waiting.destroy();
	assert.is((await rejects(waiting.opened)).code, 'ERR_ABORTED');
});

test.run();
