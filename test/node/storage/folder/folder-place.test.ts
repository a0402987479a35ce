import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import {
	link,
	lstat,
	mkdir,
	readFile,
	rename,
	rm,
	symlink,
	unlink,
	writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { ContentFiles } from '../../../../node/storage/content-files.ts';
import { FolderPlace } from '../../../../node/storage/folder/folder-place.ts';
import { makeFolder, openBelow } from '../../../helpers/fixtures/folder.ts';
import { contentOf } from '../../../helpers/fixtures/seeds.ts';
import {
	d,
	folderOf,
	l,
	linesIn,
	linesOf,
	locationOf,
	type MadeFolder,
	plant,
	type Tree,
	x,
} from '../../../helpers/fixtures/trees.ts';
import { type Scope, suite } from '../../../helpers/harness/suite.ts';

const test = suite('FolderPlace');
const CHUNK = 512;
const TREE: Tree = {
	'a/b/one': contentOf(700),
	'a/two': contentOf(1),
	'a/link': l('b/one'),
	'empty/folder': d,
	'empty/file': '',
	large: contentOf(64 * CHUNK + 3),
	run: x('#!/bin/sh\n'),
	'z/link': l('../run'),
};
const made = folderOf(TREE, { chunkSize: CHUNK });

/**
 * Opens a folder for writing. `side` is the folder beside it for the index and the link targets.
 */
async function written(t: Scope, of: MadeFolder = made) {
	const side = await makeFolder(t);
	const root = join(side, 'content');
	await mkdir(root);
	const location = { ...locationOf(of, root), side };
	const open = (isWritable: boolean): ContentFiles => {
		const place = new FolderPlace(location, { folder: of.folder, isWritable });
		const files = new ContentFiles(place);
		t.defer(() => files.close());
		return files;
	};
	return { side, root, location, files: open(true), open };
}

function writeAll(files: ContentFiles, { content }: MadeFolder = made, step = 1_000): void {
	for (let at = 0; at < content.length; at += step) {
		files.write(at, [content.subarray(at, at + step)]);
	}
}

function readAll(files: ContentFiles, { content } = made, step = content.length): Uint8Array {
	const bytes = new Uint8Array(content.length);
	for (let at = 0; at < content.length; at += step) {
		files.read(at, bytes.subarray(at, at + step));
	}
	return bytes;
}

/** Runs `body`. @returns the code of its error, and the path in it; nothing if it succeeds */
function failure(body: () => void): { readonly code?: string; readonly path?: string } {
	try {
		body();
	} catch (error) {
		return error as { code?: string; path?: string };
	}
	return {};
}

test('creates files and folders when their bytes arrive, in any order, and reads them back', async (t) => {
	const { side, root, files, open } = await written(t);
	const starts = Array.from({ length: Math.ceil(made.content.length / 300) }, (_, at) => at * 300);
	for (const at of starts.reverse()) {
		files.write(at, [made.content.subarray(at, at + 300)]);
	}
	files.close();
	const { 'a/link': _, 'z/link': __, 'empty/folder': ___, 'empty/file': ____, ...rest } = TREE;
	assert.equal(await linesIn(root), linesOf(rest), 'only entries with bytes exist');
	assert.equal(new Uint8Array(await readFile(join(side, '.index'))), made.index);
	assert.is(await readFile(join(side, '.links'), 'utf8'), 'b/one../run');
	for (const step of [1, 77, 512, made.content.length]) {
		assert.equal(readAll(open(false), made, step), made.content);
	}
});

test('keeps at most 32 files open, and opens a closed file again to continue it', async (t) => {
	const many = folderOf(
		Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`f${at}`, contentOf(100 + at)])),
	);
	const { root, side, files, open } = await written(t, many);
	for (let at = 0; at < many.content.length; at += 64) {
		files.write(at, [many.content.subarray(at, at + 64)]);
		assert.ok((await openBelow(side)).length <= 32);
	}
	files.write(0, [many.content]);
	assert.is(readdirSync(root).length, 100);
	assert.equal(readAll(open(false), many, 50), many.content);
	assert.ok((await openBelow(side)).length <= 64);
});

test('continues with the files of an earlier process, and truncates files that are too long', async (t) => {
	const { root, files, open } = await written(t);
	writeAll(files);
	files.close();
	await writeFile(join(root, 'a/two'), 'far too long');
	await writeFile(join(root, 'large'), contentOf(70_000));
	const again = open(true);
	writeAll(again);
	assert.equal(readAll(open(false)), made.content);
	const length = async (name: string): Promise<number> => (await lstat(join(root, name))).size;
	assert.is(await length('a/two'), 1);
	assert.is(await length('large'), 64 * CHUNK + 3);
});

test('refuses bytes other than zeros in the padding before a large file', async (t) => {
	const { files } = await written(t);
	const padding = made.folder.pieces.find(({ entry }) => entry === undefined);
	const offset = padding?.offset as number;
	assert.is(failure(() => files.write(offset, [new Uint8Array([0, 1])])).code, 'EPADDING');
	const bytes = new Uint8Array(2).fill(7);
	files.read(offset, bytes);
	assert.equal(bytes, new Uint8Array(2));
});

