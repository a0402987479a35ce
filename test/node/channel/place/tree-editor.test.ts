import { mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { TreeEditor } from '../../../../node/channel/place/tree-editor.ts';
import { makeFolder, openBelow } from '../../../helpers/fixtures/folder.ts';
import { d, linesIn, linesOf, plant, type Tree } from '../../../helpers/fixtures/trees.ts';
import { type Scope, suite } from '../../../helpers/harness/suite.ts';

const test = suite('TreeEditor');
const TREE: Tree = { 'a/b/c': 'c', 'a/d': 'd' };

const isForeign = ({ code }: NodeJS.ErrnoException): boolean => code === 'EFOREIGN';

async function edit(t: Scope) {
	const folder = await makeFolder(t);
	const root = await plant(join(folder, 'root'), TREE);
	const outside = await plant(join(folder, 'outside'), { 'b/c': 'safe', d: 'safe' });
	const editor = new TreeEditor(root);
	t.defer(() => editor.close());
	return { folder, root, outside, editor };
}

test('entries are looked at, put, renamed and removed', async (t) => {
	const { folder, root, editor } = await edit(t);
	assert.is(editor.look('a/b/c')?.size, 1n);
	assert.is(editor.look('a/b/x'), undefined);
	assert.is(editor.look('x/y'), undefined);
	assert.is(editor.look('a/d/y'), undefined);
	await writeFile(join(folder, 'new'), 'new');
	editor.put(join(folder, 'new'), 'a/b/c');
	editor.rename('a/d', 'e');
	editor.makeFolder('f');
	editor.rename('f', 'g');
	editor.removeFolder('a');
	editor.removeFolder('x');
	assert.equal(await linesIn(root), linesOf({ 'a/b/c': 'new', 'a/e': 'd', g: d }));
	editor.remove('a/b/c');
	editor.removeFolder('a/b');
	editor.removeFolder('g');
	assert.equal(await linesIn(root), linesOf({ 'a/e': 'd' }));
	editor.close();
	assert.equal(await openBelow(folder), []);
});

test('nothing is found or changed through a link, also if it is put there meanwhile', async (t) => {
	const { folder, root, outside, editor } = await edit(t);
	assert.is(editor.look('a/d')?.size, 1n);
	await rename(join(root, 'a'), join(folder, 'moved'));
	await symlink('../outside', join(root, 'a'));
	await writeFile(join(folder, 'new'), 'new');
	for (const path of ['a/d', 'a/b/c']) {
		assert.is(editor.look(path), undefined);
		assert.throws(() => editor.remove(path), isForeign);
		assert.throws(() => editor.rename(path, 'e'), isForeign);
		assert.throws(() => editor.put(join(folder, 'new'), path), isForeign);
		assert.throws(() => editor.makeFolder(`${path}x`), isForeign);
	}
	assert.equal(await linesIn(outside), linesOf({ 'b/c': 'safe', d: 'safe' }));
	assert.is(await readFile(join(folder, 'moved/d'), 'utf8'), 'd');
});

test('a folder that was replaced by another is used', async (t) => {
	const { folder, root, editor } = await edit(t);
	assert.is(editor.look('a/d')?.size, 1n);
	await rename(join(root, 'a'), join(folder, 'moved'));
	await mkdir(join(root, 'a'));
	assert.is(editor.look('a/d'), undefined);
	await writeFile(join(root, 'a/d'), 'another');
	assert.is(editor.look('a/d')?.size, 7n);
});

test.run();
