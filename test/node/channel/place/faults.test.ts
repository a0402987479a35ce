import { execFile } from 'node:child_process';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as assert from 'uvu/assert';
import { openInPlace } from '../../../../node/channel/place/in-place.ts';
import { FailingCalls } from '../../../helpers/adversaries/failing-calls.ts';
import { makeFolder } from '../../../helpers/fixtures/folder.ts';
import { contentOf } from '../../../helpers/fixtures/seeds.ts';
import { canMount, smallDisk } from '../../../helpers/fixtures/small-disk.ts';
import { linesIn, linesOf } from '../../../helpers/fixtures/trees.ts';
import {
	CHANNEL,
	download,
	FollowerDownload,
	file,
	folder,
	update,
	versionOf,
} from '../../../helpers/harness/following.ts';
import { rejects } from '../../../helpers/harness/rejects.ts';
import { type Scope, suite } from '../../../helpers/harness/suite.ts';

const test = suite('faults while a channel is followed');
const run = promisify(execFile);

/** A folder that follows a channel, with version 1. */
async function follow(t: Scope, dir: string, tree: Parameters<typeof folder>[0]) {
	const place = await openInPlace(dir, { channel: CHANNEL });
	t.defer(() => place.close());
	await update(place, folder(tree), 1);
	return place;
}

async function hasLines(dir: string, tree: Parameters<typeof folder>[0]): Promise<void> {
	const lines = await linesIn(dir);
	assert.equal(
		lines.filter((line) => !line.includes(' .shoal/')),
		linesOf(tree),
	);
}

test('a file or a link in the place of .shoal is refused', async (t) => {
	const dir = await makeFolder(t);
	await writeFile(join(dir, '.shoal'), 'mine');
	const error = await rejects(openInPlace(dir, { channel: CHANNEL }));
	assert.is(error.code, 'ERR_EXISTS');
	assert.match(error.message, 'is no folder');
});

test('a damaged record counts as none, and a damaged journal as well', async (t) => {
	const dir = await makeFolder(t);
	const first = await follow(t, dir, { a: 'a', b: 'b' });
	await first.close();
	await writeFile(join(dir, '.shoal/applied'), 'damaged');
	await writeFile(join(dir, '.shoal/switch'), 'damaged');
	const place = await openInPlace(dir, { channel: CHANNEL });
	t.defer(() => place.close());
	assert.is(place.applied, undefined);
	const { kept, fetched } = await update(place, folder({ a: 'a', b: 'B' }), 2);
	assert.equal({ kept, fetched: fetched > 0 }, { kept: ['b.mine-2'], fetched: true });
});

test('a record that cannot be read does not count as none', async (t) => {
	const dir = await makeFolder(t);
	const place = await follow(t, dir, { a: 'a' });
	await mkdir(join(dir, '.shoal/switch'));
	const pending = await rejects(update(place, folder({ a: 'A' }), 2));
	assert.is(pending.code, 'ERR_FOLDER');
	await place.close();
	const calls = new FailingCalls(t, dir);
	for (const record of ['switch', 'applied']) {
		await rm(join(dir, '.shoal/switch'), { recursive: true, force: true });
		const path = join(dir, '.shoal', record);
		calls.decide = (name, _, [at]) => (name === 'readFile' && at === path ? 'EIO' : undefined);
		const error = await rejects(openInPlace(dir, { channel: CHANNEL }));
		assert.is(error.code, 'ERR_IO');
		assert.match(error.message, path);
	}
	calls.decide = () => undefined;
	const again = await openInPlace(dir, { channel: CHANNEL });
	t.defer(() => again.close());
	assert.equal((await update(again, folder({ b: 'b' }), 2)).kept, []);
	await hasLines(dir, { b: 'b' });
});

test('a name that differs only in case from that of an unchanged file is refused', async (t) => {
	const dir = await makeFolder(t);
	const place = await follow(t, dir, { a: 'a' });
	// The probe for such a file system is found under this name.
	await writeFile(join(dir, '.shoal/.SHOAL-CASE'), '');
	const error = await rejects(update(place, folder({ a: 'a', A: 'A' }), 2));
	assert.is(error.code, 'ERR_NAME');
	assert.match(error.message, '"A" and "a" differ only in case');
	await update(place, folder({ A: 'A' }), 3);
	await hasLines(dir, { A: 'A' });
});

