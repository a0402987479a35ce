import {
	appendFile,
	chmod,
	chown,
	lstat,
	readdir,
	readFile,
	rename,
	stat,
	symlink,
	truncate,
	unlink,
	writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { FileTarget } from '../../../../node/download/target/file-target.ts';
import { partPathsOf } from '../../../../node/download/target/part-paths.ts';
import { makeFolder, openBelow } from '../../../helpers/fixtures/folder.ts';
import { contentOf, seedOf } from '../../../helpers/fixtures/seeds.ts';
import { rejects } from '../../../helpers/harness/rejects.ts';
import { type Scope, suite } from '../../../helpers/harness/suite.ts';
import {
	BOOT,
	CHUNK,
	content,
	finish,
	interrupted,
	isContent,
	missing,
	open,
	seed,
	store,
} from '../../../helpers/harness/target.ts';

const test = suite('an existing file at the final path');

/** Makes a file at the final path. @returns the path */
async function standing(t: Scope, bytes: Uint8Array | string): Promise<string> {
	const path = join(await makeFolder(t), 'file.bin');
	await writeFile(path, bytes);
	return path;
}

test('a right file is left unchanged, and the part file and journal of an earlier download are removed', async (t) => {
	const { path, part, journal } = await interrupted(t, [1, 2]);
	await writeFile(path, content);
	const before = await stat(path);
	const session = await open(t, path);
	assert.ok(session.wasThere && session.have.isFull);
	assert.equal(await session.target.finish(seed, {}), { path, verified: 'whole' });
	const { length } = await readdir(join(path, '..'));
	assert.is(length, 4, 'file, part file, journal and lock');
	await session.target.settle();
	const bytes = new Uint8Array(content.length);
	await session.storage.read(0, bytes);
	assert.equal(bytes, content);
	await session.target.abandon();
	assert.is((await stat(path)).ino, before.ino);
	assert.equal(await readdir(join(path, '..')), ['file.bin'], `${part} and ${journal} are gone`);
});

/** An older version whose first five chunks are the same. */
const older = contentOf(content.length - 700);
older.set(content.subarray(0, 5 * CHUNK));

test('right chunks of another version are copied, and the file is replaced only at the end', async (t) => {
	const path = await standing(t, older);
	await chmod(path, 0o640);
	const session = await open(t, path);
	assert.is(session.wasThere, false);
	assert.equal([...session.have.indices()], [0, 1, 2, 3, 4]);
	await store(session, missing(session));
	assert.equal(new Uint8Array(await readFile(path)), older);
	await finish(session);
	await isContent(path);
	assert.is((await stat(path)).mode & 0o777, 0o640);
	assert.equal(await readdir(join(path, '..')), ['file.bin']);
	assert.equal(await openBelow(path), []);
});

test('chunks that were copied from another version are recorded, beside the chunks of the part file', async (t) => {
	const { path } = await interrupted(t, [0, 8]);
	await writeFile(path, older);
	const session = await open(t, path);
	assert.equal([...session.have.indices()], [0, 1, 2, 3, 4, 8]);
	await session.target.abandon();
	const again = await open(t, path);
	assert.is(again.hashed, older.length, 'only the other version is hashed');
	assert.equal([...again.have.indices()], [0, 1, 2, 3, 4, 8]);
	await finish(again);
	await isContent(path);
});

test('a file that has the content and more bytes, or only its beginning, is replaced', async (t) => {
	for (const bytes of [Buffer.concat([content, Buffer.from('more')]), content.subarray(0, 1_000)]) {
		const path = await standing(t, bytes);
		await finish(await open(t, path));
		await isContent(path);
	}
});

const UNRELATED: Record<string, (path: string) => Promise<unknown>> = {
	'a text': (path) => writeFile(path, 'precious'),
	'no byte': (path) => writeFile(path, ''),
	'zeros, although the seed has some': (path) => writeFile(path, new Uint8Array(20 * CHUNK)),
	'the content, shifted': (path) => writeFile(path, content.subarray(1)),
};

for (const [what, make] of Object.entries(UNRELATED)) {
	test(`a file with ${what} is not replaced`, async (t) => {
		const zeros = content.slice();
		zeros.fill(0, 2 * CHUNK, 4 * CHUNK);
		const path = join(await makeFolder(t), 'file.bin');
		await make(path);
		const before = await readFile(path);
		const error = await rejects(open(t, path, { of: seedOf(zeros) }));
		assert.is(error.code, 'ERR_EXISTS');
		assert.equal(await readFile(path), before);
		assert.equal(await readdir(join(path, '..')), ['file.bin']);
	});
}

test('a symbolic link is neither followed nor replaced, wherever it leads (T4)', async (t) => {
	const folder = await makeFolder(t);
	await writeFile(join(folder, 'other'), older);
	for (const leadsTo of ['other', 'nowhere']) {
		const path = join(folder, leadsTo === 'other' ? 'link' : 'dangling');
		await symlink(join(folder, leadsTo), path);
		assert.is((await rejects(open(t, path))).code, 'ERR_EXISTS');
		assert.ok((await lstat(path)).isSymbolicLink());
	}
	assert.equal(new Uint8Array(await readFile(join(folder, 'other'))), older);
});

const CHANGES: Record<string, (path: string) => Promise<unknown>> = {
	'is written to meanwhile': (path) => appendFile(path, 'x'),
	'is another file now': async (path) => {
		await writeFile(`${path}.new`, older);
		await rename(`${path}.new`, path);
	},
	'is a symbolic link now': async (path) => {
		await unlink(path);
		await symlink('/dev/null', path);
	},
	'is cut': (path) => truncate(path, 3),
};

for (const [what, change] of Object.entries(CHANGES)) {
	test(`a version that ${what} is not replaced, and the fetched chunks are kept`, async (t) => {
		const path = await standing(t, older);
		const session = await open(t, path);
		await store(session, missing(session));
		await change(path);
		const [before, bytes] = [await lstat(path), await readFile(path)];
		const error = await rejects(session.target.finish(seed, {}));
		assert.is(error.code, 'ERR_EXISTS');
		assert.match(error.message, 'changed meanwhile');
		assert.is((await lstat(path)).ino, before.ino);
		assert.equal(await readFile(path), bytes);
		await session.target.abandon();
		await unlink(path);
		const again = await open(t, path);
		assert.ok(again.have.isFull);
		await finish(again);
		await isContent(path);
	});
}

test('if the other version is removed meanwhile, the new file gets its name', async (t) => {
	const path = await standing(t, older);
	const session = await open(t, path);
	await unlink(path);
	await finish(session);
	await isContent(path);
});

test('a right file that changes before finish is ERR_EXISTS', async (t) => {
	const path = await standing(t, content);
	const session = await open(t, path);
	await appendFile(path, 'x');
	assert.is((await rejects(session.target.finish(seed, {}))).code, 'ERR_EXISTS');
});

test('an empty file is right for an empty content', async (t) => {
	const path = await standing(t, '');
	const empty = seedOf(new Uint8Array());
	const session = await open(t, path, { of: empty });
	assert.ok(session.wasThere);
	assert.equal(await session.target.finish(empty, {}), { path, verified: 'whole' });
});

test('a download that is stopped while it copies chunks can be resumed', async (t) => {
	const path = await standing(t, older);
	const target = new FileTarget(path, 'whole', BOOT);
	const signal = AbortSignal.abort();
	assert.is((await rejects(target.open(seed, { signal }))).code, 'ERR_ABORTED');
	await target.abandon();
	assert.equal(new Uint8Array(await readFile(path)), older);
	await finish(await open(t, path));
	await isContent(path);
});

test('T32: the replacement of a private file is private from its first byte, and so is its journal', async (t) => {
	for (const mode of [0o600, 0o640, 0o400]) {
		const path = await standing(t, older);
		await chmod(path, mode);
		const session = await open(t, path);
		const { part, journal } = partPathsOf(path, seed);
		assert.is((await stat(part)).mode & 0o777, mode | 0o600);
		await store(session, missing(session));
		assert.is((await stat(journal)).mode & 0o777, 0o600);
		await finish(session);
		assert.is((await stat(path)).mode & 0o777, mode);
	}
});

test('a new file has the permissions of the umask from its first byte', async (t) => {
	const path = join(await makeFolder(t), 'file.bin');
	const before = process.umask(0o027);
	t.defer(() => process.umask(before));
	await open(t, path);
	assert.is((await stat(partPathsOf(path, seed).part)).mode & 0o777, 0o640);
});

test('the replacement of a file keeps its owner if this process can change owners', async (t) => {
	if (process.getuid?.() !== 0) {
		console.log('only root can change owners: this test did nothing');
		return;
	}
	const path = await standing(t, older);
	await chown(path, 1_234, 2_345);
	const session = await open(t, path);
	const { uid, gid } = await stat(partPathsOf(path, seed).part);
	assert.equal([uid, gid], [1_234, 2_345]);
	await finish(session);
	assert.is((await stat(path)).uid, 1_234);
});

test('for a device or a link, the error says what to do instead', async (t) => {
	const folder = await makeFolder(t);
	const link = join(folder, 'link');
	await symlink(join(folder, 'elsewhere'), link);
	const cases = [
		['/dev/null', '-o -'],
		[link, 'it leads to'],
	] as const;
	for (const [path, advice] of cases) {
		const { code, message } = await rejects(open(t, path));
		assert.is(code, 'ERR_EXISTS');
		assert.match(message, advice);
		assert.not.match(message, 'move it away');
	}
});

test.run();
