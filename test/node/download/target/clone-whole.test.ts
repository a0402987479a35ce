import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { cloneWhole } from '../../../../node/download/target/clone-whole.ts';
import { makeFolder } from '../../../helpers/fixtures/folder.ts';
import { suite } from '../../../helpers/harness/suite.ts';

const test = suite('clones of whole files');

test('the first file of the right length is cloned, where the file system can', async (t) => {
	const folder = await makeFolder(t);
	const [short, source, path] = ['short', 'source', 'part'].map((name) => join(folder, name));
	writeFileSync(short as string, 'abc');
	writeFileSync(source as string, 'abcdef', { mode: 0o400 });
	const files = [join(folder, 'missing'), folder, short as string, source as string];
	const isCloned = await cloneWhole(path as string, files, 6);
	assert.is(existsSync(path as string), isCloned, 'nothing is left if it cannot be cloned');
	if (isCloned) {
		assert.is(readFileSync(path as string, 'utf8'), 'abcdef');
		assert.is(statSync(path as string).mode & 0o200, 0o200);
	}
});

test('a file that exists is not replaced', async (t) => {
	const folder = await makeFolder(t);
	const [source, path] = [join(folder, 'source'), join(folder, 'part')];
	writeFileSync(source, 'abcdef');
	writeFileSync(path, 'mine');
	assert.not.ok(await cloneWhole(path, [source], 6));
	assert.is(readFileSync(path, 'utf8'), 'mine');
	mkdirSync(join(folder, 'other'));
	assert.not.ok(await cloneWhole(join(folder, 'other'), [source], 6));
});

test.run();
