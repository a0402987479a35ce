import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { PartFolder, settleEarlier } from '../../../../node/download/target/part-folder.ts';
import { partPathsOf, pathsOfPart } from '../../../../node/download/target/part-paths.ts';
import { makeFolder } from '../../../helpers/fixtures/folder.ts';
import { contentOf } from '../../../helpers/fixtures/seeds.ts';
import { folderOf, linesIn, linesOf, plant, type Tree } from '../../../helpers/fixtures/trees.ts';
import { FolderRig } from '../../../helpers/harness/folder-target.ts';
import { rejects } from '../../../helpers/harness/rejects.ts';
import { suite } from '../../../helpers/harness/suite.ts';
import { throwsCode } from '../../../helpers/harness/throws-code.ts';

const test = suite('downloads of some files of a folder');
const CHUNK = 512;
/** Small files with chunks in common, and a large file with chunks of its own. */
const TREE: Tree = {
	'a/1': contentOf(300),
	'a/2': contentOf(100),
	'b/1': contentOf(250),
	'b/2': contentOf(5 * CHUNK),
	'c/1': contentOf(40),
	'c/empty': '',
};
const made = folderOf(TREE, { chunkSize: CHUNK });
const older = folderOf({ ...TREE, 'b/1': 'older', 'd/1': 'gone' }, { chunkSize: CHUNK });

const only = (...starts: string[]): Tree =>
	Object.fromEntries(
		Object.entries(TREE).filter(([path]) => starts.some((start) => path.startsWith(`${start}/`))),
	);

test('only the wanted files appear, and only chunks that are complete on the disk are shared', async (t) => {
	const rig = await FolderRig.make(t);
	const session = await rig.open(made, { only: ['b'] });
	const { selected, have } = session.opened;
	assert.equal([...(selected?.paths ?? [])], ['b/1', 'b/2']);
	assert.is(have.count, 0);
	assert.ok((selected?.whole.count as number) < (selected?.wanted.count as number));
	await session.store(session.missing);
	await session.finish();
	assert.equal(await linesIn(rig.path), linesOf(only('b')));
	assert.equal(await readdir(rig.place), ['folder']);
});

test('when the same files are wanted again, they are found, and nothing is fetched', async (t) => {
	const rig = await FolderRig.make(t);
	await rig.get(made, { only: ['b'] });
	const again = await rig.open(made, { only: ['b'] });
	assert.ok(again.opened.wasThere);
	assert.equal(again.missing, []);
	assert.equal(
		[...again.opened.have.indices()],
		[...(again.opened.selected?.whole.indices() ?? [])],
	);
	await again.finish();
	const fewer = await rig.open(made, { only: ['b/2'] });
	assert.ok(fewer.opened.wasThere);
	await fewer.finish();
	assert.equal(await linesIn(rig.path), linesOf(only('b')));
});

test('a pattern that matches no file is ERR_NOT_FOUND, and nothing is created', async (t) => {
	const rig = await FolderRig.make(t);
	assert.is((await rejects(rig.open(made, { only: ['nothing'] }))).code, 'ERR_NOT_FOUND');
	assert.equal(await readdir(rig.place), []);
});

test('files of later downloads are added, and after the last files the folder is complete', async (t) => {
	const rig = await FolderRig.make(t);
	await rig.get(made, { only: ['a'] });
	await rig.get(made, { only: ['c'] });
	assert.equal(await linesIn(rig.path), linesOf(only('a', 'c')));
	const last = await rig.open(made, { only: ['b'] });
	assert.is(last.opened.selected, undefined, 'the last files complete the folder');
	await last.store(last.missing);
	await last.finish();
	assert.equal(await linesIn(rig.path), linesOf(TREE));
	const other = await FolderRig.make(t);
	await other.get(made, { only: ['a'] });
	await other.get(made);
	assert.equal(await linesIn(other.path), linesOf(TREE));
	assert.equal(await readdir(other.place), ['folder']);
});

