import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { zipFolder, zipLength } from '../../../node/gateway/folder-zip.ts';
import { folderLength } from '../../../protocol/folder/folder-layout.ts';
import { Folder, formatIndex, isShoalError, type Seed } from '../../../protocol/index.ts';
import { makeFolder } from '../../helpers/fixtures/folder.ts';
import { contentOf } from '../../helpers/fixtures/seeds.ts';
import { d, folderOf, l, lie, type MadeFolder, x } from '../../helpers/fixtures/trees.ts';
import { rejects } from '../../helpers/harness/rejects.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { checkZip, readZip } from '../../helpers/harness/zip-files.ts';

const test = suite('the zip file of a folder');
const LARGE = contentOf(600_000);

/** Yields the content that follows the index, in pieces of `size` bytes. */
async function* contentIn({ seed, content }: MadeFolder, size = 100_000) {
	for (let at = seed.index ?? 0; at < content.length; at += size) {
		yield content.subarray(at, at + size);
	}
}

async function zipOf(made: MadeFolder, size?: number): Promise<Buffer> {
	const parts: Uint8Array[] = [];
	for await (const part of zipFolder(made.seed, made.folder, contentIn(made, size))) {
		parts.push(part);
	}
	return Buffer.concat(parts);
}

test('contains the files and empty folders below the name of the folder, and no links', async (t) => {
	const made = folderOf(
		{
			'größe.txt': 'text',
			'sub/run.sh': x('#!/bin/sh\n'),
			'sub/large.bin': LARGE,
			'sub/empty.txt': '',
			'sub/link': l('run.sh'),
			'a folder/inside': d,
			z: 'last',
		},
		{ name: '.projekt "ü"' },
	);
	const zip = await zipOf(made);
	assert.is(zip.length, zipLength(made.seed, made.folder));
	const entries = readZip(zip).map(({ name, bytes, mode, isUtf8 }) => {
		assert.ok(isUtf8, name);
		return [name, mode.toString(8), createHash('sha256').update(bytes).digest('hex')];
	});
	const digest = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');
	assert.equal(entries, [
		['_projekt "ü"/a folder/inside/', '40755', digest('')],
		['_projekt "ü"/größe.txt', '100644', digest('text')],
		['_projekt "ü"/sub/empty.txt', '100644', digest('')],
		['_projekt "ü"/sub/large.bin', '100644', digest(LARGE)],
		['_projekt "ü"/sub/run.sh', '100755', digest('#!/bin/sh\n')],
		['_projekt "ü"/z', '100644', digest('last')],
	]);
	const path = join(await makeFolder(t), 'a.zip');
	await writeFile(path, zip);
	console.log(`checked by ${(await checkZip(path)).join(', ')}`);
	assert.ok((await zipOf(made, 7)).equals(zip), 'the result does not depend on the pieces');
});

test('does not contain the zeros before a large file', async () => {
	const made = folderOf(
		{ a: 'small', large: LARGE.subarray(0, 70 * 512), z: 'small too' },
		{ chunkSize: 512 },
	);
	assert.ok(made.folder.pieces.some(({ entry }) => entry === undefined));
	const zip = await zipOf(made);
	assert.is(zip.length, zipLength(made.seed, made.folder));
	assert.equal(
		readZip(zip).map(({ bytes }) => bytes.length),
		[5, 70 * 512, 9],
	);
});

test('contains the empty folders, or the folder itself, if there are no files', async () => {
	for (const leaves of [{}, { link: l('x'), x: d }, {}]) {
		const made = folderOf(leaves);
		const zip = await zipOf(made);
		assert.is(zip.length, zipLength(made.seed, made.folder));
		const names = readZip(zip).map(({ name }) => name);
		assert.equal(names, ['x' in leaves ? 'folder/x/' : 'folder/']);
	}
});

