import { existsSync } from 'node:fs';
import { readdir, readFile, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { FailingCalls } from '../../../helpers/adversaries/failing-calls.ts';
import { openBelow } from '../../../helpers/fixtures/folder.ts';
import { contentOf } from '../../../helpers/fixtures/seeds.ts';
import {
	d,
	folderOf,
	folderSeed,
	l,
	lying,
	plant,
	type Tree,
	x,
} from '../../../helpers/fixtures/trees.ts';
import {
	CHUNK,
	FolderRig,
	half,
	interrupted,
	isThere,
	made,
	OLDER,
	older,
	TREE,
} from '../../../helpers/harness/folder-target.ts';
import { rejects } from '../../../helpers/harness/rejects.ts';
import { type Scope, suite } from '../../../helpers/harness/suite.ts';

const test = suite('FolderTarget');
test('a folder appears complete, and nothing else is left', async (t) => {
	const rig = await FolderRig.make(t);
	const session = await rig.open(made);
	assert.is(session.indexes, 1);
	await session.store(session.missing.reverse());
	assert.equal(
		await readdir(rig.place),
		[
			`folder.${made.seed.id.slice(0, 8)}.journal`,
			`folder.${made.seed.id.slice(0, 8)}.part`,
			'folder.shoal-lock',
		].filter((name) => (name.endsWith('journal') ? existsSync(join(rig.place, name)) : true)),
	);
	await session.finish();
	await isThere(rig);
	assert.equal(await readdir(rig.place), ['folder']);
	assert.is((await stat(rig.path)).mode & 0o777, 0o777 & ~process.umask());
});

test('an empty folder and a folder without bytes appear too', async (t) => {
	for (const tree of [{}, { 'a/b': d, c: '', d: x('') }]) {
		const rig = await FolderRig.make(t);
		await rig.get(folderOf(tree));
		await isThere(rig, tree);
	}
});

test('on the same boot nothing is hashed, and chunks without a record are missing', async (t) => {
	const { rig } = await interrupted(t);
	const session = await rig.open(made);
	assert.is(session.hashed, 0);
	assert.is(session.indexes, 0, 'the index is not fetched');
	assert.equal([...session.stored.indices()], half);
	await session.store(session.missing);
	await session.finish();
	await isThere(rig);
	assert.equal(await readdir(rig.place), ['folder']);
});

test('on another or an unknown boot, only recorded chunks that are right count', async (t) => {
	for (const boot of [async () => 'another', async () => undefined]) {
		const { rig, content } = await interrupted(t);
		const offset = made.folder.find('c')?.offset as number;
		const bytes = await readFile(join(content, 'c'));
		bytes[2 * CHUNK] = (bytes[2 * CHUNK] as number) ^ 1;
		await writeFile(join(content, 'c'), bytes, { flag: 'r+' });
		const session = await rig.open(made, { boot });
		const wrong = offset / CHUNK + 2;
		assert.equal(
			[...session.stored.indices()],
			half.filter((chunk) => chunk !== wrong),
		);
		await session.store(session.missing);
		await session.finish();
		await isThere(rig);
	}
});

test('a part folder without a journal is hashed completely', async (t) => {
	const { rig, paths } = await interrupted(t);
	await unlink(paths.journal);
	const session = await rig.open(made);
	assert.equal([...session.stored.indices()], half);
	await session.store(session.missing);
	await session.finish();
	await isThere(rig);
});

test('a damaged index is fetched again', async (t) => {
	const { rig, paths } = await interrupted(t, made, [...Array(made.seed.chunks).keys()]);
	await writeFile(join(paths.part, '.index'), 'x', { flag: 'r+' });
	const session = await rig.open(made);
	assert.is(session.indexes, 1);
	await session.store(session.missing);
	await session.finish();
	await isThere(rig);
});

test('an index that the disk cannot read is fetched again', async (t) => {
	const { rig } = await interrupted(t);
	new FailingCalls(t, rig.place).decide = (name, _, [path]) =>
		name === 'readFile' && String(path).endsWith('.index') ? 'EIO' : undefined;
	const session = await rig.open(made);
	assert.is(session.indexes, 1);
	assert.equal([...session.stored.indices()], half);
	await session.store(session.missing);
	await session.finish();
	await isThere(rig);
});

test('files that were changed in the part folder are found by their digests, and fetched again', async (t) => {
	const { rig, content } = await interrupted(t, made, [...Array(made.seed.chunks).keys()]);
	await writeFile(join(content, 'a/one'), 'x', { flag: 'r+' });
	await unlink(join(content, 'run'));
	const session = await rig.open(made);
	assert.equal(session.missing, []);
	const finished = await session.target.finish(made.seed, {});
	assert.ok('bad' in finished && finished.bad.length > 0 && finished.bad.length <= 3);
	await session.store(finished.bad);
	await session.finish();
	await isThere(rig);
});

test('a right folder is left unchanged; it is hashed only if no download has made it', async (t) => {
	const rig = await FolderRig.make(t);
	await rig.get(made);
	const { ino } = await stat(rig.path);
	const again = await rig.open(made);
	assert.ok(again.opened.wasThere);
	assert.is(again.hashed, 0);
	assert.equal(again.missing, []);
	await again.finish();
	const own = await FolderRig.make(t);
	await plant(own.path, TREE);
	const session = await own.open(made);
	assert.ok(session.opened.wasThere);
	assert.ok(session.hashed > 64 * CHUNK);
	await session.finish();
	assert.is((await stat(rig.path)).ino, ino);
	assert.equal(await readdir(rig.place), ['folder']);
	assert.equal(await readdir(own.place), ['folder']);
});

test('if every chunk is right but a file digest is wrong, the result is ERR_SEED_LIES, and nothing is left', async (t) => {
	const liar = folderOf(lying(TREE, 'a/one'), { chunkSize: CHUNK });
	const rig = await FolderRig.make(t);
	const session = await rig.open(liar);
	await session.store(session.missing);
	assert.is((await rejects(session.target.finish(liar.seed, {}))).code, 'ERR_SEED_LIES');
	await session.target.abandon();
	assert.equal(await readdir(rig.place), []);
});

/** Bad links that the index does not show, because link targets are part of the content. */
const BAD_LINKS: Record<string, Tree> = {
	'leaves the folder': { 'a/b': '', link: l('../x') },
	'is absolute': { 'a/b': '', link: l('/etc/passwd') },
	'leads to itself': { link: l('link') },
	'leads through a link': { 'a/b': '', in: l('a'), link: l('in/b') },
	'leads to nothing': { link: l('nothing') },
	'leads to the folder': { 'a/link': l('..') },
	'is not UTF-8': { link: { kind: 'l', bytes: Uint8Array.of(0xff) } },
};

for (const [what, tree] of Object.entries(BAD_LINKS)) {
	test(`a folder with a link that ${what} is ERR_SEED, and nothing is left`, async (t) => {
		const bad = folderOf(tree);
		const rig = await FolderRig.make(t);
		const session = await rig.open(bad);
		await session.store(session.missing);
		const error = await rejects(session.target.finish(bad.seed, {}));
		assert.is(error.code, 'ERR_SEED');
		assert.match(error.message, /link/);
		await session.target.abandon();
		assert.equal(await readdir(rig.place), []);
	});
}

test('padding that is not zeros is ERR_SEED, and nothing is left', async (t) => {
	const content = Uint8Array.from(made.content);
	content[made.folder.pieces.find(({ entry }) => entry === undefined)?.offset as number] = 1;
	const bad = { ...made, content, seed: folderSeed(made.index, content, { chunkSize: CHUNK }) };
	const rig = await FolderRig.make(t);
	const session = await rig.open(bad);
	assert.is((await rejects(session.store(session.missing))).code, 'ERR_SEED');
	await session.target.abandon();
	assert.equal(await readdir(rig.place), []);
});

test('names that differ only in case are refused before a chunk is stored, unless only one of them is wanted', async (t) => {
	const twins = folderOf({ 'a/B': 'one', 'A/c': 'two', 'other/x': 'three' });
	const rig = await FolderRig.make(t);
	const rules = async () => ({ isFolding: true, hasLinks: true, isWindows: false });
	const error = await rejects(rig.open(twins, { rules }));
	assert.is(error.code, 'ERR_NAME');
	assert.match(error.message, /"A".*"a"|"a".*"A"/);
	assert.equal(await readdir(rig.place), []);
	await rig.get(twins, { rules, only: ['A', 'other'] });
	await isThere(rig, { 'A/c': 'two', 'other/x': 'three' });
});

test('where links cannot be made, a folder with wanted links is refused before a chunk is stored', async (t) => {
	const rig = await FolderRig.make(t);
	const rules = async () => ({ isFolding: false, hasLinks: false, isWindows: false });
	const error = await rejects(rig.open(made, { rules }));
	assert.is(error.code, 'ERR_PERMISSION');
	assert.match(error.message, /"b\/link" is a link/);
	assert.equal(await readdir(rig.place), []);
	await rig.get(made, { rules, only: ['a'] });
	await isThere(rig, { 'a/one': contentOf(2_000), 'a/two': contentOf(10) });
});

/** Makes the next close of a file in the place of the rig fail, and the next ones succeed. */
function failClose(calls: FailingCalls): void {
	let left = 1;
	calls.decide = (name) => {
		left -= name === 'closeSync' ? 1 : 0;
		return name === 'closeSync' && left === 0 ? 'ENOSPC' : undefined;
	};
}

test('if its folder cannot be reached any more, a download ends with an error that says why', async (t) => {
	const { rig } = await interrupted(t);
	for (const [failure, code] of [
		['EACCES', 'ERR_PERMISSION'],
		['EIO', 'ERR_IO'],
	]) {
		const session = await rig.open(made);
		const calls = new FailingCalls(t, rig.place, true);
		calls.decide = (name) => (name === 'lstatSync' ? failure : undefined);
		const error = await rejects(session.store(session.missing));
		calls.decide = () => undefined;
		assert.is(error.code, code);
		assert.match(error.message, /\.part\/content": /);
		await session.target.abandon();
	}
	await rig.get(made);
	await isThere(rig);
});

test('a written file that cannot be closed ends the download before the folder appears', async (t) => {
	const rig = await FolderRig.make(t);
	const calls = new FailingCalls(t, rig.place, true);
	const session = await rig.open(made);
	await session.store(session.missing);
	failClose(calls);
	const error = await rejects(session.target.finish(made.seed, {}));
	assert.is(error.code, 'ERR_NO_SPACE');
	assert.match(error.message, /\.index": the disk is full/);
	await session.target.abandon();
	assert.not.ok(existsSync(rig.path));
	assert.equal(await openBelow(rig.place), []);
	await writesAgain(rig, calls);
});

test('if a file that is closed so that others can be opened has lost bytes, the next download writes all chunks again', async (t) => {
	const tree = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`${at}`, `${at}`]));
	const many = folderOf(tree, { chunkSize: CHUNK });
	const rig = await FolderRig.make(t);
	const calls = new FailingCalls(t, rig.place, true);
	const session = await rig.open(many);
	failClose(calls);
	const error = await rejects(session.store(session.missing));
	assert.is(error.code, 'ERR_NO_SPACE');
	assert.match(error.message, /\.index": the disk is full/);
	await session.target.abandon();
	await writesAgain(rig, calls, many, tree);
});

/** Checks that the next download writes every chunk that is right again. */
async function writesAgain(
	rig: FolderRig,
	calls: FailingCalls,
	of = made,
	tree = TREE,
): Promise<void> {
	calls.made = [];
	const next = await rig.open(of);
	assert.ok(next.hashed > 0, 'no record of chunks is trusted');
	assert.ok(calls.made.filter((name) => name === 'writeSync').length >= next.stored.count);
	await next.store(next.missing);
	await next.finish();
	await isThere(rig, tree);
}

test('if a stopped download cannot close a file, other downloads of the process go on', async (t) => {
	const [rig, other] = [await FolderRig.make(t), await FolderRig.make(t)];
	const calls = new FailingCalls(t, rig.place, true);
	const [session, goesOn] = [await rig.open(made), await other.open(made)];
	await session.store(half);
	await goesOn.store(half);
	failClose(calls);
	await session.target.abandon();
	assert.equal(await openBelow(rig.place), []);
	await writesAgain(rig, calls);
	await goesOn.store(goesOn.missing);
	await goesOn.finish();
	await isThere(other);
});

/** Makes the next sync of a file fail. */
function failSync(t: Scope, { place }: FolderRig): FailingCalls {
	const calls = new FailingCalls(t, place);
	let left = 1;
	calls.decide = (name) => {
		left -= name === 'sync' ? 1 : 0;
		return name === 'sync' && left === 0 ? 'EIO' : undefined;
	};
	return calls;
}

test('if the sync of a new folder fails, it loses its name, and the next download completes it', async (t) => {
	const rig = await FolderRig.make(t);
	const session = await rig.open(made);
	await session.store(session.missing);
	assert.ok('path' in (await session.target.finish(made.seed, {})));
	await isThere(rig);
	failSync(t, rig);
	assert.is((await rejects(session.target.settle())).code, 'ERR_IO');
	await session.target.abandon();
	assert.not.ok(existsSync(rig.path));
	const next = await rig.open(made);
	assert.equal(next.missing, []);
	await next.finish();
	await isThere(rig);
	assert.equal(await readdir(rig.place), ['folder']);
});

test('some files of a folder that appeared, but were not synced, are synced by the next download', async (t) => {
	const rig = await FolderRig.make(t);
	const only = { isWanted: (path: string) => path === 'a/one' };
	const session = await rig.open(made, only);
	await session.store(session.missing);
	assert.ok('path' in (await session.target.finish(made.seed, {})));
	// The process ends here: it neither syncs the folder nor removes its part folder.
	await session.target.abandon();
	const next = await rig.open(made, only);
	assert.ok(next.opened.wasThere);
	await next.target.finish(made.seed, {});
	await next.target.settle();
	await next.target.abandon();
	assert.equal(await readdir(join(rig.path, 'a')), ['one']);
	assert.equal(await readdir(rig.place), ['folder']);
});

test('if the sync of a replacement fails, the old folder gets its name back until the next download', async (t) => {
	const rig = await FolderRig.make(t);
	await rig.get(older);
	const session = await rig.open(made);
	await session.store(session.missing);
	await session.target.finish(made.seed, {});
	await isThere(rig);
	failSync(t, rig);
	assert.is((await rejects(session.target.settle())).code, 'ERR_IO');
	await session.target.abandon();
	await isThere(rig, OLDER);
	const next = await rig.open(made);
	assert.equal(next.missing, []);
	assert.ok(next.hashed > 0);
	await isThere(rig, OLDER);
	await next.finish();
	await isThere(rig);
	assert.equal(await readdir(rig.place), ['folder']);
});

test.run();
