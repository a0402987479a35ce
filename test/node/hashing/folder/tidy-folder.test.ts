import fs from 'node:fs';
import { link, readdir, symlink, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { tidyFolder } from '../../../../node/hashing/folder/tidy-folder.ts';
import { makeFolder } from '../../../helpers/fixtures/folder.ts';
import { folderOf, locationOf } from '../../../helpers/fixtures/trees.ts';
import { type Scope, suite } from '../../../helpers/harness/suite.ts';

const test = suite('tidying what an earlier download has left');
const TREE = folderOf({ a: 'one', b: 'two' });

/** A folder with the files of the tree. */
async function left(t: Scope): Promise<string> {
	const root = await makeFolder(t);
	await writeFile(join(root, 'a'), 'one');
	await writeFile(join(root, 'b'), 'two');
	return root;
}

test('only files of the folder that have no further name are kept', async (t) => {
	const root = await left(t);
	await writeFile(join(root, 'other'), 'three');
	await symlink('a', join(root, 'link'));
	tidyFolder(locationOf(TREE, root), TREE.folder);
	assert.equal((await readdir(root)).sort(), ['a', 'b']);
	await link(join(root, 'b'), join(await makeFolder(t), 'name'));
	tidyFolder(locationOf(TREE, root), TREE.folder);
	assert.equal(await readdir(root), ['a']);
});

test('where the file system does not count names, all files of the folder are kept', async (t) => {
	const root = await left(t);
	const { lstatSync } = fs;
	const calls: { lstatSync: unknown } = fs;
	calls.lstatSync = (path: string) => Object.assign(lstatSync(path), { nlink: 0 });
	syncBuiltinESMExports();
	t.defer(() => {
		calls.lstatSync = lstatSync;
		syncBuiltinESMExports();
	});
	tidyFolder(locationOf(TREE, root), TREE.folder);
	assert.equal((await readdir(root)).sort(), ['a', 'b']);
});

test.run();