test('fails before its end if the content differs from the index', async () => {
	const lies = [
		folderOf({ a: 'a', b: lie('b'), c: 'c' }),
		folderOf({ a: 'a', b: lie(LARGE), c: 'c' }),
		folderOf({ a: 'a', z: lie(LARGE) }),
	];
	for (const made of lies) {
		assert.is((await rejects(zipOf(made))).code, 'ERR_SEED_LIES');
	}
	const padded = { a: 'a', large: LARGE.subarray(0, 70 * 512) };
	const made = folderOf(padded, { chunkSize: 512, padding: 1 });
	assert.is((await rejects(zipOf(made))).code, 'ERR_SEED');
});

test('fails before its end if the content ends too early or fails', async () => {
	const made = folderOf({ a: 'a', b: LARGE, c: 'c' });
	const sources = [
		async function* () {
			yield made.content.subarray(made.seed.index, made.content.length - 1);
		},
		async function* () {
			yield made.content.subarray(made.seed.index, 300_000);
			throw new Error('it failed');
		},
	];
	for (const source of sources) {
		const parts: Uint8Array[] = [];
		const reading = (async () => {
			for await (const part of zipFolder(made.seed, made.folder, source())) {
				parts.push(part);
			}
		})();
		const error = await reading.then(
			() => undefined,
			(reason: Error) => reason,
		);
		assert.match(error?.message ?? '', /failed|too early/);
		assert.not.ok(Buffer.concat(parts).includes('PK\x05\x06'), 'no end record');
	}
});

test('reads its source only as fast as it is consumed, and closes the source when the consumer stops', async () => {
	const made = folderOf({ a: contentOf(8_000_000), b: 'b' });
	let read = 0;
	let isClosed = false;
	const source = async function* () {
		try {
			for await (const bytes of contentIn(made)) {
				read += bytes.length;
				yield bytes;
			}
		} finally {
			isClosed = true;
		}
	};
	const zip = zipFolder(made.seed, made.folder, source());
	await zip.next();
	await new Promise((resolve) => setTimeout(resolve, 50));
	assert.ok(read < 1_000_000, `${read} bytes were read ahead`);
	await zip.return(undefined);
	await new Promise((resolve) => setTimeout(resolve, 50));
	assert.ok(isClosed);
});

for (const count of [65_534, 65_535, 70_000]) {
	test(`of ${count} files has Zip64 records only if the number of files needs them`, async (t) => {
		const names = Array.from({ length: count }, (_, number) => [`${number}`, '']);
		const made = folderOf(Object.fromEntries(names));
		const zip = await zipOf(made);
		assert.is(zip.length, zipLength(made.seed, made.folder));
		assert.is(readZip(zip).length, count);
		assert.is(zip.includes('PK\x06\x06'), count >= 65_535);
		const path = join(await makeFolder(t), 'many.zip');
		await writeFile(path, zip);
		await checkZip(path);
	});
}

test('of more than 4 GiB has the length that client-zip would write', () => {
	const GIB = 2 ** 30;
	const lengthOf = (...sizes: number[]): number => {
		const entries = sizes.map((length, at) => {
			return { path: `${at}`, kind: 'f' as const, length, digest: '0'.repeat(64) };
		});
		const index = formatIndex(entries);
		const chunkSize = 4 * 1024 * 1024;
		const length = folderLength(entries, index.length, chunkSize);
		const digest = createHash('sha256').update(index).digest('hex');
		const about = { id: '', length, index: index.length, digest, layout: { chunkSize } };
		return zipLength({ name: 'f' } as Seed, new Folder(about, index));
	};
	const name = 'f/0'.length;
	// The sum of local header, data descriptor and central record of an entry; below, the Zip64 and
	// end records are added.
	const plain = 30 + name + 16 + 46 + name;
	assert.is(lengthOf(GIB), GIB + plain + 22);
	assert.is(lengthOf(5 * GIB), 5 * GIB + plain + 8 + 28 + 76 + 22);
	assert.is(lengthOf(3 * GIB, 3 * GIB, 1), 6 * GIB + 1 + 3 * plain + 12 + 76 + 22);
});

test('a failure is a ShoalError with its code', async () => {
	const made = folderOf({ a: lie('b') });
	const error = await zipOf(made).catch((reason: unknown) => reason);
	assert.ok(isShoalError(error, 'ERR_SEED_LIES'));
});

test.run();