test('nothing is replaced if one of the files was changed', async (t) => {
	const rig = await FolderRig.make(t);
	await rig.get(made, { only: ['a'] });
	await writeFile(join(rig.path, 'a/1'), 'mine');
	for (const options of [{}, { only: ['c'] }]) {
		const error = await rejects(rig.open(made, options));
		assert.is(error.code, 'ERR_EXISTS');
		assert.match(error.message, /"a\/1"/);
	}
	assert.is(await readFile(join(rig.path, 'a/1'), 'utf8'), 'mine');
});

test('wanted files replace those of an older version, and an older version replaces them', async (t) => {
	const rig = await FolderRig.make(t);
	await rig.get(older, { only: ['b/1', 'd'] });
	await rig.get(made, { only: ['b/1'] });
	assert.equal(await linesIn(rig.path), linesOf({ 'b/1': contentOf(250) }));
	await rig.get(older);
	assert.is((await readFile(join(rig.path, 'd/1'))).toString(), 'gone');
});

test('an interrupted download resumes with all stored chunks, also those with bytes of other files', async (t) => {
	const rig = await FolderRig.make(t);
	const first = await rig.open(made, { only: ['a', 'b'] });
	const half = first.missing.filter((_, at) => at % 2 === 0);
	await first.store(half);
	await first.target.abandon();
	const next = await rig.open(made, { only: ['a', 'b'] });
	assert.equal([...next.stored.indices()], half);
	assert.ok(
		[...next.opened.have.indices()].every((chunk) => next.opened.selected?.whole.has(chunk)),
	);
	await next.store(next.missing);
	await next.finish();
	assert.equal(await linesIn(rig.path), linesOf(only('a', 'b')));
});

const SELECTIONS: ReadonlyArray<readonly [first: string[], next: string[] | undefined]> = [
	[['a'], ['b']],
	[['b'], ['a', 'c']],
	[['b'], undefined],
	[['a', 'c'], undefined],
	[['b', 'c'], ['b']],
];

for (const [first, next] of SELECTIONS) {
	test(`after an interrupted download of ${first}, a download of ${next ?? 'all'} leaves no incomplete file`, async (t) => {
		const rig = await FolderRig.make(t);
		const begun = await rig.open(made, { only: first });
		// All chunks except one are stored, so a large file is incomplete.
		await begun.store(begun.missing.slice(0, -1));
		await begun.target.abandon();
		const session = await rig.open(made, next === undefined ? {} : { only: next });
		assert.ok(
			[...session.opened.have.indices()].every(
				(chunk) => session.opened.selected?.whole.has(chunk) ?? true,
			),
			'only whole chunks are shared',
		);
		await session.store(session.missing);
		await session.finish();
		assert.equal(await linesIn(rig.path), linesOf(next === undefined ? TREE : only(...next)));
		assert.equal(await readdir(rig.place), ['folder']);
	});
}

test('after an interrupted download of all files, some files can be downloaded', async (t) => {
	const rig = await FolderRig.make(t);
	const begun = await rig.open(made);
	await begun.store(begun.missing.slice(0, -1));
	await begun.target.abandon();
	await rig.get(made, { only: ['c'] });
	assert.equal(await linesIn(rig.path), linesOf(only('c')));
});

test.run();

const parts = suite('part folders of earlier downloads');
const other = { id: 'f'.repeat(64) };

/**
 * Makes the part folder of a download that was killed between two steps.
 *
 * @param isThere whether the new folder has its name
 */
async function left(
	t: Parameters<Parameters<typeof parts>[1]>[0],
	name: string,
	inside: Tree,
	isThere: boolean,
) {
	const place = await makeFolder(t);
	const paths = partPathsOf(join(place, name), other);
	await plant(paths.part, inside);
	await writeFile(paths.journal, 'journal');
	if (isThere) {
		await plant(paths.path, { is: 'new' });
	}
	return { place, paths, own: partPathsOf(paths.path, made.seed) };
}

