import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { contentStream } from '../../node/content-stream.ts';
import { type Holding, Holdings } from '../../node/holdings.ts';
import { MemoryStorage } from '../../node/storage/memory-storage.ts';
import { Bitfield } from '../../protocol/index.ts';
import { rejects } from '../helpers/rejects.ts';
import { contentOf, seedOf } from '../helpers/seeds.ts';
import { suite } from '../helpers/suite.ts';

const test = suite('contentStream');
const never = new Promise<never>(() => {});

function makeHolding(length: number) {
	const content = contentOf(length);
	const seed = seedOf(content);
	const holdings = new Holdings();
	const storage = new MemoryStorage(length);
	const holding: Holding = { seed, have: new Bitfield(seed.chunks), storage };
	holdings.add(holding);
	const gain = async (chunk: number): Promise<void> => {
		const start = seed.layout.offsetOf(chunk);
		await storage.write(start, content.subarray(start, start + seed.layout.sizeOf(chunk)));
		holdings.gain(holding, chunk);
	};
	return { content, holdings, holding, gain };
}

async function read(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
	const chunks: Uint8Array[] = [];
	for await (const chunk of stream) {
		chunks.push(chunk);
	}
	return Buffer.concat(chunks);
}

for (const length of [0, 1, 512, 513, 5_000]) {
	test(`gives ${length} bytes that are all here`, async () => {
		const { content, holdings, holding, gain } = makeHolding(length);
		for (let chunk = 0; chunk < holding.seed.chunks; chunk += 1) {
			await gain(chunk);
		}
		assert.equal(await read(contentStream(holdings, holding, never)), Buffer.from(content));
	});
}

test('gives the bytes in order, in whatever order they come', async () => {
	const order = fc.shuffledSubarray([...Array(10).keys()], { minLength: 10 });
	await fc.assert(
		fc.asyncProperty(order, async (chunks) => {
			const { content, holdings, holding, gain } = makeHolding(5_000);
			const reading = read(contentStream(holdings, holding, never));
			for (const chunk of chunks) {
				await gain(chunk);
			}
			assert.equal(await reading, Buffer.from(content));
		}),
		{ numRuns: 50 },
	);
});

test('gives a chunk before the next one is here', async () => {
	const { content, holdings, holding, gain } = makeHolding(1_000);
	const stream = contentStream(holdings, holding, never);
	const first = stream.next();
	await gain(0);
	assert.equal((await first).value, content.slice(0, 512));
	await stream.return(undefined);
});

test('ends with the error when the download fails while it waits', async () => {
	const { holdings, holding, gain } = makeHolding(1_000);
	let fail: (error: Error) => void = () => {};
	const failure = new Promise<never>((_, reject) => {
		fail = reject;
	});
	const reading = rejects(read(contentStream(holdings, holding, failure)));
	await gain(0);
	fail(new Error('it broke'));
	assert.match((await reading).message, 'it broke');
});

test('a chunk of another content does not wake it', async () => {
	const { holdings, holding } = makeHolding(1_000);
	const other = makeHolding(2_000);
	const stream = contentStream(holdings, holding, Promise.reject(new Error('over')));
	const first = rejects(stream.next());
	holdings.gain(other.holding, 0);
	assert.match((await first).message, 'over');
});

test.run();
