import { join } from 'node:path';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { FileStorage } from '../../../node/storage/file-storage.ts';
import { MemoryStorage } from '../../../node/storage/memory-storage.ts';
import type { Storage } from '../../../node/storage/storage.ts';
import { makeFolder } from '../../helpers/fixtures/folder.ts';
import { contentOf } from '../../helpers/fixtures/seeds.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';

const LENGTH = 5_000;

const inFiles =
	(...lengths: number[]) =>
	async (t: Scope): Promise<Storage> => {
		const folder = await makeFolder(t);
		const pieces = lengths.map((length, file) => ({ path: join(folder, `${file}`), length }));
		return await FileStorage.openToWrite(pieces);
	};

const KINDS: Record<string, (t: Scope) => Promise<Storage>> = {
	'in memory': async () => new MemoryStorage(LENGTH),
	'in one file': inFiles(LENGTH),
	'in two files': inFiles(2_048, LENGTH - 2_048),
	'in files of 0, 1 and odd bytes': inFiles(0, 1, 0, 0, 997, 1, 3_001, 0, LENGTH - 4_000, 0),
};

const range = fc
	.tuple(fc.nat(LENGTH), fc.nat(LENGTH))
	.map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);

for (const [kind, make] of Object.entries(KINDS)) {
	const test = suite(`a storage ${kind}`);
	const open = async (t: Scope): Promise<Storage> => {
		const storage = await make(t);
		t.defer(() => storage.close());
		return storage;
	};

	test('is full of zeros at first', async (t) => {
		const storage = await open(t);
		const bytes = new Uint8Array(LENGTH).fill(7);
		await storage.read(0, bytes);
		assert.equal(bytes, new Uint8Array(LENGTH));
	});

	test('returns the written bytes in one read', async (t) => {
		const storage = await open(t);
		const content = contentOf(LENGTH);
		await storage.write(0, content);
		const bytes = new Uint8Array(LENGTH);
		await storage.read(0, bytes);
		assert.equal(bytes, content);
	});

	test('returns the written bytes in reads of one byte around every border', async (t) => {
		const storage = await open(t);
		const content = contentOf(LENGTH);
		await storage.write(0, content);
		for (const at of [0, 1, 996, 997, 998, 999, 2_047, 2_048, 3_999, 4_000, LENGTH - 1]) {
			const byte = new Uint8Array(1);
			await storage.read(at, byte);
			assert.is(byte[0], content[at], `byte ${at}`);
		}
	});

	test('accepts empty reads and writes, also at the end', async (t) => {
		const storage = await open(t);
		await storage.write(LENGTH, new Uint8Array());
		await storage.read(LENGTH, new Uint8Array());
		await storage.write(0, new Uint8Array());
	});

	test('equals a plain array after any writes', async (t) => {
		const storage = await open(t);
		const model = new Uint8Array(LENGTH);
		const steps = fc.array(fc.tuple(range, fc.integer({ min: 1, max: 255 })), { maxLength: 8 });
		await fc.assert(
			fc.asyncProperty(steps, range, async (writes, [from, to]) => {
				for (const [[start, end], value] of writes) {
					model.fill(value, start, end);
					await storage.write(start, model.slice(start, end));
				}
				const bytes = new Uint8Array(to - from);
				await storage.read(from, bytes);
				assert.equal(bytes, model.slice(from, to));
			}),
			{ numRuns: 60 },
		);
	});

	test('accepts concurrent writes, and concurrent reads', async (t) => {
		const storage = await open(t);
		const content = contentOf(LENGTH);
		const starts = Array.from({ length: 50 }, (_, index) => index * 100);
		await Promise.all(starts.map((at) => storage.write(at, content.subarray(at, at + 100))));
		const reads = starts.map(async (at) => {
			const bytes = new Uint8Array(100);
			await storage.read(at, bytes);
			assert.equal(bytes, content.slice(at, at + 100));
		});
		await Promise.all(reads);
	});

	test('can be closed twice', async (t) => {
		const storage = await open(t);
		await storage.close();
		await storage.close();
	});

	test.run();
}
