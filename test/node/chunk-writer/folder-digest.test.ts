import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { ContentThread } from '../../../node/chunk-writer/content-thread.ts';
import type { ContentThreads } from '../../../node/chunk-writer/content-threads.ts';
import { FolderDigest } from '../../../node/chunk-writer/folder-digest.ts';
import { ThreadWriter } from '../../../node/chunk-writer/thread-writer.ts';
import { ContentFiles } from '../../../node/storage/content-files.ts';
import { FolderPlace } from '../../../node/storage/folder/folder-place.ts';
import { Bitfield } from '../../../protocol/index.ts';
import { makeFolder } from '../../helpers/fixtures/folder.ts';
import { contentOf } from '../../helpers/fixtures/seeds.ts';
import {
	d,
	folderOf,
	folderSeed,
	l,
	locationOf,
	lying,
	type MadeFolder,
	type Tree,
	x,
} from '../../helpers/fixtures/trees.ts';
import { rejects } from '../../helpers/harness/rejects.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';

const CHUNK = 512;
/** Files smaller and larger than a chunk, padding, a link, an empty file and an empty folder. */
const TREE: Tree = {
	...Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`many/${at}`, contentOf(30 + at)])),
	'a/straddles': contentOf(3 * CHUNK + 17),
	'b/empty': '',
	'b/folder': d,
	'c/link': l('../z'),
	large: contentOf(64 * CHUNK + 100),
	x: x('x'),
	z: contentOf(2 * CHUNK),
};
const made = folderOf(TREE, { chunkSize: CHUNK });
const CHUNKS = made.seed.chunks;
const anyOrder = fc.shuffledSubarray([...Array(CHUNKS).keys()], { minLength: CHUNKS });

/** `made` with a wrong digest in its index for the file at `path`. */
const liarAt = (path: string): MadeFolder => folderOf(lying(TREE, path), { chunkSize: CHUNK });

async function placeOf(t: Scope, of: MadeFolder, wanted?: ReadonlySet<string>) {
	const side = await makeFolder(t);
	const root = join(side, 'content');
	await mkdir(root);
	return { side, root, location: { ...locationOf(of, root), side, wanted } };
}

function chunkOf({ content }: MadeFolder, chunk: number, count = 1): Uint8Array {
	return content.subarray(chunk * CHUNK, (chunk + count) * CHUNK);
}

async function digesting(
	t: Scope,
	of = made,
	{ stored = [] as readonly number[], wanted = undefined as ReadonlySet<string> | undefined } = {},
) {
	const { root, location } = await placeOf(t, of, wanted);
	const files = new ContentFiles(new FolderPlace(location, { isWritable: true }));
	const reading = new FolderPlace(location, { isWritable: false });
	const { kind, length, digest } = of.seed;
	const field = new Uint8Array(of.seed.chunks);
	for (const chunk of stored) {
		field[chunk] = 1;
		files.write(chunk * CHUNK, [chunkOf(of, chunk)]);
	}
	const content = { kind, length, chunkSize: CHUNK, digest, stored: field };
	const digester = new FolderDigest(content, reading, wanted);
	t.defer(() => digester.close());
	t.defer(() => files.close());
	/**
	 * Stores chunks. The digest gets their bytes if `inMemory`, otherwise it has to read them from
	 * the disk.
	 */
	const put = (chunk: number, inMemory: boolean, count = 1): void => {
		const bytes = chunkOf(of, chunk, count);
		files.write(chunk * CHUNK, [bytes]);
		digester.add(chunk, count, inMemory ? [bytes.subarray(0, 100), bytes.subarray(100)] : []);
	};
	const catchUp = (): void => {
		while (digester.isBehind) {
			digester.catchUp();
		}
	};
	return { root, digester, files, put, catchUp };
}

const test = suite('FolderDigest');

test('is right for any order of chunks, from memory or from the disk', async (t) => {
	await fc.assert(
		fc.asyncProperty(
			anyOrder,
			fc.infiniteStream(fc.boolean()),
			fc.infiniteStream(fc.boolean()),
			async (order, inMemory, catchesUp) => {
				const { digester, put, catchUp } = await digesting(t);
				for (const chunk of order) {
					put(chunk, inMemory.next().value as boolean);
					if (catchesUp.next().value) {
						catchUp();
					}
					assert.ok(digester.isRight);
				}
				catchUp();
				assert.ok(digester.isWhole);
				assert.ok(digester.isRight);
				digester.close();
			},
		),
		{ numRuns: 20 },
	);
});

test('finds each file whose digest in the index is wrong, and is incomplete until all chunks are there', async (t) => {
	for (const { path, length } of made.folder.entries.filter((entry) => entry.length > 0)) {
		const { digester, put, catchUp } = await digesting(t, liarAt(path));
		for (let chunk = 0; chunk < CHUNKS; chunk += 1) {
			assert.not.ok(digester.isWhole);
			put(chunk, chunk % 2 === 0);
		}
		catchUp();
		assert.ok(digester.isWhole);
		assert.not.ok(digester.isRight, `${path} of ${length} bytes`);
		digester.close();
	}
});

test('reads the chunks from the disk that an earlier download has stored', async (t) => {
	const half = [...Array(CHUNKS).keys()].filter((chunk) => chunk % 3 !== 1);
	const { digester, put, catchUp } = await digesting(t, made, { stored: half });
	for (let chunk = 1; chunk < CHUNKS; chunk += 3) {
		put(chunk, true);
	}
	catchUp();
	assert.ok(digester.isWhole && digester.isRight);
});

