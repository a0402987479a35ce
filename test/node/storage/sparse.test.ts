import { open, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { FileStorage } from '../../../node/storage/file-storage.ts';
import { isZero, zeroStretches } from '../../../node/storage/zeros.ts';
import { makeFolder } from '../../helpers/fixtures/folder.ts';
import { contentOf } from '../../helpers/fixtures/seeds.ts';
import { rejects } from '../../helpers/harness/rejects.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('holes in files');
const KIB = 1_024;
const MIB = 1_024 * KIB;
const LENGTH = 8 * MIB;

/** A content of zeros with 64 KiB of other bytes at 0, at 1 MiB and at the end. */
function sparseContent(): Buffer {
	const content = Buffer.alloc(LENGTH);
	for (const at of [0, MIB, LENGTH - 64 * KIB]) {
		content.set(contentOf(64 * KIB), at);
	}
	return content;
}

async function openFile(t: Scope, path: string): Promise<FileStorage> {
	const storage = await FileStorage.openToWrite([{ path, length: LENGTH }]);
	t.defer(() => storage.close());
	return storage;
}

async function writeAll(storage: FileStorage, content: Buffer): Promise<void> {
	const step = 256 * KIB;
	for (let at = 0; at < content.length; at += step) {
		await storage.write(at, content.subarray(at, at + step));
	}
}

async function bytesTaken(path: string): Promise<number> {
	const handle = await open(path);
	await handle.sync().finally(() => handle.close());
	return (await stat(path)).blocks * 512;
}

/** Whether the file system of `folder` supports sparse files. */
async function keepsHoles(folder: string): Promise<boolean> {
	const path = join(folder, 'hole');
	await writeFile(path, '');
	await truncate(path, LENGTH);
	return (await bytesTaken(path).finally(() => rm(path))) < LENGTH;
}

test('stretches of zeros are found in steps of 64 KiB', () => {
	const bytes = new Uint8Array(5 * 64 * KIB + 10);
	assert.equal(zeroStretches(bytes), [{ start: 0, end: bytes.length, isZero: true }]);
	assert.ok(isZero(bytes));
	bytes[64 * KIB] = 1;
	bytes[3 * 64 * KIB - 1] = 1;
	assert.equal(zeroStretches(bytes), [
		{ start: 0, end: 64 * KIB, isZero: true },
		{ start: 64 * KIB, end: 3 * 64 * KIB, isZero: false },
		{ start: 3 * 64 * KIB, end: bytes.length, isZero: true },
	]);
	assert.not(isZero(bytes));
	assert.equal(zeroStretches(new Uint8Array()), []);
	assert.ok(isZero(new Uint8Array()));
});

test('zeros take no space in a new file, and are read as zeros', async (t) => {
	const folder = await makeFolder(t);
	const path = join(folder, 'file');
	const content = sparseContent();
	await writeAll(await openFile(t, path), content);
	assert.ok(content.equals(await readFile(path)));
	if (await keepsHoles(folder)) {
		const taken = await bytesTaken(path);
		assert.ok(taken <= MIB, `${taken} bytes`);
	}
});

test('in an existing file, zeros are written over other bytes, and holes stay holes', async (t) => {
	const folder = await makeFolder(t);
	const path = join(folder, 'file');
	await writeFile(path, contentOf(2 * MIB));
	await truncate(path, LENGTH);
	const content = sparseContent();
	await writeAll(await openFile(t, path), content);
	assert.ok(content.equals(await readFile(path)));
	if (await keepsHoles(folder)) {
		assert.ok((await bytesTaken(path)) <= 3 * MIB);
	}
});

test('after fillHoles, zeros are written too', async (t) => {
	const path = join(await makeFolder(t), 'file');
	const storage = await openFile(t, path);
	storage.fillHoles();
	const content = sparseContent();
	await writeAll(storage, content);
	assert.ok(content.equals(await readFile(path)));
	assert.ok((await bytesTaken(path)) >= LENGTH);
});

test('a write fails soon after the file was removed', async (t) => {
	const folder = await makeFolder(t);
	const removed = await openFile(t, join(folder, 'removed'));
	await removed.write(0, contentOf(10));
	await rm(join(folder, 'removed'));
	let failure: unknown;
	await until('a write to fail', async () => {
		failure = await removed.write(0, contentOf(10)).catch((error) => error);
		return failure !== undefined;
	});
	assert.is((await rejects(Promise.reject(failure))).code, 'ERR_NO_FILE');
	assert.match(String(failure), 'was removed while it was written');
});

test.run();
