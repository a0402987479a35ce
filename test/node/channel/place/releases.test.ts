import { execFile } from 'node:child_process';
import {
	mkdir,
	readdir,
	readFile,
	readlink,
	rm,
	symlink,
	utimes,
	writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as assert from 'uvu/assert';
import { openInPlace } from '../../../../node/channel/place/in-place.ts';
import type { Place } from '../../../../node/channel/place/place.ts';
import { openReleases, rollBack } from '../../../../node/channel/place/releases.ts';
import { FailingCalls } from '../../../helpers/adversaries/failing-calls.ts';
import { makeFolder } from '../../../helpers/fixtures/folder.ts';
import { contentOf } from '../../../helpers/fixtures/seeds.ts';
import { canMount } from '../../../helpers/fixtures/small-disk.ts';
import { d, l, linesIn, linesOf, type Tree, x } from '../../../helpers/fixtures/trees.ts';
import {
	CHANNEL,
	download,
	file,
	folder,
	update,
	versionOf,
} from '../../../helpers/harness/following.ts';
import { rejects } from '../../../helpers/harness/rejects.ts';
import { type Scope, suite } from '../../../helpers/harness/suite.ts';

const test = suite('a folder that follows a channel with releases');
const run = promisify(execFile);
const LARGE = contentOf(40_000);

function tree(seq: number): Tree {
	return { large: LARGE, seq: `${seq}`, 'a/link': l('../seq'), run: x('run'), void: d };
}

interface Followed {
	readonly dir: string;
	readonly place: Place;
	reopen(): Promise<Place>;
}

async function follow(t: Scope, keep = 2): Promise<Followed> {
	const dir = join(await makeFolder(t), 'dir');
	const open = async (): Promise<Place> => await openReleases(dir, { channel: CHANNEL, keep });
	let place = await open();
	t.defer(() => place.close());
	return {
		dir,
		place,
		reopen: async () => {
			await place.close();
			place = await open();
			return place;
		},
	};
}

/** The names of the releases, and of the one that `current` leads to. */
async function releasesIn(dir: string): Promise<string> {
	const names = (await readdir(join(dir, 'releases'))).sort();
	return `${names.join(' ')}, ${await readlink(join(dir, 'current'))}`;
}

test('each version is a release, current leads to the newest, and only some are kept', async (t) => {
	const { dir, place, reopen } = await follow(t);
	assert.is(place.applied, undefined);
	const first = await update(place, folder(tree(1)), 1);
	assert.is(first.path, join(dir, 'releases/1'));
	assert.is(await releasesIn(dir), '1, releases/1');
	const second = await update(place, folder(tree(2)), 2);
	assert.ok(second.fetched < 6, `${second.fetched} chunks`);
	assert.is(await releasesIn(dir), '1 2, releases/2');
	await update(await reopen(), folder(tree(3)), 3);
	assert.is(await releasesIn(dir), '2 3, releases/3');
	assert.equal(await linesIn(join(dir, 'current')), linesOf(tree(3)));
	assert.equal(await linesIn(join(dir, 'releases/2')), linesOf(tree(2)));
	assert.equal((await readdir(join(dir, '.shoal'))).sort(), ['lock', 'place', 'releases']);
	assert.equal((await reopen()).applied, versionOf(folder(tree(3)), 3));
});

test('a release of a later block names the block, and a file is in a folder', async (t) => {
	const { dir, place } = await follow(t);
	const published = file('v.bin', LARGE);
	await update(place, published, 5);
	const changed = Uint8Array.from(LARGE);
	changed.set([1, 2, 3]);
	const next = file('w.bin', changed);
	const { fetched, path } = await update(place, next, 6);
	assert.equal({ fetched, path }, { fetched: 1, path: join(dir, 'releases/6/w.bin') });
	assert.equal(await readdir(join(dir, 'releases/6')), ['w.bin']);
	const folderVersion = folder({ a: 'a' });
	const later = { ...versionOf(folderVersion, 1), block: 1 };
	await download(place, folderVersion, 1);
	await place.apply(later);
	assert.is(await releasesIn(dir), '1-1 6, releases/1-1');
});

test('the same seed again needs no download and no other release', async (t) => {
	const { dir, place } = await follow(t);
	await update(place, folder(tree(1)), 1);
	await update(place, folder(tree(2)), 2);
	assert.is((await update(place, folder(tree(1)), 3)).fetched, 0);
	assert.is(await releasesIn(dir), '1 2, releases/1');
	assert.equal(place.applied, versionOf(folder(tree(1)), 3));
	await place.apply(versionOf(folder(tree(1)), 4));
	assert.is(await releasesIn(dir), '1 2, releases/1');
	assert.equal(place.applied, versionOf(folder(tree(1)), 4));
});

test('a release that people changed is left to them, and touched ones are removed', async (t) => {
	const { dir, place } = await follow(t, 1);
	await update(place, folder(tree(1)), 1);
	await writeFile(join(dir, 'current/own'), 'mine');
	assert.equal((await update(place, folder(tree(2)), 2)).kept, ['releases/1']);
	await utimes(join(dir, 'current/large'), 1, 1);
	await rm(join(dir, 'current/seq'));
	assert.equal((await update(place, folder(tree(3)), 3)).kept, []);
	assert.is(await releasesIn(dir), '1 3, releases/3');
	assert.is(await readFile(join(dir, 'releases/1/own'), 'utf8'), 'mine');
});

test('a release that people have removed, or that cannot be removed, does not stop an update', async (t) => {
	const { dir, place, reopen } = await follow(t, 1);
	await update(place, folder(tree(1)), 1);
	await rm(join(dir, 'releases/1'), { recursive: true });
	assert.equal((await update(place, folder(tree(2)), 2)).kept, []);
	await rm(join(dir, 'releases/2'), { recursive: true });
	const again = await reopen();
	assert.is(again.applied, undefined);
	assert.equal((await update(again, folder(tree(2)), 2)).kept, []);
	const calls = new FailingCalls(t, dir, true);
	calls.decide = (name, _, [path]) => {
		return name === 'rename' && path === join(dir, 'releases/2') ? 'EACCES' : undefined;
	};
	assert.equal((await update(again, folder(tree(3)), 3)).kept, []);
	assert.is(await releasesIn(dir), '2 3, releases/3');
	let reads = 0;
	calls.decide = (name, _, [path]) => {
		const isRead = name === 'readdirSync' && /\.shoal.*\.tmp$/.test(String(path));
		reads += isRead ? 1 : 0;
		// The first time, the entries are only counted.
		return isRead && reads === 2 ? 'EMFILE' : undefined;
	};
	assert.equal((await update(again, folder(tree(4)), 4)).kept, []);
	assert.is(await releasesIn(dir), '3 4, releases/4');
	calls.decide = () => undefined;
	await update(again, folder(tree(5)), 5);
	assert.is(await releasesIn(dir), '5, releases/5');
	assert.equal((await readdir(join(dir, '.shoal'))).sort(), ['lock', 'place', 'releases']);
});

test('a release that people have removed does not count among those that are kept', async (t) => {
	const { dir, place } = await follow(t, 2);
	await update(place, folder(tree(1)), 1);
	await update(place, folder(tree(2)), 2);
	await rm(join(dir, 'releases/2'), { recursive: true });
	await update(place, folder(tree(3)), 3);
	assert.is(await releasesIn(dir), '1 3, releases/3');
});

test('a file that people have put in the place of a release stays', async (t) => {
	const { dir, place } = await follow(t, 1);
	await update(place, folder(tree(1)), 1);
	await rm(join(dir, 'releases/1'), { recursive: true });
	await writeFile(join(dir, 'releases/1'), 'mine');
	assert.equal((await update(place, folder(tree(2)), 2)).kept, []);
	assert.is(await readFile(join(dir, 'releases/1'), 'utf8'), 'mine');
});

test('what people put in the place of a release or of current is kept', async (t) => {
	const { dir, place } = await follow(t);
	await mkdir(join(dir, 'releases/1'));
	await mkdir(join(dir, 'current'));
	await writeFile(join(dir, 'current/own'), 'mine');
	const { kept, path } = await update(place, folder(tree(1)), 1);
	assert.equal({ kept, path }, { kept: ['current.mine-1'], path: join(dir, 'releases/1.2') });
	assert.is(await readFile(join(dir, 'current.mine-1/own'), 'utf8'), 'mine');
	await rm(join(dir, 'current'));
	await symlink('/etc', join(dir, 'current'));
	assert.equal((await update(place, folder(tree(2)), 2)).kept, ['current.mine-2']);
	assert.is(await releasesIn(dir), '1 1.2 2, releases/2');
});

test('a rollback leads current to the release before, until a version is applied', async (t) => {
	const { dir, place, reopen } = await follow(t, 3);
	for (const seq of [1, 2, 3]) {
		await update(place, folder(tree(seq)), seq);
	}
	const used = await rejects(rollBack(dir));
	assert.is(used.code, 'ERR_EXISTS');
	await place.close();
	assert.equal(await rollBack(dir), versionOf(folder(tree(2)), 2));
	assert.equal(await rollBack(dir), versionOf(folder(tree(1)), 1));
	const last = await rejects(rollBack(dir));
	assert.is(last.code, 'ERR_USAGE');
	assert.is(await releasesIn(dir), '1 2 3, releases/1');
	const again = await reopen();
	assert.equal(again.applied, versionOf(folder(tree(1)), 1));
	assert.equal(again.skipped, versionOf(folder(tree(3)), 3));
	await update(again, folder(tree(4)), 4);
	assert.is(again.skipped, undefined);
	assert.is(await releasesIn(dir), '2 3 4, releases/4');
});

test('a rollback is over when the version is applied to which it went', async (t) => {
	const { dir, place, reopen } = await follow(t);
	await update(place, folder(tree(1)), 1);
	await update(place, folder(tree(2)), 2);
	// The second time, the version is applied already, as after a kill during the first time.
	for (const _ of [1, 2]) {
		await place.close();
		await writeFile(join(dir, '.shoal/rolled-back'), JSON.stringify(versionOf(folder(tree(2)), 2)));
		const again = await reopen();
		assert.is(again.skipped?.seq, 2);
		await update(again, folder(tree(1)), 3);
		assert.is(again.skipped, undefined);
		assert.is((await reopen()).skipped, undefined);
	}
	assert.is(await releasesIn(dir), '1 2, releases/1');
});

test('only a folder with releases can be rolled back, and the two kinds do not mix', async (t) => {
	const { dir, place } = await follow(t);
	await update(place, folder(tree(1)), 1);
	await place.close();
	const other = await rejects(openInPlace(dir, { channel: CHANNEL }));
	assert.is(other.code, 'ERR_EXISTS');
	assert.match(other.message, 'with --releases');
	const inPlace = await makeFolder(t);
	await (await openInPlace(inPlace, { channel: CHANNEL })).close();
	const error = await rejects(rollBack(inPlace));
	assert.is(error.code, 'ERR_USAGE');
	assert.match(error.message, 'without --releases');
	assert.is((await rejects(rollBack(await makeFolder(t)))).code, 'ERR_USAGE');
	assert.is((await rejects(rollBack(dir))).code, 'ERR_USAGE');
});

test('before the first version, the folder may still follow another channel, or in place', async (t) => {
	const { dir, place } = await follow(t);
	await place.close();
	await (await openReleases(dir, { channel: 'd'.repeat(64), keep: 2 })).close();
	await (await openInPlace(dir, { channel: CHANNEL })).close();
});

test('the applied release is opened for sharing', async (t) => {
	const { place, reopen } = await follow(t);
	const published = folder(tree(1));
	await update(place, published, 1);
	const content = await (await reopen()).content();
	assert.ok(content?.have.isFull);
	const bytes = new Uint8Array(published.seed.length);
	await content.storage.read(0, bytes);
	assert.equal(bytes, published.content);
	await content.storage.close();
});

test('a switch that failed is done again by the next call', async (t) => {
	const { dir, place } = await follow(t);
	await update(place, folder(tree(1)), 1);
	await download(place, folder(tree(2)), 2);
	const version = versionOf(folder(tree(2)), 2);
	if (canMount) {
		const current = join(dir, 'current');
		await rm(current);
		await writeFile(current, 'mine');
		await run('mount', ['--bind', current, current]);
		t.defer(() => run('umount', [current]).catch(() => {}));
		const error = await rejects(place.apply(version));
		assert.match(error.message, current);
		await run('umount', [current]);
	}
	const { kept } = await place.apply(version);
	assert.equal(kept, canMount ? ['current.mine-2'] : []);
	assert.is(await releasesIn(dir), '1 2, releases/2');
});

test('a link in the place of releases is refused', async (t) => {
	const dir = await makeFolder(t);
	await symlink('/tmp', join(dir, 'releases'));
	const error = await rejects(openReleases(dir, { channel: CHANNEL, keep: 1 }));
	assert.is(error.code, 'ERR_EXISTS');
});

test('files of a followed folder that cannot be read do not count as missing', async (t) => {
	const { dir, place, reopen } = await follow(t);
	await update(place, folder(tree(1)), 1);
	await update(place, folder(tree(2)), 2);
	await place.close();
	await rollBack(dir);
	for (const name of ['rolled-back', 'place', 'releases/1']) {
		const path = join(dir, '.shoal', name);
		const text = await readFile(path);
		await rm(path);
		await mkdir(path);
		for (const open of [() => rollBack(dir), reopen]) {
			const error = await rejects(open());
			assert.is(error.code, 'ERR_FOLDER');
			assert.match(error.message, path);
		}
		await rm(path, { recursive: true });
		await writeFile(path, text);
	}
});

test.run();
