import {
	lstat,
	mkdir,
	open,
	readdir,
	readFile,
	stat,
	statfs,
	symlink,
	writeFile,
} from 'node:fs/promises';
import { basename, join, resolve, sep } from 'node:path';
import * as assert from 'uvu/assert';
import { PartFile, resolveOutput } from '../../../../node/download/target/part-file.ts';
import { Layout, MAX_CHUNK_SIZE, Seed } from '../../../../protocol/index.ts';
import { makeFolder, openBelow } from '../../../helpers/fixtures/folder.ts';
import { contentOf, seedOf } from '../../../helpers/fixtures/seeds.ts';
import { rejects } from '../../../helpers/harness/rejects.ts';
import { type Scope, suite } from '../../../helpers/harness/suite.ts';

const test = suite('PartFile');
const content = contentOf(2_000);
const seed = seedOf(content);

async function openPart(t: Scope, name = 'file.bin', of: Seed = seed) {
	const folder = await makeFolder(t);
	const path = join(folder, name);
	const part = await PartFile.open(path, of);
	t.defer(() => part.close());
	return { folder, path, part };
}

/** A seed of `length` bytes with digests of zeros. */
function seedOfLength(length: number): Seed {
	const { chunks } = new Layout(length, MAX_CHUNK_SIZE);
	return new Seed({
		name: 'large.bin',
		length,
		kind: 'sha256',
		digest: new Uint8Array(32),
		chunkDigests: new Uint8Array(chunks * 32),
	});
}

async function finish(part: PartFile): Promise<void> {
	await part.appear();
	await part.settle();
}

test('the final name appears only at the end, and then has the content', async (t) => {
	const { folder, path, part } = await openPart(t);
	await part.storage.write(0, content);
	await part.storage.sync();
	assert.equal(await readdir(folder), [basename(part.partPath)]);
	await finish(part);
	assert.equal(await readdir(folder), ['file.bin']);
	assert.equal(new Uint8Array(await readFile(path)), content);
});

test('the name of a part file contains the start of the seed id', async (t) => {
	const { path, part } = await openPart(t);
	assert.is(part.partPath, `${path}.${seed.id.slice(0, 8)}.part`);
	assert.is(part.wasThere, false);
});

test('a finished file can still be read through its storage, and a change is ERR_CHANGED', async (t) => {
	const { path, part } = await openPart(t);
	await part.storage.write(0, content);
	await finish(part);
	const bytes = new Uint8Array(content.length);
	await part.storage.read(0, bytes);
	assert.equal(bytes, content);
	await writeFile(path, 'other');
	assert.is((await rejects(part.storage.read(0, bytes))).code, 'ERR_CHANGED');
});

test('appear does not replace a file that was created meanwhile, and keeps the part file', async (t) => {
	const { folder, path, part } = await openPart(t);
	await part.storage.write(0, content);
	await writeFile(path, 'precious');
	assert.is((await rejects(part.appear())).code, 'ERR_EXISTS');
	assert.is(await readFile(path, 'utf8'), 'precious');
	assert.equal((await readdir(folder)).sort(), [basename(path), basename(part.partPath)].sort());
});

test('appear does not replace a folder or a symbolic link that was created meanwhile', async (t) => {
	for (const appear of [mkdir, (path: string) => symlink('/dev/null', path)]) {
		const { path, part } = await openPart(t);
		await appear(path);
		const before = await lstat(path);
		assert.is((await rejects(part.appear())).code, 'ERR_EXISTS');
		assert.is((await lstat(path)).ino, before.ino);
	}
});

test('if the final path exists, open fails with ERR_EXISTS and creates nothing', async (t) => {
	const folder = await makeFolder(t);
	const path = join(folder, 'file.bin');
	await writeFile(path, 'precious');
	assert.is((await rejects(PartFile.open(path, seed))).code, 'ERR_EXISTS');
	const dangling = join(folder, 'dangling');
	await symlink(join(folder, 'not-there'), dangling);
	assert.is((await rejects(PartFile.open(dangling, seed))).code, 'ERR_EXISTS');
	assert.equal((await readdir(folder)).sort(), ['dangling', 'file.bin']);
	assert.equal(await openBelow(folder), []);
});

test('a symbolic link at the path of the part file is not followed (T4)', async (t) => {
	const folder = await makeFolder(t);
	const canary = join(folder, 'canary');
	await writeFile(canary, 'unchanged');
	const path = join(folder, 'file.bin');
	await symlink(canary, `${path}.${seed.id.slice(0, 8)}.part`);
	assert.is((await rejects(PartFile.open(path, seed))).code, 'ERR_PERMISSION');
	assert.is(await readFile(canary, 'utf8'), 'unchanged');
});

test('the part file stays after close and is found again', async (t) => {
	const { folder, path, part } = await openPart(t);
	await part.storage.write(100, content.subarray(100, 300));
	await part.close();
	assert.equal(await openBelow(folder), []);
	const again = await PartFile.open(path, seed);
	t.defer(() => again.close());
	assert.is(again.wasThere, true);
	const bytes = new Uint8Array(200);
	await again.storage.read(100, bytes);
	assert.equal(bytes, content.slice(100, 300));
});

