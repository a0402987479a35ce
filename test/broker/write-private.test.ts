import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { writePrivate } from '../../broker/index.ts';
import { FailingCalls } from '../helpers/adversaries/failing-calls.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { suite } from '../helpers/harness/suite.ts';

const test = suite('private files');

test('a file is replaced as a whole, and only its owner can read it', async (t) => {
	const folder = await makeFolder(t);
	const path = join(folder, 'secret');
	writeFileSync(path, 'the one before', { mode: 0o644 });
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

test('the bytes of a file are on the disk before it gets its name, and then the name', async (t) => {
	const folder = await makeFolder(t);
	const calls = new FailingCalls(t, folder, true);
	writePrivate(join(folder, 'secret'), 'x');
	const synced = ['openSync', 'fsyncSync', 'closeSync'];
	assert.equal(calls.made, [...synced, 'renameSync', ...synced]);
});

test('a file that cannot be written leaves nothing, and the file before stays', async (t) => {
	const folder = await makeFolder(t);
	const path = join(folder, 'secret');
	writePrivate(path, 'before');
	const calls = new FailingCalls(t, folder, true);
	for (const failing of ['fsyncSync', 'closeSync', 'renameSync']) {
		calls.decide = (name) => (name === failing ? 'ENOSPC' : undefined);
		assert.throws(() => writePrivate(path, 'x'), /ENOSPC/);
	}
	assert.equal(readdirSync(folder), ['secret']);
	assert.is(readFileSync(path, 'utf8'), 'before');
});

test('a folder that cannot be synced is no error, unless the disk fails', async (t) => {
	const folder = await makeFolder(t);
	const path = join(folder, 'secret');
	const calls = new FailingCalls(t, folder, true);
	const failWith = (code: string): void => {
		const isOfFolder = (name: string) => name === 'fsyncSync' && calls.made.includes('renameSync');
		calls.made = [];
		calls.decide = (name) => (isOfFolder(name) ? code : undefined);
	};
	failWith('EINVAL');
	writePrivate(path, 'one');
	failWith('EIO');
	assert.throws(() => writePrivate(path, 'two'), /EIO/);
	assert.is(readFileSync(path, 'utf8'), 'two');
});

test.run();
