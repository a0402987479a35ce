import * as assert from 'uvu/assert';
import { heldTable } from '../../../node/reuse/held-table.ts';
import type { StoredContent } from '../../../node/storage/content-store.ts';
import { readChunk } from '../../../node/storage/copy-chunks.ts';
import { MemoryStorage } from '../../../node/storage/memory-storage.ts';
import { Bitfield, type DigestKind, Seed } from '../../../protocol/index.ts';
import { contentOf, seedOf } from '../../helpers/fixtures/seeds.ts';
import { folderOf } from '../../helpers/fixtures/trees.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('table of held contents');
const CHUNK = 512;

async function held(bytes: Uint8Array, kind: DigestKind = 'sha256'): Promise<StoredContent> {
	const seed = seedOf(bytes, { chunkSize: CHUNK, kind });
	const storage = new MemoryStorage(seed.length);
	await storage.write(0, bytes);
	return { seed, have: Bitfield.full(seed.chunks), storage };
}

/** A content with this many chunks, of which the node has none. */
function large(chunks: number): StoredContent {
	const seed = new Seed({
		...{ name: 'large.bin', kind: 'sha256', length: chunks * CHUNK, digest: new Uint8Array(32) },
		chunkDigests: new Uint8Array(32 * chunks).fill(7),
	});
	return { seed, have: new Bitfield(chunks), storage: new MemoryStorage(0) };
}

test('chunks and files are found in the held files and folders, and read there', async () => {
	const file = await held(contentOf(3 * CHUNK + 1));
	const { seed, folder, content } = folderOf({ a: contentOf(700) }, { chunkSize: CHUNK });
	const storage = new MemoryStorage(seed.length);
	await storage.write(0, content);
	const contents = [file, { seed, folder, have: Bitfield.full(seed.chunks), storage }];
	const { table, open } = heldTable(contents);
	for (const each of contents) {
		const [found] = table.chunk(each.seed.chunkDigest(1));
		assert.is(found?.number, 1);
		const opened = await open(found?.source as never);
		const bytes = new Uint8Array(each.seed.layout.sizeOf(1));
		await opened.read(CHUNK, bytes);
		assert.equal(bytes, await readChunk(each.seed, each.storage, 1));
		assert.is(opened.folder, each.folder);
		await opened.close();
	}
	const [entry] = table.file(Buffer.from(folder.entries[0]?.digest ?? '', 'hex'));
	assert.equal([entry?.source.isFolder, entry?.number], [true, 0]);
	await file.storage.read(0, new Uint8Array(1));
});

test('contents with MD5 digests are left out', async () => {
	const { table } = heldTable([await held(contentOf(3 * CHUNK), 'md5')]);
	assert.equal([table.sources.length, table.chunks.size], [0, 0]);
});

test('a content with too many chunks is left out, but the contents after it are not', async () => {
	const small = await held(contentOf(3 * CHUNK));
	const { table } = heldTable([large(262_145), small, large(262_142), small]);
	assert.equal(
		table.sources.map(({ length }) => length),
		[small.seed.length, small.seed.length],
	);
});

test.run();
