import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { writePrivate } from '../../broker/index.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { suite } from '../helpers/harness/suite.ts';

const test = suite('private files');

test('a file is replaced as a whole, and only its owner can read it', async (t) => {
	const folder = await makeFolder(t);
	const path = join(folder, 'secret');
	writeFileSync(path, 'the one before', { mode: 0o644 });
	writeFileSync(`${path}.${process.pid}`, 'left behind', { mode: 0o644 });
	writePrivate(path, 'secret\n');
	assert.is(readFileSync(path, 'utf8'), 'secret\n');
	assert.is(statSync(path).mode & 0o777, 0o600);
	assert.equal(readdirSync(folder), ['secret']);
});

test('a missing folder is not created', async (t) => {
	const folder = await makeFolder(t);
	const path = join(folder, 'missing', 'secret');
	assert.throws(() => writePrivate(path, 'x'), /ENOENT/);
	assert.equal(readdirSync(folder), []);
});

test.run();
