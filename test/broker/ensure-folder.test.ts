import { mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import * as assert from 'uvu/assert';
import { ensureFolder } from '../../broker/ensure-folder.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { asNobody } from '../helpers/harness/as-nobody.ts';
import { suite } from '../helpers/harness/suite.ts';

const test = suite('making folders');

const modeOf = (path: string): number => statSync(path).mode & 0o777;

test('missing folders are made with the mode, and those that exist stay as they are', async (t) => {
	const folder = await makeFolder(t);
	mkdirSync(join(folder, 'a'), { mode: 0o750 });
	const path = join(folder, 'a', 'b', 'c');
	for (const time of ['first', 'second']) {
		ensureFolder(path, 0o700);
		const modes = [join(folder, 'a'), join(folder, 'a', 'b'), path].map(modeOf);
		assert.equal(modes, [0o750, 0o700, 0o700], `the ${time} time`);
	}
});

test('the path can be relative, end with a slash, go up, and lead over links', async (t) => {
	const folder = await makeFolder(t);
	ensureFolder(relative('.', join(folder, 'a', 'b')) + sep);
	ensureFolder(`${folder}/c/../d`);
	symlinkSync('a', join(folder, 'link'));
	ensureFolder(join(folder, 'link'));
	ensureFolder(join(folder, 'link', 'e'));
	assert.equal(readdirSync(folder).sort(), ['a', 'c', 'd', 'link']);
	assert.equal(readdirSync(join(folder, 'a')).sort(), ['b', 'e']);
});

test('the error of the system keeps its code', async (t) => {
	const folder = await makeFolder(t);
	const file = join(folder, 'file');
	writeFileSync(file, '');
	symlinkSync('nowhere', join(folder, 'link'));
	assert.throws(() => ensureFolder(file), /^EEXIST/);
	assert.throws(() => ensureFolder(join(folder, 'link')), /^EEXIST/);
	assert.throws(() => ensureFolder(join(file, 'a')), /^ENOTDIR/);
	assert.throws(() => ensureFolder(join(file, 'a', 'b')), /^ENOTDIR/);
	assert.throws(() => ensureFolder(join(folder, 'n'.repeat(300))), /^ENAMETOOLONG/);
	assert.throws(() => ensureFolder(''), /^ENOENT/);
	// Nobody may write into the folder, which belongs to the user of the test.
	mkdirSync(join(folder, 'closed'), { mode: 0o555 });
	asNobody(() => assert.throws(() => ensureFolder(join(folder, 'closed', 'a', 'b')), /^EACCES/));
});

test('below a folder in which the system makes none, it fails', () => {
	if (process.platform === 'linux') {
		assert.throws(() => ensureFolder('/proc/none'), /^ENOENT/);
		assert.throws(() => ensureFolder('/proc/none/a/b'), /^ENOENT/);
	}
});

test.run();
