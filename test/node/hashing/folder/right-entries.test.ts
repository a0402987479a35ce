import { chmod, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { rightEntries } from '../../../../node/hashing/folder/right-entries.ts';
import { EntryStamps } from '../../../../node/storage/folder/entry-stamps.ts';
import { FailingCalls } from '../../../helpers/adversaries/failing-calls.ts';
import { makeFolder } from '../../../helpers/fixtures/folder.ts';
import { d, folderOf, l, plant, type Tree, x } from '../../../helpers/fixtures/trees.ts';
import { type Scope, suite } from '../../../helpers/harness/suite.ts';

const test = suite('the right entries of a folder');
const TREE: Tree = { 'a/b': 'b', 'a/c': 'ccc', empty: '', link: l('a'), run: x('run'), void: d };
const made = folderOf(TREE);
const paths = made.folder.entries.map(({ path }) => path);

interface Checked {
	/** Paths of the right entries. */
	readonly right: readonly string[];
	readonly stamps: EntryStamps;
	/** Bytes that were hashed. */
	readonly hashed: number;
}

function check(
	root: string,
	known?: EntryStamps,
	{ hashesOthers = true, hasKinds = true } = {},
): Checked {
	let hashed = 0;
	const numbers = (known ?? new EntryStamps(paths.length)).numbers;
	const job = { root, index: made.index, bytes: 0, known: numbers, hashesOthers, hasKinds };
	const stamps = new EntryStamps(
		rightEntries(job, (bytes) => {
			hashed += bytes;
		}),
	);
	return { right: paths.filter((_, at) => stamps.has(at)), stamps, hashed };
}

async function planted(t: Scope): Promise<string> {
	return await plant(await makeFolder(t), { ...TREE, 'a/other': 'other' });
}

test('all entries of a whole folder are right, and other files do not matter', async (t) => {
	const root = await planted(t);
	const { right, stamps, hashed } = check(root);
	assert.equal(right, paths);
	assert.is(hashed, 7);
	const again = check(root, stamps, { hashesOthers: false });
	assert.equal(again.right, paths);
	assert.is(again.hashed, 0);
});

test('a changed, missing or unreadable entry, and one of another kind, is wrong', async (t) => {
	const root = await planted(t);
	await writeFile(join(root, 'a/b'), 'x');
	await rm(join(root, 'a/c'));
	await rm(join(root, 'empty'));
	await plant(join(root, 'empty'), {});
	await rm(join(root, 'link'));
	await symlink('a/b', join(root, 'link'));
	await chmod(join(root, 'run'), 0o644);
	await rm(join(root, 'void'), { recursive: true });
	await writeFile(join(root, 'void'), '');
	assert.equal(check(root).right, []);
});

test('a moment without open files or memory is an error, and makes no file wrong', async (t) => {
	const root = await planted(t);
	const calls = new FailingCalls(t, root, true);
	for (const [call, code] of [
		['openSync', 'EMFILE'],
		['lstatSync', 'ENOMEM'],
	] as const) {
		calls.decide = (name) => (name === call ? code : undefined);
		assert.throws(() => check(root), new RegExp(code));
	}
	calls.decide = (name) => (name === 'openSync' ? 'EIO' : undefined);
	assert.equal(check(root).right, ['link', 'void']);
});

test('a file that was only touched is right if it may be hashed', async (t) => {
	const root = await planted(t);
	const { stamps } = check(root);
	const { size } = await stat(join(root, 'a/c'));
	await utimes(join(root, 'a/c'), 1, 1);
	const hashing = check(root, stamps);
	assert.equal(hashing.right, paths);
	assert.is(hashing.hashed, size);
	assert.equal(
		check(root, stamps, { hashesOthers: false }).right,
		paths.filter((path) => path !== 'a/c'),
	);
});

test('where a file system does not store which files are executable, all files may be, or none', async (t) => {
	for (const mode of [0o755, 0o644]) {
		const root = await planted(t);
		for (const path of ['a/b', 'a/c', 'empty', 'run']) {
			await chmod(join(root, path), mode);
		}
		assert.equal(check(root, undefined, { hasKinds: false }).right, paths);
		assert.is.not(check(root).right.length, paths.length);
	}
});

test('an entry below a link is missing', async (t) => {
	const root = await planted(t);
	await rename(join(root, 'a'), join(root, 'moved'));
	await symlink('moved', join(root, 'a'));
	assert.equal(
		check(root).right,
		paths.filter((path) => !path.startsWith('a/')),
	);
});

test.run();
