import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { chmod, mkdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import {
	digestsOfFiles,
	listFiles,
	piecesOfFiles,
} from '../../../../node/hashing/folder/list-files.ts';
import { MAX_LENGTH } from '../../../../protocol/index.ts';
import { makeFolder } from '../../../helpers/fixtures/folder.ts';
import { contentOf } from '../../../helpers/fixtures/seeds.ts';
import { d, l, plant, x } from '../../../helpers/fixtures/trees.ts';
import { asNobody } from '../../../helpers/harness/as-nobody.ts';
import { suite } from '../../../helpers/harness/suite.ts';

const test = suite('list of files');
const ZEROS = Buffer.alloc(32);

const digestOf = (bytes: Uint8Array | string): Buffer =>
	createHash('sha256').update(bytes).digest();
const listed = (root: string): string[] =>
	listFiles(root)
		.map(({ path, length }) => `${path} ${length}`)
		.sort();

test('all files below a folder are listed, also hidden and empty ones, without links and folders', async (t) => {
	const root = await plant(join(await makeFolder(t), 'root'), {
		'.hidden/x': 'x',
		'a/b/c/d': contentOf(1_000),
		'a/link': l('b/c/d'),
		'a/folder': l('b'),
		'a/void': d,
		empty: '',
		'new\nline ä': 'text',
		run: x('12'),
	});
	await symlink(root, join(root, 'circle'));
	execFileSync('mkfifo', [join(root, 'pipe')]);
	assert.equal(listed(root), ['.hidden/x 1', 'a/b/c/d 1000', 'empty 0', 'new\nline ä 4', 'run 2']);
});

test('a folder that is empty, missing or a file has no files', async (t) => {
	const root = await makeFolder(t);
	await writeFile(join(root, 'file'), 'x');
	await mkdir(join(root, 'empty'));
	for (const name of ['empty', 'missing', 'file']) {
		assert.equal(listed(join(root, name)), []);
	}
});

test('a name that is no UTF-8 is left out', async (t) => {
	const root = await makeFolder(t);
	writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0x61, 0xff])]), 'x');
	await writeFile(join(root, 'b'), 'x');
	assert.equal(listed(root), ['b 1']);
});

test('files that the system generates, and files that are too long for a content, are left out', async (t) => {
	assert.equal(listFiles('/proc/self'), []);
	const root = await makeFolder(t);
	await writeFile(join(root, 'longest'), '');
	await truncate(join(root, 'longest'), MAX_LENGTH);
	await writeFile(join(root, 'longer'), '');
	await truncate(join(root, 'longer'), MAX_LENGTH + 1);
	assert.equal(listed(root), [`longest ${MAX_LENGTH}`]);
});

test('what may not be read is left out, and all else is listed', async (t) => {
	const root = await makeFolder(t);
	await chmod(root, 0o755);
	await plant(root, { 'closed/a': 'a', 'names/b': 'b', 'open/c': 'c', d: 'd' });
	await chmod(join(root, 'closed'), 0o000);
	// Names can be read, but nothing about the files.
	await chmod(join(root, 'names'), 0o444);
	t.defer(() => chmod(join(root, 'closed'), 0o755));
	t.defer(() => chmod(join(root, 'names'), 0o755));
	asNobody(() => assert.equal(listed(root), ['d 1', 'open/c 1']));
});

test('files have the digests of their bytes, and zeros if they cannot be read', async (t) => {
	const root = await makeFolder(t);
	const at = (name: string): string => join(root, name);
	const large = contentOf(2_500_000);
	await writeFile(at('large'), large);
	await writeFile(at('small'), 'text');
	await writeFile(at('empty'), '');
	await mkdir(at('folder'));
	symlinkSync(at('small'), at('link'));
	execFileSync('mkfifo', [at('pipe')]);
	let hashed = 0;
	const names = ['large', 'missing', 'small', 'folder', 'empty', 'link', 'pipe'];
	const digests = digestsOfFiles(names.map(at), (bytes) => {
		hashed += bytes;
	});
	const expected: Record<string, Buffer> = {
		large: digestOf(large),
		small: digestOf('text'),
		empty: digestOf(''),
		// A pipe without a writer gives no bytes, and does not hold up the search.
		pipe: digestOf(''),
	};
	for (const [number, name] of names.entries()) {
		const digest = Buffer.from(digests.subarray(32 * number, 32 * number + 32));
		assert.equal(digest, expected[name] ?? ZEROS, name);
	}
	assert.is(hashed, large.length + 4);
	assert.is(digestsOfFiles([], () => {}).length, 0);
});

test('the pieces of files have their digests, and a file that cannot be read has none', async (t) => {
	const root = await makeFolder(t);
	const at = (name: string): string => join(root, name);
	const bytes = contentOf(2_500);
	await writeFile(at('file'), bytes);
	await writeFile(at('empty'), '');
	let hashed = 0;
	const pieces = piecesOfFiles(['missing', 'file', 'empty', '.'].map(at), 1_024, (length) => {
		hashed += length;
	});
	const expected = [0, 1_024, 2_048].map((start) => digestOf(bytes.subarray(start, start + 1_024)));
	assert.equal(
		pieces.map((digests) => digests.length),
		[0, 96, 0, 0],
	);
	assert.ok(Buffer.concat(expected).equals(pieces[1] as Uint8Array));
	assert.is(hashed, bytes.length);
});

test('a file that grows or shrinks while it is hashed has an end', async (t) => {
	const path = join(await makeFolder(t), 'file');
	const bytes = contentOf(3_000_000);
	await writeFile(path, bytes);
	const grown = digestsOfFiles([path], () => appendFileSync(path, bytes.subarray(0, 1_500_000)));
	assert.equal(Buffer.from(grown), digestOf(bytes));
	await rm(path);
	await writeFile(path, bytes);
	const shrunk = digestsOfFiles([path], () => truncateSync(path, 1_048_576));
	assert.equal(Buffer.from(shrunk), digestOf(bytes.subarray(0, 1_048_576)));
});

test.run();