test('checks only the wanted files', async (t) => {
	const wanted = new Set(['a/straddles', 'large', 'c/link', 'b/empty']);
	const { digester, put, catchUp } = await digesting(t, liarAt('z'), { wanted });
	for (let chunk = 0; chunk < CHUNKS; chunk += 1) {
		put(chunk, chunk % 2 === 0);
	}
	catchUp();
	assert.ok(digester.isWhole && digester.isRight);
});

test('starts again when stored chunks are found to be wrong', async (t) => {
	const { digester, files, put, catchUp } = await digesting(t);
	put(0, true, CHUNKS);
	catchUp();
	assert.ok(digester.isWhole && digester.isRight);
	const at = made.folder.find('z')?.offset as number;
	const chunk = Math.floor(at / CHUNK);
	files.write(at, [Uint8Array.of((made.content[at] as number) ^ 1)]);
	const stored = new Uint8Array(CHUNKS).fill(1);
	digester.restart(stored);
	catchUp();
	assert.ok(digester.isWhole);
	assert.not.ok(digester.isRight);
	stored[chunk] = 0;
	digester.restart(stored);
	catchUp();
	assert.not.ok(digester.isWhole);
	put(chunk, true);
	catchUp();
	assert.ok(digester.isWhole && digester.isRight);
});

test('is complete at once for an empty folder, and for a folder without bytes', async (t) => {
	for (const tree of [{}, { 'a/b': d, c: '', d: x('') }]) {
		const { digester } = await digesting(t, folderOf(tree, { chunkSize: CHUNK }));
		assert.ok(digester.isWhole && digester.isRight);
		assert.not.ok(digester.isBehind);
	}
});

test('is right for more files than can be hashed at the same time', async (t) => {
	const many = folderOf(
		Object.fromEntries(Array.from({ length: 150 }, (_, at) => [`${at}`, contentOf(CHUNK + 50)])),
		{ chunkSize: CHUNK },
	);
	const { digester, put, catchUp } = await digesting(t, many);
	const order = [...Array(many.seed.chunks).keys()];
	for (const chunk of [...order.filter((at) => at % 2 === 0), ...order.filter((at) => at % 2)]) {
		put(chunk, true);
	}
	catchUp();
	assert.ok(digester.isWhole && digester.isRight);
});

test('a file that has become shorter is an error, which names it', async (t) => {
	const { root, digester, put } = await digesting(t);
	put(0, false, CHUNKS);
	await writeFile(join(root, 'a/straddles'), '');
	assert.throws(
		() => {
			while (digester.isBehind) {
				digester.catchUp();
			}
		},
		(error: Error & { path?: string }) => error.path === join(root, 'a/straddles'),
	);
});

test.run();

const THREADS: Record<string, () => ContentThreads> = {
	'in the thread that writes': () => ({ writing: ContentThread.writing, hashing: undefined }),
	'in a second thread': () => ({ writing: ContentThread.writing, hashing: ContentThread.hashing }),
};

for (const [where, threads] of Object.entries(THREADS)) {
	const inThread = suite(`the digests of the files of a folder, computed ${where}`);
	const writing = async (t: Scope, of: MadeFolder) => {
		const { root, location } = await placeOf(t, of);
		const storage = { location: { folder: location }, path: root, checkNamed: () => {} };
		const writer = new ThreadWriter(of.seed, storage, new Bitfield(of.seed.chunks), threads());
		t.defer(() => writer.close());
		const put = (first: number, count = 1) =>
			writer.write({ first, count }, [Uint8Array.from(chunkOf(of, first, count))]);
		return { root, writer, put };
	};

	inThread('are right for any order of chunks', async (t) => {
		await fc.assert(
			fc.asyncProperty(anyOrder, async (order) => {
				const { writer, put } = await writing(t, made);
				const right = writer.isRight();
				await Promise.all(order.map((chunk) => put(chunk)));
				assert.ok(await right);
				await writer.close();
			}),
			{ numRuns: 10 },
		);
	});

	inThread(
		'are wrong if the index is wrong; a restart repairs a wrong chunk on the disk',
		async (t) => {
			const liar = await writing(t, liarAt('z'));
			await liar.put(0, CHUNKS);
			assert.not.ok(await liar.writer.isRight());
			const { root, writer, put } = await writing(t, made);
			await put(0, CHUNKS);
			assert.ok(await writer.isRight());
			await writeFile(join(root, 'x'), 'y');
			const stored = Bitfield.full(CHUNKS);
			writer.restart(stored);
			assert.not.ok(await writer.isRight());
			const chunk = Math.floor((made.folder.find('x')?.offset as number) / CHUNK);
			stored.clear(chunk);
			writer.restart(stored);
			await put(chunk);
			assert.ok(await writer.isRight());
		},
	);

	inThread('padding that is not zeros is refused as an error of the seed', async (t) => {
		const content = Uint8Array.from(made.content);
		const padding = made.folder.pieces.find(({ entry }) => entry === undefined)?.offset as number;
		content[padding] = 1;
		const seed = folderSeed(made.index, content, { chunkSize: CHUNK });
		const { put } = await writing(t, { ...made, content, seed });
		const { code, message } = await rejects(put(0, CHUNKS));
		assert.is(code, 'ERR_SEED');
		assert.match(message, /the seed is wrong/);
	});

	inThread.run();
}