const LONG = 'n'.repeat(200);

for (const name of ['folder', LONG]) {
	parts(
		`an old folder gets its name back if the new one has not got it (${name.length} bytes)`,
		async (t) => {
			const { paths, own } = await left(t, name, { 'old/was': 'old', 'content/is': 'new' }, false);
			await settleEarlier(own);
			assert.equal(await linesIn(paths.path), linesOf({ was: 'old' }));
			assert.equal(await linesIn(paths.part), linesOf({ 'content/is': 'new' }));
		},
	);

	parts(
		`an old folder is removed if the new one has its name (${name.length} bytes)`,
		async (t) => {
			const { place, paths, own } = await left(t, name, { 'old/was': 'old', '.index': '' }, true);
			await settleEarlier(own);
			assert.equal(await linesIn(paths.path), linesOf({ is: 'new' }));
			assert.equal(await readdir(place), [name]);
		},
	);
}

parts(
	'an old folder that was replaced does not come back when the new one is removed',
	async (t) => {
		const { place, paths, own } = await left(t, 'folder', { 'old/was': 'old', '.index': '' }, true);
		await rm(paths.path, { recursive: true });
		await settleEarlier(own);
		assert.equal(await readdir(place), []);
	},
);

parts('the part folder of an unfinished download of another seed stays', async (t) => {
	const { paths, own } = await left(t, 'folder', { 'content/is': 'new', '.index': '' }, true);
	await settleEarlier(own);
	assert.ok(existsSync(join(paths.part, 'content/is')) && existsSync(paths.journal));
});

parts(
	'part folders for similar names, and entries that only look like part folders, stay',
	async (t) => {
		const place = await makeFolder(t);
		const path = join(place, 'a');
		const inside = { 'old/was': 'old', 'content/is': 'new' };
		const names = [
			'a.b.ffffffff.part',
			'a.fffffff.part',
			'a.FFFFFFFF.part',
			'ab.ffffffff.part',
			'a.part',
		];
		for (const name of names) {
			await plant(join(place, name), inside);
			await plant(join(place, `${name}2`), { '.index': '' });
		}
		await writeFile(join(place, 'a.eeeeeeee.part'), 'a file');
		const before = await linesIn(place);
		await settleEarlier(partPathsOf(path, made.seed));
		assert.equal(await linesIn(place), before);
		assert.is(pathsOfPart(path, 'a.ffffffff.part')?.part, join(place, 'a.ffffffff.part'));
	},
);

parts('a part folder gets its name, replaces a folder, and gives the name back', async (t) => {
	const place = await makeFolder(t);
	const paths = partPathsOf(join(place, 'folder'), made.seed);
	const part = await PartFolder.open(paths);
	assert.not.ok(part.wasThere);
	await plant(part.root, { is: 'new' });
	const identity = await part.identity();
	part.appear(false);
	assert.equal(await linesIn(paths.path), linesOf({ is: 'new' }));
	part.takeBack();
	assert.not.ok(existsSync(paths.path));
	assert.is(await part.identity(), identity);
	await plant(paths.path, { was: 'old' });
	throwsCode('ERR_EXISTS', () => part.appear(false));
	assert.equal(await linesIn(paths.path), linesOf({ was: 'old' }));
	// An even older folder, which another process has not removed.
	await plant(join(part.side, 'old'), { older: '' });
	part.appear(true);
	assert.equal(await linesIn(paths.path), linesOf({ is: 'new' }));
	assert.equal(await linesIn(join(part.side, 'old')), linesOf({ was: 'old' }));
	await rename(paths.path, part.root);
	throwsCode('ERR_NO_FILE', () => part.appear(true));
	await mkdir(paths.path);
	await part.remove();
	assert.equal(await readdir(place), ['folder']);
});

parts.run();
