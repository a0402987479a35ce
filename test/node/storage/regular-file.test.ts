import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { makeSeed } from '../../../node/hashing/make-seed.ts';
import { pieceDigests } from '../../../node/hashing/piece-digests.ts';
import { FileStorage } from '../../../node/storage/file-storage.ts';
import { absolutePath, statRegular } from '../../../node/storage/regular-file.ts';
import { MAX_LENGTH } from '../../../protocol/index.ts';
import { makeFolder } from '../../helpers/fixtures/folder.ts';
import { rejects } from '../../helpers/harness/rejects.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { throwsCode } from '../../helpers/harness/throws-code.ts';

const test = suite('regular files');

test('the size of a regular file is right, also of an empty file, of a sparse file, and through a link', async (t) => {
	const folder = await makeFolder(t);
	for (const [name, length] of [
		['empty', 0],
		['sparse', 10_000_000],
	] as const) {
		const path = join(folder, name);
		writeFileSync(path, '');
		truncateSync(path, length);
		symlinkSync(name, `${path}.link`);
		assert.is((await statRegular(path)).size, BigInt(length));
		assert.is((await statRegular(`${path}.link`)).size, BigInt(length));
	}
});

test('a file that the system generates on each read is refused, and the message says what to do instead', async () => {
	const made = ['/proc/cpuinfo', '/proc/self/mem', '/sys/kernel/mm/transparent_hugepage/enabled'];
	for (const path of made.filter((each) => existsSync(each))) {
		const { code, message } = await rejects(statRegular(path));
		assert.is(code, 'ERR_IO', path);
		assert.match(message, `no ordinary file: the system makes up its content`);
		assert.match(message, `cat ${path} > `);
		assert.is((await rejects(makeSeed(path))).code, 'ERR_IO', path);
	}
});

test('for a pipe, a socket, a device, a folder or a dangling link, the message says which of these it is', async (t) => {
	const folder = await makeFolder(t);
	const path = (name: string): string => join(folder, name);
	execFileSync('mkfifo', [path('pipe')]);
	const server = createServer().listen(path('socket'));
	t.defer(() => server.close());
	await once(server, 'listening');
	symlinkSync('nowhere', path('link'));
	for (const [what, code, message] of [
		[path('pipe'), 'ERR_IO', 'no ordinary file: it is a pipe'],
		[path('socket'), 'ERR_IO', 'no ordinary file: it is a socket'],
		['/dev/null', 'ERR_IO', 'no ordinary file: it is a device'],
		[folder, 'ERR_FOLDER', 'is a folder'],
		[path('link'), 'ERR_NO_FILE', 'is a link, and leads to no file'],
		[path('missing'), 'ERR_NO_FILE', 'there is no such file'],
	] as const) {
		const error = await rejects(statRegular(what));
		assert.is(error.code, code, what);
		assert.match(error.message, message);
	}
});

test('a file that is longer than a seed can express is refused before it is read', async (t) => {
	const path = join(await makeFolder(t), 'file');
	writeFileSync(path, '');
	try {
		truncateSync(path, MAX_LENGTH + 1);
	} catch {
		console.log('no file can be that long here: this test did nothing');
		return;
	}
	const { code, message } = await rejects(makeSeed(path));
	assert.is(code, 'ERR_LIMIT');
	assert.match(message, `${MAX_LENGTH + 1} bytes`);
});

test('an empty path is ERR_NO_FILE, not the working folder', async () => {
	throwsCode('ERR_NO_FILE', () => absolutePath(''));
	assert.is((await rejects(makeSeed(''))).code, 'ERR_NO_FILE');
});

test('a pipe that has replaced a file after its check does not block', async (t) => {
	const path = join(await makeFolder(t), 'file');
	execFileSync('mkfifo', [path]);
	const pieces = { path, kind: 'sha256', pieceSize: 1_024 } as const;
	assert.is(pieceDigests(pieces, () => {}).length, 0);
	const storage = await FileStorage.openToRead([{ path, length: 5 }]);
	assert.is((await rejects(storage.read(0, new Uint8Array(5)))).code, 'ERR_IO');
	await storage.close();
});

test.run();
