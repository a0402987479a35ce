import { lstatSync, renameSync } from 'node:fs';
import {
	appendFile,
	chmod,
	copyFile,
	mkdir,
	rename,
	rm,
	stat,
	symlink,
	truncate,
	unlink,
	utimes,
	writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { compareFolder } from '../../../../node/hashing/folder/compare-folder.ts';
import { EntryStamps } from '../../../../node/storage/folder/entry-stamps.ts';
import { FolderStorage } from '../../../../node/storage/folder/folder-storage.ts';
import { openBelow } from '../../../helpers/fixtures/folder.ts';
import { contentOf } from '../../../helpers/fixtures/seeds.ts';
import {
	d,
	folderOf,
	l,
	locationOf,
	makeTree,
	type Tree,
	x,
} from '../../../helpers/fixtures/trees.ts';
import { rejects } from '../../../helpers/harness/rejects.ts';
import { type Scope, suite } from '../../../helpers/harness/suite.ts';

const test = suite('FolderStorage');
const CHUNK = 512;
const LENGTH = 3_000;
const TREE: Tree = {
	'a/changed': contentOf(LENGTH),
	'a/link': l('changed'),
	'b/empty': '',
	'b/void': d,
	large: contentOf(64 * CHUNK),
	run: x('run me'),
};
const made = folderOf(TREE, { chunkSize: CHUNK });
const { content, folder } = made;
const AT = folder.find('a/changed')?.offset as number;

/** Writes the folder to the disk and opens its storage like a share does, guarded by stamps. */
async function guarded(t: Scope, of = made, tree = TREE) {
	const root = await makeTree(t, tree);
	const { location, stamps } = compareFolder(locationOf(of, root), of.folder, undefined, () => {});
	const storage = new FolderStorage(location, of.folder, new EntryStamps(stamps));
	t.defer(() => storage.close());
	return { root, storage, path: join(root, 'a/changed') };
}

/** Makes the next read of `storage` so slow that later reads use the thread pool. */
async function cool(storage: FolderStorage): Promise<void> {
	const { now } = performance;
	let step = 0;
	performance.now = () => {
		step += 10;
		return now.call(performance) + step;
	};
	try {
		await storage.read(content.length - 1, new Uint8Array(1));
	} finally {
		performance.now = now;
	}
}

const TEMPERATURES: Record<string, (storage: FolderStorage) => Promise<void>> = {
	warm: async () => {},
	cold: cool,
};

async function bytesAt(storage: FolderStorage, offset: number, length: number) {
	const bytes = new Uint8Array(length);
	await storage.read(offset, bytes);
	return bytes;
}

const CHANGES: Record<string, (path: string) => Promise<unknown>> = {
	'another byte': (path) => writeFile(path, new Uint8Array(1), { flag: 'r+' }),
	'a byte more': (path) => appendFile(path, 'x'),
	'a byte less': (path) => truncate(path, LENGTH - 1),
	'no byte left': (path) => truncate(path, 0),
	'another time': (path) => utimes(path, 1, 1),
	'other bytes, but the time put back': async (path) => {
		const { atime, mtime } = await stat(path);
		await writeFile(path, new Uint8Array(5), { flag: 'r+' });
		await utimes(path, atime, mtime);
	},
	'other permissions': (path) => chmod(path, 0o600),
	'its name taken by another file': async (path) => {
		await copyFile(path, `${path}.new`);
		await rename(`${path}.new`, path);
	},
	'its name taken by a link to the file': async (path) => {
		await rename(path, `${path}.moved`);
		await symlink('changed.moved', path);
	},
	'its name taken by a link to nothing': async (path) => {
		await unlink(path);
		await symlink('nothing', path);
	},
	'its name taken by a folder': async (path) => {
		await unlink(path);
		await mkdir(path);
	},
	'its name gone': (path) => unlink(path),
	'its folder gone': (path) => rm(join(path, '..'), { recursive: true }),
	'its folder moved': (path) => rename(join(path, '..'), join(path, '../../moved')),
	'its folder a file': async (path) => {
		await rm(join(path, '..'), { recursive: true });
		await writeFile(join(path, '..'), '');
	},
};

for (const [what, change] of Object.entries(CHANGES)) {
	for (const [temperature, makeSo] of Object.entries(TEMPERATURES)) {
		test(`a guarded file with ${what} is ERR_CHANGED, and the error names it, when reads are ${temperature}`, async (t) => {
			const { storage, path } = await guarded(t);
			await makeSo(storage);
			await change(path);
			const error = await rejects(storage.read(AT, new Uint8Array(100)));
			assert.is(error.code, 'ERR_CHANGED');
			assert.match(error.message, path);
		});
	}
	test(`check finds a guarded file with ${what}, and names it`, async (t) => {
		const { storage, path } = await guarded(t);
		storage.check();
		await change(path);
		try {
			storage.check();
			assert.unreachable();
		} catch (error) {
			assert.is((error as { code: string }).code, 'ERR_CHANGED');
			assert.match((error as Error).message, path);
		}
	});
}

for (const [temperature, makeSo] of Object.entries(TEMPERATURES)) {
	test(`returns every byte, of files, links and padding, when reads are ${temperature}`, async (t) => {
		const { storage } = await guarded(t);
		await makeSo(storage);
		assert.equal(await bytesAt(storage, 0, content.length), content);
		for (let at = 0; at < content.length; at += 700) {
			const length = Math.min(700, content.length - at);
			assert.equal(await bytesAt(storage, at, length), content.subarray(at, at + length));
		}
	});

	test(`a file that is not wanted cannot be read when reads are ${temperature}, even if it exists`, async (t) => {
		const { root, storage } = await guarded(t);
		await writeFile(join(root, '.links'), content);
		const some = new FolderStorage({ ...storage.location, wanted: new Set(['run']) }, folder);
		t.defer(() => some.close());
		await makeSo(some);
		assert.is((await rejects(some.read(AT, new Uint8Array(10)))).code, 'ERR_NO_FILE');
	});

	test(`a folder that got its final name is read at its new path when reads are ${temperature}`, async (t) => {
		const { root, storage: before } = await guarded(t);
		const storage = new FolderStorage(before.location, folder);
		t.defer(() => storage.close());
		await makeSo(storage);
		const reading = Array.from({ length: 20 }, () => bytesAt(storage, AT, LENGTH));
		renameSync(root, `${root}.final`);
		const stamps = new EntryStamps(folder.entries.length);
		for (const [number, { path }] of folder.entries.entries()) {
			stamps.set(number, lstatSync(join(`${root}.final`, path), { bigint: true }));
		}
		storage.moved({ ...before.location, root: `${root}.final` }, stamps);
		for (const bytes of [...(await Promise.all(reading)), await bytesAt(storage, AT, LENGTH)]) {
			assert.equal(bytes, content.subarray(AT, AT + LENGTH));
		}
		await utimes(join(`${root}.final`, 'a/changed'), 1, 1);
		assert.is((await rejects(bytesAt(storage, AT, LENGTH))).code, 'ERR_CHANGED');
	});
}

test('check finds a link with another target, and names it', async (t) => {
	const { root, storage } = await guarded(t);
	await unlink(join(root, 'a/link'));
	await symlink('nothing', join(root, 'a/link'));
	assert.throws(() => storage.check(), /a\/link.* has changed/);
});

test('check finds an empty file or an empty folder that is not empty any more, and names it', async (t) => {
	const { root, storage } = await guarded(t);
	storage.check();
	await writeFile(join(root, 'b/empty'), 'x');
	assert.throws(() => storage.check(), /b\/empty.* has changed/);
	await writeFile(join(root, 'b/void/new'), '');
	assert.throws(() => storage.check(), /b\/void.* has changed/);
});

test('check examines many files in turns, so a changed file is found in one of several calls', async (t) => {
	const tree = Object.fromEntries(Array.from({ length: 450 }, (_, at) => [`${at}`, `${at}`]));
	const { root, storage } = await guarded(t, folderOf(tree), tree);
	await utimes(join(root, '99'), 1, 1);
	let failed = 0;
	for (let look = 0; look < 3; look += 1) {
		try {
			storage.check();
		} catch {
			failed += 1;
		}
	}
	assert.is(failed, 1);
});

test('knows the wanted files, and every folder that contains them', async (t) => {
	const { root, storage } = await guarded(t);
	const below = (...paths: string[]): string[] => paths.map((path) => join(root, path));
	assert.is(storage.kept, 6);
	assert.equal(storage.paths.files, below('a/changed', 'b/empty', 'large', 'run'));
	assert.equal([...storage.paths.folders].sort(), [root, ...below('a', 'b', 'b/void')]);
	const wanted = new Set(['a/link', 'run']);
	const some = new FolderStorage({ ...storage.location, wanted }, folder);
	t.defer(() => some.close());
	assert.is(some.kept, 2);
	assert.equal(some.paths, { files: below('run'), folders: [root, ...below('a')] });
});

test('after close, no file is open, and reads fail', async (t) => {
	const { root, storage } = await guarded(t);
	await bytesAt(storage, 0, content.length);
	assert.ok((await openBelow(root)).length > 0);
	await storage.close();
	await storage.close();
	assert.equal(await openBelow(root), []);
	assert.is((await rejects(bytesAt(storage, 0, 1))).code, 'ERR_CLOSED');
});

test.run();
