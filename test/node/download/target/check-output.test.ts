import { execFile } from 'node:child_process';
import { chmod, chown, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as assert from 'uvu/assert';
import { FileTarget } from '../../../../node/download/target/file-target.ts';
import type { ShoalError } from '../../../../protocol/index.ts';
import { makeFolder } from '../../../helpers/fixtures/folder.ts';
import { canMount, smallDisk } from '../../../helpers/fixtures/small-disk.ts';
import { rejects } from '../../../helpers/harness/rejects.ts';
import { type Scope, suite } from '../../../helpers/harness/suite.ts';
import { CHUNK, content, finish, isContent, open, seed } from '../../../helpers/harness/target.ts';

const test = suite('errors of the output before the first byte');
const run = promisify(execFile);
const NOBODY = 65_534;
const older = content.slice();
older.fill(7, CHUNK, 2 * CHUNK);

/**
 * Gives this process the rights of an ordinary user until the test ends. Only root can do so.
 *
 * @returns whether it did
 */
function becomeNobody(t: Scope): boolean {
	if (process.platform !== 'linux' || process.geteuid?.() !== 0) {
		return false;
	}
	process.seteuid?.(NOBODY);
	t.defer(() => process.seteuid?.(0));
	return true;
}

/** A folder that every user can reach, with `mode`. */
async function openFolder(t: Scope, mode: number): Promise<string> {
	const folder = await makeFolder(t);
	await chmod(folder, 0o755);
	const shared = join(folder, 'shared');
	await mkdir(shared);
	await chmod(shared, mode);
	return shared;
}

/** Opens a target for `path` as a download does. @returns the error of the refusal */
async function refused(path: string): Promise<ShoalError> {
	const target = new FileTarget(path);
	return (await rejects(target.open(seed, {}).finally(() => target.abandon()))) as ShoalError;
}

test("another user's file in a sticky folder is refused, and left as it is", async (t) => {
	const folder = await openFolder(t, 0o1777);
	const path = join(folder, 'file.bin');
	await writeFile(path, older);
	if (becomeNobody(t)) {
		const error = await refused(path);
		assert.is(error.code, 'ERR_PERMISSION');
		assert.match(error.message, /belongs to another user.*another with -o$/);
		assert.equal(new Uint8Array(await readFile(path)), older);
		assert.equal(await readdir(folder), ['file.bin']);
	}
});

test('a file is replaced if the user owns it in a sticky folder, or if its folder is writable and not sticky', async (t) => {
	const [sticky, plain] = [await openFolder(t, 0o1777), await openFolder(t, 0o777)];
	const paths = [sticky, plain].map((folder) => join(folder, 'file.bin'));
	for (const path of paths) {
		await writeFile(path, older);
	}
	if (becomeNobody(t)) {
		process.seteuid?.(0);
		await chown(paths[0] as string, NOBODY, NOBODY);
		await chmod(paths[1] as string, 0o644);
		process.seteuid?.(NOBODY);
		for (const path of paths) {
			await finish(await open(t, path));
			await isContent(path);
		}
	}
});

test('a folder without write permission is refused, unless the right file is already there', async (t) => {
	const folder = await openFolder(t, 0o755);
	await writeFile(join(folder, 'right.bin'), content);
	await writeFile(join(folder, 'older.bin'), older);
	if (becomeNobody(t)) {
		for (const name of ['new.bin', 'older.bin']) {
			const error = await refused(join(folder, name));
			assert.is(error.code, 'ERR_PERMISSION');
			assert.match(error.message, /shared": permission denied; choose a folder/);
		}
		assert.ok((await open(t, join(folder, 'right.bin'))).wasThere);
		assert.equal((await readdir(folder)).sort(), ['older.bin', 'right.bin']);
	}
});

test('a read-only disk and an immutable file are refused, even for root', async (t) => {
	if (!canMount) {
		return;
	}
	const disk = await smallDisk(t, 1);
	await writeFile(join(disk, 'right.bin'), content);
	await run('mount', ['-o', 'remount,ro', disk]);
	const error = await refused(join(disk, 'file.bin'));
	assert.is(error.code, 'ERR_PERMISSION');
	assert.match(error.message, 'read-only');
	assert.ok((await open(t, join(disk, 'right.bin'))).wasThere);

	for (const attribute of ['i', 'a']) {
		const path = join(await makeFolder(t), 'file.bin');
		await writeFile(path, older);
		// Not every file system supports these attributes.
		const isMarked = await run('chattr', [`+${attribute}`, path]).then(
			() => true,
			() => false,
		);
		if (isMarked) {
			t.defer(() => run('chattr', [`-${attribute}`, path]));
			const marked = await refused(path);
			assert.is(marked.code, 'ERR_PERMISSION');
			assert.match(marked.message, 'immutable or append-only');
			assert.equal(new Uint8Array(await readFile(path)), older);
		}
	}
});

test('the message distinguishes a disk without free inodes from a disk without free space', async (t) => {
	if (!canMount) {
		return;
	}
	const disk = await smallDisk(t, 1);
	await run('mount', ['-o', 'remount,nr_inodes=3', disk]);
	await writeFile(join(disk, 'one'), '');
	await writeFile(join(disk, 'two'), '');
	const error = await refused(join(disk, 'file.bin'));
	assert.is(error.code, 'ERR_NO_SPACE');
	assert.match(error.message, /as many files as it can hold/);
	await run('mount', ['-o', 'remount,nr_inodes=100', disk]);
	await writeFile(join(disk, 'full'), new Uint8Array(1_048_576));
	const full = await refused(join(disk, 'file.bin'));
	assert.is(full.code, 'ERR_NO_SPACE');
	assert.match(full.message, /^"[^"]*disk": the disk is full; make room/);
	assert.equal((await readdir(disk)).sort(), ['full', 'one', 'two']);
});

test('if its folder is removed, a download fails, and the folder is not created again', async (t) => {
	const folder = await openFolder(t, 0o755);
	const session = await open(t, join(folder, 'file.bin'));
	await session.storage.write(0, content.subarray(0, CHUNK));
	await run('rm', ['-r', folder]);
	await new Promise((resolve) => setTimeout(resolve, 300));
	const error = await rejects(session.storage.write(0, content.subarray(0, CHUNK)));
	assert.is(error.code, 'ERR_NO_FILE');
	assert.match(error.message, /removed while it was written, or its folder was/);
	await session.target.abandon();
	assert.is(await stat(folder).catch(() => undefined), undefined);
});

test.run();
