import {
	appendFile,
	chmod,
	copyFile,
	link,
	mkdir,
	readFile,
	rename,
	stat,
	symlink,
	truncate,
	unlink,
	utimes,
	writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { FileStorage } from '../../../node/storage/file-storage.ts';
import { makeFolder, openBelow } from '../../helpers/fixtures/folder.ts';
import { contentOf } from '../../helpers/fixtures/seeds.ts';
import { rejects } from '../../helpers/harness/rejects.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('FileStorage');
const LENGTH = 3_000;

async function guarded(t: Scope): Promise<{ path: string; storage: FileStorage }> {
	const path = join(await makeFolder(t), 'file');
	await writeFile(path, contentOf(LENGTH));
	const storage = await FileStorage.openToRead([{ path, length: LENGTH }]);
	t.defer(() => storage.close());
	storage.guard();
	return { path, storage };
}

const CHANGES: Record<string, (path: string) => Promise<unknown>> = {
	'another byte': (path) => writeFile(path, new Uint8Array(1), { flag: 'r+' }),
	'the same bytes, written again': (path) => writeFile(path, contentOf(LENGTH), { flag: 'r+' }),
	'a byte more': (path) => appendFile(path, 'x'),
	'a byte less': (path) => truncate(path, LENGTH - 1),
	'no byte left': (path) => truncate(path, 0),
	'another time': (path) => utimes(path, 1, 1),
	'other bytes, but the time put back': async (path) => {
		const { atime, mtime } = await stat(path);
		await writeFile(path, new Uint8Array(5), { flag: 'r+' });
		await utimes(path, atime, mtime);
	},
	'other rights': (path) => chmod(path, 0o600),
	'another name as well': (path) => link(path, `${path}.2`),
	'its name taken by another file': async (path) => {
		await copyFile(path, `${path}.new`);
		await rename(`${path}.new`, path);
	},
	'its name gone': (path) => unlink(path),
};

for (const [what, change] of Object.entries(CHANGES)) {
	test(`a guarded file with ${what} is ERR_CHANGED`, async (t) => {
		const { path, storage } = await guarded(t);
		await storage.read(0, new Uint8Array(10));
		// The kernel updates file times in coarse ticks, so two changes within one tick have the
		// same time.
		const { ctimeMs } = await stat(path);
		await until('the clock has moved on', () => Date.now() > ctimeMs + 12);
		await change(path);
		assert.is((await rejects(storage.read(0, new Uint8Array(10)))).code, 'ERR_CHANGED');
	});
}

test('a changed file can be guarded again in its new state', async (t) => {
	const { path, storage } = await guarded(t);
	await utimes(path, 1, 1);
	storage.guard();
	await storage.read(0, new Uint8Array(10));
});

test('reads do not count as a change of a guarded file', async (t) => {
	const { path, storage } = await guarded(t);
	await readFile(path);
	for (let at = 0; at < LENGTH; at += 100) {
		await storage.read(at, new Uint8Array(100));
	}
});

test('a file that is read without a pause lets the event loop turn', async (t) => {
	const { storage } = await guarded(t);
	let hasTurned = false;
	setImmediate(() => {
		hasTurned = true;
	});
	for (const end = performance.now() + 5_000; !hasTurned && performance.now() < end; ) {
		await storage.read(0, new Uint8Array(LENGTH));
	}
	assert.ok(hasTurned);
});

test('a file that is too short is ERR_CHANGED even if it is not guarded', async (t) => {
	const path = join(await makeFolder(t), 'file');
	await writeFile(path, contentOf(10));
	const storage = await FileStorage.openToRead([{ path, length: 20 }]);
	t.defer(() => storage.close());
	await storage.read(0, new Uint8Array(10));
	assert.is((await rejects(storage.read(5, new Uint8Array(10)))).code, 'ERR_CHANGED');
});

test('if one of several files is missing, opening fails, and the files opened before are closed', async (t) => {
	const folder = await makeFolder(t);
	await writeFile(join(folder, 'a'), 'a');
	const pieces = ['a', 'b'].map((name) => ({ path: join(folder, name), length: 1 }));
	assert.is((await rejects(FileStorage.openToRead(pieces))).code, 'ERR_NO_FILE');
	assert.equal(await openBelow(folder), []);
});

test('a file that cannot get its length is closed', async (t) => {
	const folder = await makeFolder(t);
	const piece = { path: join(folder, 'a'), length: 2 ** 62 };
	await rejects(FileStorage.openToWrite([piece]));
	assert.equal(await openBelow(folder), []);
});

test('files are created with their length, and longer files are truncated', async (t) => {
	const folder = await makeFolder(t);
	await writeFile(join(folder, 'b'), contentOf(100));
	const storage = await FileStorage.openToWrite([
		{ path: join(folder, 'a'), length: 70_000 },
		{ path: join(folder, 'b'), length: 50 },
	]);
	await storage.sync();
	await storage.close();
	assert.is((await stat(join(folder, 'a'))).size, 70_000);
	assert.equal(new Uint8Array(await readFile(join(folder, 'b'))), contentOf(100).slice(0, 50));
});

test('a symbolic link is not followed when a file is opened for writing (T4)', async (t) => {
	const folder = await makeFolder(t);
	const canary = join(folder, 'canary');
	await writeFile(canary, 'unchanged');
	for (const target of [canary, join(folder, 'not-there')]) {
		const path = join(folder, `link-to-${target.length}`);
		await symlink(target, path);
		const error = await rejects(FileStorage.openToWrite([{ path, length: 3 }]));
		assert.is(error.code, 'ERR_PERMISSION');
	}
	assert.is(await readFile(canary, 'utf8'), 'unchanged');
	assert.is((await rejects(stat(join(folder, 'not-there')))).code, 'ENOENT');
});

test('opening a folder for writing is ERR_FOLDER', async (t) => {
	const path = join(await makeFolder(t), 'folder');
	await mkdir(path);
	assert.is((await rejects(FileStorage.openToWrite([{ path, length: 3 }]))).code, 'ERR_FOLDER');
});

test('after close, reads and writes fail, and the file is not open', async (t) => {
	const { path, storage } = await guarded(t);
	await storage.close();
	assert.is((await rejects(storage.read(0, new Uint8Array(1)))).code, 'ERR_CLOSED');
	assert.is((await rejects(storage.write(0, new Uint8Array(1)))).code, 'ERR_CLOSED');
	assert.equal(await openBelow(path), []);
});

test('each caller of close waits until the file is closed', async (t) => {
	const { storage } = await guarded(t);
	let isClosed = false;
	void storage.close().then(() => {
		isClosed = true;
	});
	await storage.close();
	assert.ok(isClosed);
});

test('bytes beyond 4 GiB of a sparse file are written at the right position', async (t) => {
	const path = join(await makeFolder(t), 'large');
	const length = 5 * 2 ** 30 + 3;
	const storage = await FileStorage.openToWrite([{ path, length }]);
	t.defer(() => storage.close());
	await storage.write(length - 3, Uint8Array.of(1, 2, 3));
	const bytes = new Uint8Array(5);
	await storage.read(length - 5, bytes);
	assert.equal(bytes, Uint8Array.of(0, 0, 1, 2, 3));
	const low = new Uint8Array(3);
	await storage.read((length - 3) % 2 ** 32, low);
	assert.equal(low, new Uint8Array(3));
});

test.run();
