import { existsSync, renameSync } from 'node:fs';
import { link, mkdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { partPathsOf } from '../../../../node/download/target/part-paths.ts';
import { makeFolder } from '../../../helpers/fixtures/folder.ts';
import { contentOf } from '../../../helpers/fixtures/seeds.ts';
import { linesIn, plant } from '../../../helpers/fixtures/trees.ts';
import {
	FolderRig,
	half,
	interrupted,
	isThere,
	made,
} from '../../../helpers/harness/folder-target.ts';
import { rejects } from '../../../helpers/harness/rejects.ts';
import { suite } from '../../../helpers/harness/suite.ts';

const test = suite('planted entries in a part folder');
const PLANTED: Record<string, (part: string, outside: string) => Promise<unknown>> = {
	'in the place of the content folder': async (part, outside) => {
		await rm(join(part, 'content'), { recursive: true });
		await symlink(outside, join(part, 'content'));
	},
	'in the place of a folder': async (part, outside) => {
		await rm(join(part, 'content/a'), { recursive: true });
		await symlink(outside, join(part, 'content/a'));
	},
	'in the place of a file': async (part, outside) => {
		await rm(join(part, 'content/a/one'));
		await symlink(join(outside, 'one'), join(part, 'content/a/one'));
	},
	'as a hard link in the place of a file': async (part, outside) => {
		await rm(join(part, 'content/a/one'));
		await link(join(outside, 'one'), join(part, 'content/a/one'));
	},
	'in the place of the index': async (part, outside) => {
		await rm(join(part, '.index'));
		await symlink(join(outside, 'one'), join(part, '.index'));
	},
	'in the place of the link targets': async (part, outside) => {
		await rm(join(part, '.links'));
		await link(join(outside, 'one'), join(part, '.links'));
	},
	'beside the files': async (part, outside) => {
		await plant(join(part, 'content'), { 'a/new': 'x', 'b/void/x': '', 'new/er': '' });
		await symlink(outside, join(part, 'content/out'));
		await symlink('../../a', join(part, 'content/b/link'));
		await writeFile(Buffer.concat([Buffer.from(`${part}/content/`), Buffer.of(0xff)]), '');
	},
};

for (const [what, put] of Object.entries(PLANTED)) {
	test(`an entry planted in a part folder ${what} is removed, and nothing is written through it`, async (t) => {
		for (const chunks of [half, [...Array(made.seed.chunks).keys()]]) {
			const { rig, paths } = await interrupted(t, made, chunks);
			// The planted files have the right bytes, so digests do not reveal them.
			const outside = await plant(join(await makeFolder(t), 'outside'), {
				one: contentOf(2_000),
				two: contentOf(10),
			});
			const before = await linesIn(outside);
			await put(paths.part, outside);
			const session = await rig.open(made);
			await session.store(session.missing);
			const finished = await session.target.finish(made.seed, {});
			if ('bad' in finished) {
				await session.store(finished.bad);
				await session.target.finish(made.seed, {});
			}
			await session.target.settle();
			await session.target.abandon();
			await isThere(rig);
			assert.is((await stat(join(rig.path, 'a/one'))).nlink, 1);
			assert.equal(await linesIn(outside), before);
		}
	});
}

test('a link planted in the place of a folder before finish is found', async (t) => {
	const rig = await FolderRig.make(t);
	const session = await rig.open(made);
	await session.store(session.missing);
	const { part } = partPathsOf(rig.path, made.seed);
	renameSync(join(part, 'content/a'), join(rig.place, 'moved'));
	await symlink(join(rig.place, 'moved'), join(part, 'content/a'));
	const error = await rejects(session.target.finish(made.seed, {}));
	assert.is(error.code, 'ERR_PERMISSION');
	assert.match(error.message, join(part, 'content/a'));
	assert.not.ok(existsSync(rig.path));
});

test('a part folder of another user is not used', async (t) => {
	const user = process.geteuid?.() ?? 0;
	if (user !== 0) {
		return;
	}
	const rig = await FolderRig.make(t);
	const { part } = partPathsOf(rig.path, made.seed);
	await mkdir(part);
	const { chown } = await import('node:fs/promises');
	await chown(part, 65_534, 65_534);
	const error = await rejects(rig.open(made));
	assert.is(error.code, 'ERR_PERMISSION');
	assert.match(error.message, /another user/);
});

test.run();
