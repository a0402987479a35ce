import { execFile } from 'node:child_process';
import { existsSync, unlinkSync, writeFileSync } from 'node:fs';
import {
	appendFile,
	mkdir,
	readdir,
	readFile,
	rename,
	rm,
	symlink,
	unlink,
	writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as assert from 'uvu/assert';
import { partPathsOf } from '../../../../node/download/target/part-paths.ts';
import { FailingCalls } from '../../../helpers/adversaries/failing-calls.ts';
import { canMount } from '../../../helpers/fixtures/small-disk.ts';
import { linesIn, linesOf, plant } from '../../../helpers/fixtures/trees.ts';
import {
	FolderRig,
	isThere,
	made,
	OLDER,
	older,
	TREE,
} from '../../../helpers/harness/folder-target.ts';
import { rejects } from '../../../helpers/harness/rejects.ts';
import { suite } from '../../../helpers/harness/suite.ts';

const test = suite('replacement of a folder');
test('an older version that a download has made is replaced by the newer one, and that one by the older one', async (t) => {
	const rig = await FolderRig.make(t);
	for (const [of, tree] of [
		[older, OLDER],
		[made, TREE],
		[older, OLDER],
	] as const) {
		await rig.get(of);
		await isThere(rig, tree);
		assert.equal(await readdir(rig.place), ['folder']);
	}
	assert.is((await readdir(join(rig.place, '../records'))).length, 1, 'old records are removed');
});

const CHANGES: Record<string, readonly [(path: string) => Promise<unknown>, RegExp]> = {
	'has a file more': [(path) => writeFile(join(path, 'mine'), ''), /"mine"/],
	'has a folder more': [(path) => mkdir(join(path, 'mine')), /"mine"/],
	'has a link more': [(path) => symlink('gone', join(path, 'mine')), /"mine"/],
	'has a file less': [(path) => unlink(join(path, 'gone')), /"gone"/],
	'has other bytes in a file': [(path) => appendFile(join(path, 'gone'), 'x'), /"gone"/],
	'has something in an empty folder': [(path) => writeFile(join(path, 'void/x'), ''), /"void\/x"/],
	'has another link': [
		async (path) => {
			await unlink(join(path, 'b/link'));
			await symlink('../gone', join(path, 'b/link'));
		},
		/"b\/link"/,
	],
};

for (const [what, [change, named]] of Object.entries(CHANGES)) {
	test(`an older version that ${what} is not replaced, and the error names the difference`, async (t) => {
		const rig = await FolderRig.make(t);
		await rig.get(older);
		await change(rig.path);
		const lines = await linesIn(rig.path);
		const error = await rejects(rig.open(made));
		assert.is(error.code, 'ERR_EXISTS');
		assert.match(error.message, named);
		assert.equal(await linesIn(rig.path), lines);
		assert.equal(await readdir(rig.place), ['folder']);
	});

	test(`an older version that ${what} while the new one is downloaded is not replaced`, async (t) => {
		const rig = await FolderRig.make(t);
		await rig.get(older);
		const session = await rig.open(made);
		await session.store(session.missing);
		await change(rig.path);
		const lines = await linesIn(rig.path);
		const error = await rejects(session.target.finish(made.seed, {}));
		assert.is(error.code, 'ERR_EXISTS');
		assert.match(error.message, named);
		assert.equal(await linesIn(rig.path), lines);
		await session.target.abandon();
		await rename(rig.path, `${rig.path}.mine`);
		assert.is(await rig.get(made), 0, 'verified chunks are kept');
		await isThere(rig);
	});
}

const LATE_CHANGES: Record<string, readonly [string, (path: string) => void]> = {
	'is changed': ['a/one', (path) => writeFileSync(path, 'mine')],
	'gets a file': ['mine', (path) => writeFileSync(path, 'mine')],
	'loses a file': ['gone', (path) => unlinkSync(path)],
};

for (const [what, [name, change]] of Object.entries(LATE_CHANGES)) {
	test(`an older version that ${what} at the moment when it is replaced gets its name back`, async (t) => {
		const rig = await FolderRig.make(t);
		await rig.get(older);
		const session = await rig.open(made);
		await session.store(session.missing);
		let isChanged = false;
		new FailingCalls(t, rig.place, true).decide = (call, _, [path]) => {
			if (call === 'renameSync' && path === rig.path && !isChanged) {
				isChanged = true;
				change(join(rig.path, name));
			}
			return undefined;
		};
		const error = await rejects(session.target.finish(made.seed, {}));
		assert.is(error.code, 'ERR_EXISTS');
		assert.match(error.message, `was changed since shoal get made it ("${name}")`);
		await session.target.abandon();
		const isOther = (line: string): boolean => !line.endsWith(` ${name}`);
		assert.equal((await linesIn(rig.path)).filter(isOther), linesOf(OLDER).filter(isOther));
		assert.is(existsSync(join(rig.path, name)), name !== 'gone');
		await rename(rig.path, `${rig.path}.mine`);
		assert.is(await rig.get(made), 0, 'verified chunks are kept');
		await isThere(rig);
	});
}

test('a folder that no download has made is not replaced, and the error names five of its entries', async (t) => {
	const rig = await FolderRig.make(t);
	await plant(
		rig.path,
		Object.fromEntries(Array.from({ length: 8 }, (_, at) => [`mine${at}`, ''])),
	);
	const error = await rejects(rig.open(made));
	assert.is(error.code, 'ERR_EXISTS');
	assert.is(error.message.match(/"mine\d"/g)?.length, 5);
	assert.match(error.message, /and 3 more/);
	assert.is((await readdir(rig.path)).length, 8);
	assert.equal(await readdir(rig.place), ['folder']);
});

test('a folder that the user has put in the place of a downloaded one is not replaced', async (t) => {
	const rig = await FolderRig.make(t);
	await rig.get(older);
	await rename(rig.path, `${rig.path}.moved`);
	await plant(rig.path, OLDER);
	assert.is((await rejects(rig.open(made))).code, 'ERR_EXISTS');
	const session = await rig.open(older);
	assert.ok(session.opened.wasThere);
	await session.finish();
	assert.is((await rejects(rig.open(made))).code, 'ERR_EXISTS', 'no download has made it');
});

const IN_THE_WAY: Record<string, (path: string) => Promise<unknown>> = {
	'a file': (path) => writeFile(path, 'mine'),
	'a link to a folder': async (path) => {
		await mkdir(`${path}.elsewhere`);
		await symlink(`${path}.elsewhere`, path);
	},
	'a link to nothing': (path) => symlink('nothing', path),
};

for (const [what, put] of Object.entries(IN_THE_WAY)) {
	test(`${what} in the way is not replaced, neither at the start nor at the end of a download`, async (t) => {
		const rig = await FolderRig.make(t);
		await put(rig.path);
		const before = (await readdir(rig.place)).sort();
		assert.is((await rejects(rig.open(made, {}))).code, 'ERR_EXISTS');
		assert.equal((await readdir(rig.place)).sort(), before);
		const late = await FolderRig.make(t);
		const session = await late.open(made);
		await session.store(session.missing);
		await put(late.path);
		assert.is((await rejects(session.target.finish(made.seed, {}))).code, 'ERR_EXISTS');
		await session.target.abandon();
		await rm(late.path);
		assert.is(await late.get(made), 0);
		await isThere(late);
	});
}

(canMount ? test : test.skip)('a disk mounted at the final path is not replaced', async (t) => {
	const rig = await FolderRig.make(t);
	await rig.get(older);
	await promisify(execFile)('mount', ['-t', 'tmpfs', 'tmpfs', rig.path]);
	t.defer(() => promisify(execFile)('umount', ['-l', rig.path]));
	const error = await rejects(rig.open(made));
	assert.is(error.code, 'ERR_EXISTS');
	assert.equal(await readdir(rig.place), ['folder']);
});

test('a file in the place of the part folder is an error that names it, and the file stays', async (t) => {
	const rig = await FolderRig.make(t);
	const { part } = partPathsOf(rig.path, made.seed);
	await writeFile(part, 'mine');
	const error = await rejects(rig.open(made));
	assert.is(error.code, 'ERR_EXISTS');
	assert.match(error.message, part);
	assert.is(await readFile(part, 'utf8'), 'mine');
});

test.run();