test('an aborted switch has not begun', async (t) => {
	const dir = await makeFolder(t);
	const place = await follow(t, dir, { a: 'a' });
	await download(place, folder({ b: 'b' }), 2);
	const error = await rejects(place.apply(versionOf(folder({ b: 'b' }), 2), AbortSignal.abort()));
	assert.is(error.code, 'ERR_ABORTED');
	await hasLines(dir, { a: 'a' });
	await place.apply(versionOf(folder({ b: 'b' }), 2));
	await hasLines(dir, { b: 'b' });
});

if (canMount) {
	test('if a step fails, the switch stays pending, and ends when it can', async (t) => {
		const dir = join(await makeFolder(t), 'dir');
		const place = await follow(t, dir, { a: 'a', b: 'b', c: 'c' });
		const next = folder({ a: 'A', b: 'B', c: 'C' });
		await download(place, next, 2);
		const mounted = join(dir, 'b');
		const unmount = async (): Promise<unknown> => await run('umount', [mounted]).catch(() => {});
		t.defer(unmount);
		await run('mount', ['--bind', mounted, mounted]);
		const failed = await rejects(place.apply(versionOf(next, 2)));
		assert.is(failed.code, 'ERR_PERMISSION');
		assert.match(failed.message, mounted);
		assert.equal(place.applied, versionOf(folder({ a: 'a', b: 'b', c: 'c' }), 1));
		const again = await rejects(download(place, next, 3));
		assert.match(again.message, mounted);
		await hasLines(dir, { a: 'A', b: 'b', c: 'c' });
		assert.ok(place.isTorn);
		await unmount();
		await place.apply(versionOf(next, 2));
		await hasLines(dir, { a: 'A', b: 'B', c: 'C' });
		assert.not(place.isTorn);
	});

	test('a folder that cannot be written, or is another disk, is found before the switch', async (t) => {
		const dir = join(await makeFolder(t), 'dir');
		const place = await follow(t, dir, { a: 'a', 'sub/b': 'b' });
		await run('mount', ['--bind', join(dir, 'sub'), join(dir, 'sub')]);
		t.defer(() => run('umount', [join(dir, 'sub')]));
		await run('mount', ['-o', 'remount,ro,bind', join(dir, 'sub')]);
		const next = folder({ a: 'A', 'sub/b': 'B' });
		const error = await rejects(update(place, next, 2));
		assert.is(error.code, 'ERR_PERMISSION');
		assert.match(error.message, join(dir, 'sub'));
		await hasLines(dir, { a: 'a', 'sub/b': 'b' });
		const disk = join(dir, 'disk');
		await mkdir(disk);
		await run('mount', ['-t', 'tmpfs', 'tmpfs', disk]);
		t.defer(() => run('umount', [disk]));
		const other = await rejects(update(place, folder({ a: 'A', 'sub/b': 'b', 'disk/b': 'B' }), 3));
		assert.is(other.code, 'ERR_IO');
		assert.match(other.message, 'another file system');
	});

	test('the folder can be a mount point, and a full disk leaves the version before', async (t) => {
		const dir = await smallDisk(t, 4);
		const [one, two] = [contentOf(1_500_000), contentOf(1_500_001)];
		const place = await follow(t, dir, { a: one });
		await writeFile(join(dir, 'fill'), contentOf(2_000_000));
		const full = await rejects(update(place, folder({ a: two }), 2));
		assert.is(full.code, 'ERR_NO_SPACE');
		await hasLines(dir, { a: one, fill: contentOf(2_000_000) });
		await rm(join(dir, 'fill'));
		await update(place, folder({ a: two }), 2);
		await hasLines(dir, { a: two });
	});

	test('what is staged when the disk becomes full is used later', async (t) => {
		const dir = await smallDisk(t, 4);
		const place = await follow(t, dir, { a: 'a' });
		const bytes = contentOf(1_500_000);
		const published = file('large', bytes);
		const getting = new FollowerDownload(published, place.target(versionOf(published, 2)));
		await getting.open();
		const all = getting.missing;
		await getting.fetch(all.slice(0, 1_000));
		await getting.abandon();
		assert.ok((await readdir(join(dir, '.shoal'))).some((name) => name.startsWith('next-')));
		assert.is((await update(place, published, 2)).fetched, all.length - 1_000);
		await hasLines(dir, { large: bytes });
	});
}

test.run();