test('files that are not wanted are not written, and cannot be read', async (t) => {
	const side = await makeFolder(t);
	const root = await plant(join(side, 'content'), {});
	const location = { ...locationOf(made, root), side, wanted: new Set(['a/two', 'z/link']) };
	const place = new FolderPlace(location, { folder: made.folder, isWritable: true });
	const files = new ContentFiles(place);
	t.defer(() => files.close());
	writeAll(files);
	assert.equal(await linesIn(root), linesOf({ 'a/two': contentOf(1) }));
	const { offset = 0 } = made.folder.find('a/b/one') ?? {};
	assert.is(failure(() => files.read(offset, new Uint8Array(1))).code, 'ENOENT');
});

/** Makes a folder outside the place, and checks later that it is unchanged. */
async function makeCanary(t: Scope) {
	const outside = await plant(join(await makeFolder(t), 'outside'), {
		canary: 'as it was',
		sub: d,
	});
	const before = async (): Promise<string[]> => linesIn(outside);
	const lines = await before();
	return {
		outside,
		canary: join(outside, 'canary'),
		isUntouched: async () => assert.equal(await before(), lines, 'nothing is written outside'),
	};
}

const PLANTED: Record<string, (root: string, side: string, outside: string) => Promise<void>> = {
	'a link to a file in the place of a file': (root, _, outside) =>
		symlink(join(outside, 'canary'), join(root, 'run')),
	'a link to nothing in the place of a file': (root, _, outside) =>
		symlink(join(outside, 'new'), join(root, 'run')),
	'a link in the place of a folder': (root, _, outside) => symlink(outside, join(root, 'a')),
	'a link in the place of a folder below': async (root, _, outside) => {
		await mkdir(join(root, 'a'));
		await symlink(outside, join(root, 'a/b'));
	},
	'a hard link in the place of a file': (root, _, outside) =>
		link(join(outside, 'canary'), join(root, 'run')),
	'a folder in the place of a file': async (root) => void (await mkdir(join(root, 'run'))),
	'a pipe in the place of a file': async (root) => void execFileSync('mkfifo', [join(root, 'run')]),
	'a file in the place of a folder': (root) => writeFile(join(root, 'a'), ''),
	'a link in the place of the index': (_, side, outside) =>
		symlink(join(outside, 'canary'), join(side, '.index')),
	'a hard link in the place of the targets of links': (_, side, outside) =>
		link(join(outside, 'canary'), join(side, '.links')),
	'a link in the place of the root': async (root, _, outside) => {
		await rm(root, { recursive: true });
		await symlink(outside, root);
	},
};

for (const [what, put] of Object.entries(PLANTED)) {
	test(`nothing is written through ${what}`, async (t) => {
		const { root, side, files } = await written(t);
		const { outside, isUntouched } = await makeCanary(t);
		await put(root, side, outside);
		const { code, path = '' } = failure(() => writeAll(files));
		assert.ok(['ELOOP', 'EISDIR', 'EFOREIGN'].includes(code as string), `it fails with ${code}`);
		assert.ok(path.startsWith(side), `the error names the path: ${path}`);
		await isUntouched();
	});
}

/**
 * Replacements that are made while the folder is written, after `FolderPlace` has used the entry.
 */
const SWAPPED: Record<string, (root: string, outside: string) => Promise<void>> = {
	'a folder by a link': async (root, outside) => {
		await rename(join(root, 'f'), join(root, 'moved'));
		await symlink(outside, join(root, 'f'));
	},
	'a file by a link': async (root, outside) => {
		await unlink(join(root, 'f/7'));
		await symlink(join(outside, 'canary'), join(root, 'f/7'));
	},
	'a file by a hard link': async (root, outside) => {
		await unlink(join(root, 'f/7'));
		await link(join(outside, 'canary'), join(root, 'f/7'));
	},
	'the root by a link': async (root, outside) => {
		await rename(root, `${root}.moved`);
		await symlink(outside, root);
	},
};

for (const [what, swap] of Object.entries(SWAPPED)) {
	test(`nothing is written outside if another program replaces ${what} meanwhile`, async (t) => {
		const many = folderOf(
			Object.fromEntries(
				Array.from({ length: 60 }, (_, at) => [at < 50 ? `f/${at}` : `n/${at}`, contentOf(2)]),
			),
		);
		const { root, files } = await written(t, many);
		const { outside, isUntouched } = await makeCanary(t);
		const middle = many.folder.find('n/51')?.offset as number;
		files.write(0, [many.content.subarray(0, middle)]);
		await swap(root, outside);
		// The first files are not open any more, so this write opens them again.
		const { code } = failure(() => files.write(0, [many.content]));
		assert.ok(code !== undefined, 'it fails');
		await isUntouched();
	});
}

test('does not follow a link in the place of a file when it reads', async (t) => {
	const { root, open, files } = await written(t);
	writeAll(files);
	files.close();
	await rename(join(root, 'a/two'), join(root, 'moved'));
	await symlink('../moved', join(root, 'a/two'));
	assert.ok(existsSync(join(root, 'a/two')));
	const { offset = 0 } = made.folder.find('a/two') ?? {};
	const { code, path } = failure(() => open(false).read(offset, new Uint8Array(1)));
	assert.is(code, 'ELOOP');
	assert.is(path, join(root, 'a/two'));
});

test.run();
