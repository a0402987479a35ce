import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { digestChunk, hashFile, hashPieces } from '../../../node/hashing/hasher.ts';
import { makeFolder } from '../../helpers/fixtures/folder.ts';
import { contentOf } from '../../helpers/fixtures/seeds.ts';
import { rejects } from '../../helpers/harness/rejects.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('hasher');
const KINDS = ['sha256', 'md5'] as const;
const digest = (kind: string, bytes: Uint8Array): Buffer => createHash(kind).update(bytes).digest();

for (const kind of KINDS) {
	for (const size of [0, 1, 5_000, 1_048_576, 3_000_001]) {
		test(`the ${kind} digests of ${size} bytes are right, by pieces, for the whole file, and as one chunk`, async (t) => {
			const content = contentOf(size);
			const path = join(await makeFolder(t), 'file');
			await writeFile(path, content);
			for (const pieceSize of [512, 65_536, 4 * 1_048_576]) {
				const pieces: Buffer[] = [];
				for (let at = 0; at < size; at += pieceSize) {
					pieces.push(digest(kind, content.subarray(at, at + pieceSize)));
				}
				const found = await hashPieces({ path, kind, pieceSize });
				assert.equal(Buffer.from(found), Buffer.concat(pieces));
			}
			const expected = digest(kind, content);
			assert.equal(Buffer.from(await hashFile(path, kind)), expected);
			assert.equal(Buffer.from(await digestChunk(kind, content)), expected);
		});
	}
}

test('for a chunk that is a view of a larger buffer, only the bytes of the view are hashed', async () => {
	const around = contentOf(300);
	const found = await digestChunk('sha256', around.subarray(100, 200));
	assert.equal(Buffer.from(found), digest('sha256', around.slice(100, 200)));
});

test('a chunk in memory that threads share is hashed, whatever its size', async () => {
	for (const size of [1_000, 3_000_000]) {
		const content = contentOf(size);
		const shared = new Uint8Array(new SharedArrayBuffer(size));
		shared.set(content);
		assert.equal(Buffer.from(await digestChunk('sha256', shared)), digest('sha256', content));
	}
});

test('a file that is not there is ERR_NO_FILE', async (t) => {
	const path = join(await makeFolder(t), 'no');
	assert.is((await rejects(hashFile(path, 'sha256'))).code, 'ERR_NO_FILE');
});

test.run();
