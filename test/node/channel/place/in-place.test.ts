import {
	chmod,
	link,
	mkdir,
	readdir,
	readFile,
	rename,
	rm,
	symlink,
	utimes,
	writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { openInPlace } from '../../../../node/channel/place/in-place.ts';
import type { Place } from '../../../../node/channel/place/place.ts';
import { makeFolder } from '../../../helpers/fixtures/folder.ts';
import { contentOf } from '../../../helpers/fixtures/seeds.ts';
import { d, l, linesIn, linesOf, plant, type Tree, x } from '../../../helpers/fixtures/trees.ts';
import {
	CHANNEL,
	CHUNK,
	download,
	FollowerDownload,
	file,
	folder,
	update,
	versionOf,
} from '../../../helpers/harness/following.ts';
import { rejects } from '../../../helpers/harness/rejects.ts';
import { type Scope, suite } from '../../../helpers/harness/suite.ts';

const test = suite('a folder that follows a channel in place');
const LARGE = contentOf(70 * CHUNK);
const ONE: Tree = {
	'a/one': contentOf(2_000),
	'a/two': 'two',
	'b/link': l('../a/one'),
	'b/void': d,
	empty: '',
	gone: 'soon',
	'gone too/x': 'x',
	large: LARGE,
	run: x('#!/bin/sh\n'),
};
const { gone: _, 'gone too/x': __, ...rest } = ONE;
const TWO: Tree = { ...rest, 'a/two': 'TWO', 'c/new': contentOf(900), 'b/link': l('../large') };

interface Followed {
	readonly dir: string;
	readonly place: Place;
	/** Opens the folder again, as a new process does. */
	reopen(): Promise<Place>;
}

async function follow(t: Scope, own: Tree = {}): Promise<Followed> {
	const dir = await plant(join(await makeFolder(t), 'dir'), own);
	let place = await openInPlace(dir, { channel: CHANNEL });
	t.defer(() => place.close());
	return {
		dir,
		place,
		reopen: async () => {
			await place.close();
			place = await openInPlace(dir, { channel: CHANNEL });
			return place;
		},
	};
}

/** Checks that the folder has exactly `tree`, beside the folder `.shoal`. */
async function has(dir: string, tree: Tree): Promise<void> {
	const lines = await linesIn(dir);
	assert.equal(
		lines.filter((line) => !/ \.shoal(\/|$)/.test(line)),
		linesOf(tree),
	);
}

/** Checks that nothing is left of a switch. */
async function isTidy(dir: string): Promise<void> {
	assert.equal((await readdir(join(dir, '.shoal'))).sort(), ['applied', 'lock', 'place']);
}

test('the first version is put into the folder, which is made if it is missing', async (t) => {
	const dir = join(await makeFolder(t), 'new', 'dir');
	const place = await openInPlace(dir, { channel: CHANNEL });
	t.defer(() => place.close());
	assert.is(place.applied, undefined);
	assert.is(await place.content(), undefined);
	const { path, kept } = await update(place, folder(ONE), 1);
	assert.equal({ path, kept }, { path: dir, kept: [] });
	assert.equal(place.applied, versionOf(folder(ONE), 1));
	await has(dir, ONE);
	await isTidy(dir);
});

test('the next version replaces, adds and removes, and only what differs is fetched', async (t) => {
	const { dir, place, reopen } = await follow(t);
	await update(place, folder(ONE), 1);
	const { kept, fetched } = await update(place, folder(TWO), 2);
	assert.equal(kept, []);
	await has(dir, TWO);
	assert.ok(fetched < 10, `${fetched} chunks`);
	await isTidy(dir);
	assert.equal((await reopen()).applied, versionOf(folder(TWO), 2));
});

test('a file is put again if its name changes only in case', async (t) => {
	const { dir, place } = await follow(t);
	await update(place, folder({ README: 'one' }), 1);
	// Both names lead to the same file, as on a file system that ignores case. There, to remove the
	// one is to remove the other; here, the other one stays, and is in the way.
	await link(join(dir, 'README'), join(dir, 'Readme'));
	await update(place, folder({ Readme: 'one' }), 2);
	await has(dir, { Readme: 'one', 'Readme.mine-2': 'one' });
});

test('a part of a large file is updated by its difference', async (t) => {
	const { place } = await follow(t);
	await update(place, folder({ large: LARGE, b: 'b' }), 1);
	const changed = Uint8Array.from(LARGE);
	changed[20 * CHUNK] = 0;
	changed[20 * CHUNK + 1] = 1;
	const { fetched } = await update(place, folder({ large: changed, b: 'b' }), 2);
	assert.ok(fetched <= 4, `${fetched} chunks`);
});

test('a file that is not touched by an update is neither copied nor moved', async (t) => {
	const { dir, place } = await follow(t);
	await update(place, folder(ONE), 1);
	const before = await readFile(join(dir, 'large'));
	const getting = new FollowerDownload(folder(TWO), place.target(versionOf(folder(TWO), 2)));
	await getting.open();
	assert.not.ok(getting.opened.selected?.paths.has('large'));
	await getting.abandon();
	assert.equal(await readFile(join(dir, 'large')), before);
});

test('a moved file is not fetched', async (t) => {
	const { dir, place } = await follow(t);
	await update(place, folder({ 'old/large': LARGE, b: 'b' }), 1);
	const { fetched } = await update(place, folder({ 'new/place': LARGE, b: 'b' }), 2);
	assert.ok(fetched <= 2, `${fetched} chunks`);
	await has(dir, { 'new/place': LARGE, b: 'b' });
});

test('a file follows a file of another name, and a folder a file, and the reverse', async (t) => {
	const { dir, place } = await follow(t, { mine: 'mine' });
	const [one, two] = [contentOf(5_000), contentOf(5_001)];
	assert.is((await update(place, file('v1.bin', one), 1)).path, join(dir, 'v1.bin'));
	await has(dir, { mine: 'mine', 'v1.bin': one });
	const changed = Uint8Array.from(one);
	changed.set([1, 2, 3]);
	assert.is((await update(place, file('v2.bin', changed), 2)).fetched, 1);
	await has(dir, { mine: 'mine', 'v2.bin': changed });
	await update(place, folder({ 'v2.bin/a': two, b: 'b' }), 3);
	await has(dir, { mine: 'mine', 'v2.bin/a': two, b: 'b' });
	const { fetched } = await update(place, file('b', two), 4);
	assert.is(fetched, 0);
	await has(dir, { mine: 'mine', b: two });
	assert.equal(place.result, { path: join(dir, 'b'), kept: [] });
});

test('the same seed under another number, and an older one, are applied without a download', async (t) => {
	const { dir, place } = await follow(t);
	await update(place, folder(ONE), 1);
	assert.is((await update(place, folder(ONE), 2)).fetched, 0);
	assert.equal(place.applied, versionOf(folder(ONE), 2));
	await place.apply(versionOf(folder(ONE), 5));
	assert.equal(place.applied, versionOf(folder(ONE), 5));
	await has(dir, ONE);
	assert.is((await update(place, file('one.bin', LARGE), 6)).fetched, 0);
	assert.is((await update(place, file('one.bin', LARGE), 7)).fetched, 0);
	await has(dir, { 'one.bin': LARGE });
});

test('files that are there already are adopted, and what is in the way is set aside', async (t) => {
	const { dir, place } = await follow(t, {
		...ONE,
		'a/two': 'not two',
		run: d,
		own: 'own',
		'b/void': 'a file',
	});
	const { kept, fetched } = await update(place, folder(ONE), 7);
	assert.equal(kept, ['a/two.mine-7', 'b/void.mine-7', 'run.mine-7']);
	assert.ok(fetched < 8, `${fetched} chunks`);
	await has(dir, {
		...ONE,
		own: 'own',
		'a/two.mine-7': 'not two',
		'run.mine-7': d,
		'b/void.mine-7': 'a file',
	});
});

test('what people changed is kept: in its place, or aside if the new version has it', async (t) => {
	const { dir, place } = await follow(t);
	await update(place, folder(ONE), 1);
	await writeFile(join(dir, 'a/two'), 'mine');
	await writeFile(join(dir, 'a/one'), 'mine as well');
	await writeFile(join(dir, 'gone'), 'changed');
	await writeFile(join(dir, 'gone too/own'), 'own');
	await writeFile(join(dir, 'added'), 'added');
	await rm(join(dir, 'empty'));
	await mkdir(join(dir, 'c'));
	await writeFile(join(dir, 'c/new'), 'in the way');
	const { kept } = await update(place, folder(TWO), 2);
	assert.equal(kept, ['a/one.mine-2', 'a/two.mine-2', 'c/new.mine-2', 'gone']);
	await has(dir, {
		...TWO,
		'a/one.mine-2': 'mine as well',
		'a/two.mine-2': 'mine',
		'c/new.mine-2': 'in the way',
		gone: 'changed',
		'gone too/own': 'own',
		added: 'added',
	});
	const third = await update(place, folder(ONE), 3);
	assert.equal(third.kept, ['gone.mine-3']);
});

test('a name that is used gets a number', async (t) => {
	const { dir, place } = await follow(t, { a: 'mine', 'a.mine-1': 'other', 'a.mine-1-2': 'more' });
	const { kept } = await update(place, folder({ a: 'a' }), 1);
	assert.equal(kept, ['a.mine-1-3']);
	await has(dir, { a: 'a', 'a.mine-1': 'other', 'a.mine-1-2': 'more', 'a.mine-1-3': 'mine' });
});

test('a file with other times or owners, but the same bytes, is not changed', async (t) => {
	const { dir, place } = await follow(t);
	await update(place, folder(ONE), 1);
	await utimes(join(dir, 'a/two'), 1, 1);
	await utimes(join(dir, 'gone'), 1, 1);
	assert.equal((await update(place, folder(TWO), 2)).kept, []);
	await has(dir, TWO);
});

test('an open file and a read-only file are replaced', async (t) => {
	const { dir, place } = await follow(t);
	await update(place, folder(ONE), 1);
	await chmod(join(dir, 'a/two'), 0o444);
	const open = await readFile(join(dir, 'a/one'));
	assert.equal((await update(place, folder(TWO), 2)).kept, []);
	await has(dir, TWO);
	assert.ok(open.length > 0);
});

test('nothing is written or removed through a link that somebody planted', async (t) => {
	const { dir, place } = await follow(t);
	await update(place, folder(ONE), 1);
	const outside = await plant(join(dir, '../outside'), { two: 'safe', one: 'safe', x: 'x' });
	await rename(join(dir, 'a'), join(dir, '../a'));
	await symlink('../outside', join(dir, 'a'));
	await rename(join(dir, 'gone too'), join(dir, '../gone too'));
	await symlink('../outside', join(dir, 'gone too'));
	await symlink('../outside', join(dir, 'c'));
	await rm(join(dir, 'large'));
	await symlink('../outside/x', join(dir, 'large'));
	const { kept } = await update(place, folder(TWO), 2);
	assert.equal(kept, ['a.mine-2', 'c.mine-2', 'large.mine-2']);
	assert.equal(await linesIn(outside), linesOf({ two: 'safe', one: 'safe', x: 'x' }));
	await has(dir, {
		...TWO,
		'a.mine-2': l('../outside'),
		'c.mine-2': l('../outside'),
		'large.mine-2': l('../outside/x'),
		'gone too': l('../outside'),
	});
});

test('folders and files of people in the place of the other kind are set aside', async (t) => {
	const { dir, place } = await follow(t);
	await update(place, folder({ 'f/x': 'x', 'f/y': 'y', g: 'g', h: 'h' }), 1);
	await writeFile(join(dir, 'f/x'), 'changed');
	await writeFile(join(dir, 'f/own'), 'own');
	await rm(join(dir, 'g'));
	await plant(join(dir, 'g'), { own: 'own' });
	await writeFile(join(dir, 'h'), 'changed');
	const { kept } = await update(place, folder({ f: 'file', g: 'G', 'h/a': 'a' }), 2);
	assert.equal(kept, ['f.mine-2', 'g.mine-2', 'h.mine-2']);
	await has(dir, {
		f: 'file',
		'f.mine-2/x': 'changed',
		'f.mine-2/own': 'own',
		g: 'G',
		'g.mine-2/own': 'own',
		'h/a': 'a',
		'h.mine-2': 'changed',
	});
});

test('a download is resumed, and a staged version survives a restart', async (t) => {
	const { dir, place, reopen } = await follow(t);
	const getting = new FollowerDownload(folder(ONE), place.target(versionOf(folder(ONE), 1)));
	await getting.open();
	const all = getting.missing;
	await getting.fetch(all.slice(0, 40));
	await getting.abandon();
	let again = await reopen();
	assert.is(await download(again, folder(ONE), 1), all.length - 40);
	again = await reopen();
	assert.is((await update(again, folder(ONE), 1)).fetched, 0);
	await has(dir, ONE);
	await isTidy(dir);
});

test('a file that is changed while a version is downloaded is downloaded, too', async (t) => {
	const { dir, place } = await follow(t);
	await update(place, folder(ONE), 1);
	await download(place, folder(TWO), 2);
	await writeFile(join(dir, 'large'), 'mine');
	const error = await rejects(place.apply(versionOf(folder(TWO), 2)));
	assert.is(error.code, 'ERR_CHANGED');
	assert.match(error.message, 'large');
	await has(dir, { ...ONE, large: 'mine' });
	assert.equal((await update(place, folder(TWO), 2)).kept, ['large.mine-2']);
	await has(dir, { ...TWO, 'large.mine-2': 'mine' });
});

test('the applied version is opened for sharing, without what people changed', async (t) => {
	const { dir, place, reopen } = await follow(t);
	const one = folder(ONE);
	await update(place, one, 1);
	const content = await (await reopen()).content();
	assert.ok(content?.have.isFull);
	const bytes = new Uint8Array(one.seed.length);
	await content.storage.read(0, bytes);
	assert.equal(bytes, one.content);
	await content.storage.close();
	await writeFile(join(dir, 'large'), 'changed');
	const rest = await (await reopen()).content();
	assert.ok(rest !== undefined && !rest.have.isFull && rest.have.count > 0);
	await rest.storage.close();
});

test('a file is opened for sharing, unless people changed it', async (t) => {
	const { dir, place } = await follow(t);
	await update(place, file('v.bin', LARGE), 1);
	const content = await place.content();
	const bytes = new Uint8Array(LARGE.length);
	await content?.storage.read(0, bytes);
	assert.equal(bytes, LARGE);
	await content?.storage.close();
	await writeFile(join(dir, 'v.bin'), 'changed');
	assert.is(await place.content(), undefined);
});

test('another process, another channel and entries named .shoal are refused', async (t) => {
	const { dir, place, reopen } = await follow(t);
	const used = await rejects(openInPlace(dir, { channel: CHANNEL }));
	assert.is(used.code, 'ERR_EXISTS');
	assert.match(used.message, `(process ${process.pid}) keeps`);
	const evil = await rejects(update(place, folder({ '.shoal/applied': 'x', a: 'a' }), 1));
	assert.is(evil.code, 'ERR_NAME');
	await update(place, folder({ a: 'a' }), 1);
	await reopen().then((each) => each.close());
	const other = await rejects(openInPlace(dir, { channel: 'd'.repeat(64) }));
	assert.is(other.code, 'ERR_EXISTS');
	assert.match(other.message, join(dir, '.shoal'));
});

test('after a loss of power the lock of the last follower does not keep the folder for ever', async (t) => {
	const { dir, place } = await follow(t);
	await update(place, folder(ONE), 1);
	await place.close();
	const lock = `shoal-lock 1 token ${CHANNEL} 2167 00000000-0000-4000-8000-000000000000/1 5\n`;
	await writeFile(join(dir, '.shoal/lock'), lock);
	const told = new Set<string>();
	const onWait = (why: string): unknown => told.add(why);
	const again = await openInPlace(dir, { channel: CHANNEL, silence: 500, onWait });
	t.defer(() => again.close());
	assert.equal(again.applied, versionOf(folder(ONE), 1));
	assert.match([...told].join(), `another shoal follow keeps "${dir}"`);
});

test('a version that was not downloaded is not applied', async (t) => {
	const { place } = await follow(t);
	const error = await rejects(place.apply(versionOf(folder(ONE), 1)));
	assert.is(error.code, 'ERR_NOT_FOUND');
});

test('a folder into which nothing was applied yet can follow another channel, as after a mistyped link', async (t) => {
	const { dir, place } = await follow(t, { mine: 'x' });
	await place.close();
	const other = await openInPlace(dir, { channel: 'e'.repeat(64) });
	t.defer(() => other.close());
	await update(other, folder(ONE), 1);
	await other.close();
	const error = await rejects(openInPlace(dir, { channel: CHANNEL }));
	assert.is(error.code, 'ERR_EXISTS');
	assert.match(error.message, /follows another channel/);
});

test.run();