test('a file that appeared but was not settled becomes a part file again', async (t) => {
	const { folder, path, part } = await openPart(t);
	await part.storage.write(0, content);
	await part.appear();
	assert.equal((await readdir(folder)).sort(), ['file.bin', basename(part.partPath)]);
	assert.equal(new Uint8Array(await readFile(path)), content);
	await part.close();
	const again = await PartFile.open(path, seed);
	t.defer(() => again.close());
	assert.ok(again.wasThere);
	assert.equal(await readdir(folder), [basename(part.partPath)]);
	await finish(again);
	assert.equal(await readdir(folder), ['file.bin']);
	assert.is((await rejects(PartFile.open(path, seed))).code, 'ERR_EXISTS');
});

test('nothing is left after discard', async (t) => {
	const { folder, part } = await openPart(t);
	await part.discard();
	assert.equal(await readdir(folder), []);
	assert.equal(await openBelow(folder), []);
});

test('discard after finish leaves the file', async (t) => {
	const { folder, part } = await openPart(t);
	await finish(part);
	await part.discard();
	assert.equal(await readdir(folder), ['file.bin']);
});

test('an empty content becomes an empty file', async (t) => {
	const { path, part } = await openPart(t, 'empty', seedOf(new Uint8Array()));
	await finish(part);
	assert.is((await stat(path)).size, 0);
});

const LONG_NAMES: Record<string, string> = {
	'255 letters': 'a'.repeat(255),
	'240 letters': 'a'.repeat(240),
	'127 letters of two bytes': 'ä'.repeat(127),
	'85 letters of three bytes': '貝'.repeat(85),
	'63 characters of four bytes': '🐟'.repeat(63),
	'63 characters of four bytes, shifted': `abc${'🐟'.repeat(63)}`,
};

for (const [what, name] of Object.entries(LONG_NAMES)) {
	test(`a download can have a name of ${what}`, async (t) => {
		const { folder, part } = await openPart(t, name);
		const [partName = ''] = await readdir(folder);
		assert.ok(Buffer.byteLength(partName) <= 255);
		assert.ok(partName.endsWith(`.${seed.id.slice(0, 8)}.part`));
		assert.not.match(partName, '\ufffd');
		await finish(part);
		assert.equal(await readdir(folder), [name]);
	});
}

test('a name that is too long for the system is ERR_NAME', async (t) => {
	const folder = await makeFolder(t);
	assert.is((await rejects(PartFile.open(join(folder, 'a'.repeat(256)), seed))).code, 'ERR_NAME');
});

test('a content larger than the disk is ERR_NO_SPACE at once, and no byte is written (T24)', async (t) => {
	const folder = await makeFolder(t);
	const { bavail, bsize } = await statfs(folder);
	const free = bavail * bsize;
	// The largest valid seed has 4 TiB, which may fit on a disk, so this one claims more.
	const large = { ...seedOfLength(2 ** 42), length: 2 ** 50, id: seed.id } as Seed;
	const error = await rejects(PartFile.open(join(folder, 'large.bin'), large));
	assert.is(error.code, 'ERR_NO_SPACE');
	assert.match(error.message, '1.13 PB');
	assert.equal(await readdir(folder), []);
	assert.ok(free < 2 ** 50);
});

test('the holes of a part file do not count as space that it already has', async (t) => {
	const folder = await makeFolder(t);
	const path = join(folder, 'large.bin');
	const { bavail, bsize } = await statfs(folder);
	const length = Math.min(2 ** 42, bavail * bsize + 2 ** 34);
	const large = seedOfLength(length);
	const partPath = `${path}.${large.id.slice(0, 8)}.part`;
	const handle = await open(partPath, 'w');
	await handle.truncate(length).finally(() => handle.close());
	assert.is((await rejects(PartFile.open(path, large))).code, 'ERR_NO_SPACE');
});

test('a missing folder is ERR_NO_FILE, and is not created', async (t) => {
	const folder = await makeFolder(t);
	const path = join(folder, 'missing', 'file.bin');
	assert.is((await rejects(PartFile.open(path, seed))).code, 'ERR_NO_FILE');
	assert.equal(await readdir(folder), []);
});

test('a file in the place of the folder is ERR_NO_FILE', async (t) => {
	const folder = await makeFolder(t);
	await writeFile(join(folder, 'a'), '');
	assert.is((await rejects(PartFile.open(join(folder, 'a', 'b'), seed))).code, 'ERR_NO_FILE');
});

test('the output is an existing folder, a path with a final slash, the path of a file, or by default the working folder', async (t) => {
	const folder = await makeFolder(t);
	assert.is(await resolveOutput(folder, 'name'), join(folder, 'name'));
	assert.is(await resolveOutput(folder + sep, 'name'), join(folder, 'name'));
	assert.is(await resolveOutput(join(folder, 'new'), 'name'), join(folder, 'new'));
	assert.is(await resolveOutput(join(folder, 'new') + sep, 'name'), join(folder, 'new', 'name'));
	assert.is(await resolveOutput(undefined, 'name'), resolve('name'));
});

test.run();
