import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as assert from 'uvu/assert';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { canMount, fillUp, smallDisk } from '../helpers/fixtures/small-disk.ts';
import { d, l, linesIn, plant, type Tree, x } from '../helpers/fixtures/trees.ts';
import { CACHELESS, Shoal, spawnBroker } from '../helpers/harness/shoal.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('folders of real processes');
const MIB = 1024 * 1024;

/** Many small files, some large ones, and a link and an empty folder, which have no bytes. */
function treeOf(mebibytes: number): Tree {
	const small = Array.from({ length: 150 }, (_, at) => {
		return [`small/${at % 7}/${at}`, randomBytes(at * 37)] as const;
	});
	const large = Array.from({ length: 4 }, (_, at) => {
		return [`large/${at}`, randomBytes((mebibytes * MIB) / 4)] as const;
	});
	return {
		...Object.fromEntries([...small, ...large]),
		run: x('#!/bin/sh\n'),
		'links/one': l('../run'),
		'void/void': d,
	};
}

/** A version of a folder that is shared. */
interface Version {
	readonly source: string;
	readonly id: string;
	/** A line for each entry of the folder. */
	readonly lines: readonly string[];
}

/** Versions of a folder, all shared by one process, and a function that gets a copy. */
async function shared(t: Scope, trees: readonly Tree[], maxUp = '1GB') {
	const root = await makeFolder(t);
	const { url } = await spawnBroker(t);
	const sources = await Promise.all(
		trees.map((tree, at) => plant(join(root, `version-${at}`, 'folder'), tree)),
	);
	const share = new Shoal(t, ['share', ...sources, '--broker', url, '--max-up', maxUp]);
	await until('all are shared', () => share.all('sharing').length === trees.length);
	const versions: Version[] = await Promise.all(
		sources.map(async (source, at) => {
			return { source, id: String(share.all('sharing')[at]?.id), lines: await linesIn(source) };
		}),
	);
	const env = { ...CACHELESS, XDG_STATE_HOME: join(root, 'state') };
	const get = ({ id }: Version, output: string, ...flags: string[]): Shoal =>
		new Shoal(t, ['get', id, '-o', output, '--broker', url, '--no-linger', ...flags], env);
	return { root, url, share, versions, only: versions[0] as Version, get };
}

/** A new folder for copies. */
async function makePlace(root: string, name = 'place'): Promise<string> {
	const place = join(root, name);
	await mkdir(place);
	return place;
}

async function completes(get: Shoal): Promise<Record<string, unknown>> {
	assert.is(await get.exit(), 0, get.stderr);
	return await get.event('complete');
}

/** Checks that a copy is complete, and that nothing else is in `place`. */
async function isAlone(place: string, { lines }: Version): Promise<void> {
	assert.equal(await linesIn(join(place, 'folder')), lines);
	assert.equal(await readdir(place), ['folder']);
}

function have(get: Shoal): number {
	return Number(get.all('progress').at(-1)?.have ?? 0);
}

async function linesAt(path: string): Promise<string[] | undefined> {
	return existsSync(path) ? await linesIn(path) : undefined;
}

test('a killed download leaves no folder or the complete one, and the next download completes it', async (t) => {
	const { root, only, get } = await shared(t, [treeOf(8)]);
	for (const part of [0.5, 1]) {
		const place = await makePlace(root, `place-${part}`);
		const killed = get(only, place);
		await until(
			'it is that far',
			() => have(killed) >= part * 8 * MIB || killed.code !== undefined,
		);
		killed.signal('SIGKILL');
		await killed.exit();
		const found = await linesAt(join(place, 'folder'));
		assert.ok(found === undefined || found.join() === only.lines.join(), `after ${part}`);
		await completes(get(only, place));
		await isAlone(place, only);
	}
});

test('a download killed while it replaces an older version leaves one of the two versions, never a mixture', async (t) => {
	const trees = [treeOf(4), { ...treeOf(4), 'small/1/1': 'another', 'new/file': 'new' }];
	const { root, versions, get } = await shared(t, trees);
	const [older, newer] = versions as [Version, Version];
	for (const part of [0.5, 0.99, 1]) {
		const place = await makePlace(root, `place-${part}`);
		await completes(get(older, place));
		const killed = get(newer, place);
		await until(
			'it is that far',
			() => have(killed) >= part * 4 * MIB || killed.code !== undefined,
		);
		killed.signal('SIGKILL');
		await killed.exit();
		const found = (await linesAt(join(place, 'folder')))?.join();
		// Between two renames neither version is there, until the next download begins.
		const known = [undefined, older.lines.join(), newer.lines.join()];
		assert.ok(known.includes(found), `after ${part}`);
		await completes(get(newer, place));
		await isAlone(place, newer);
	}
});

test('a download stopped by Ctrl-C is resumed, and fetches only the missing chunks', async (t) => {
	const { root, only, get, share } = await shared(t, [treeOf(12)], '6MB');
	const place = await makePlace(root);
	const first = get(only, place);
	await until('half is there', () => have(first) > 6 * MIB);
	first.signal('SIGINT');
	assert.is(await first.exit(), 130);
	assert.match(String((await first.event('error')).message), /run the same command again/);
	assert.not.ok(existsSync(join(place, 'folder')));
	const { kept, length, sources } = await completes(get(only, place));
	const fetched = (sources as { bytes: number }[]).reduce((sum, { bytes }) => sum + bytes, 0);
	assert.ok((kept as number) > 5 * MIB, `${kept} kept`);
	assert.is(fetched + (kept as number), length);
	await isAlone(place, only);
	share.signal('SIGTERM');
	const { sent } = await share.event('stopped');
	assert.ok((sent as number) < (length as number) + 2 * MIB, `${sent} sent`);
});

test('a get waits while another process gets the same folder, and then finds it complete', async (t) => {
	const { root, only, get } = await shared(t, [treeOf(8)], '2MB');
	const place = await makePlace(root);
	const first = get(only, place);
	await until('some is there', () => have(first) > MIB);
	const second = get(only, place);
	await until('it waits', () => second.all('progress').some(({ phase }) => phase === 'waiting'));
	assert.not.ok((await completes(first)).wasThere);
	assert.ok((await completes(second)).wasThere);
	await isAlone(place, only);
});

test('a folder that was changed after its download is not replaced, and the changed paths are named', async (t) => {
	const { root, versions, get } = await shared(t, [treeOf(1), treeOf(1)]);
	const [older, newer] = versions as [Version, Version];
	const place = await makePlace(root);
	await completes(get(older, place));
	await appendFile(join(place, 'folder', 'run'), 'mine');
	await writeFile(join(place, 'folder', 'mine'), '');
	const before = await linesIn(place);
	const refused = get(newer, place);
	assert.is(await refused.exit(), 1);
	const { code, message } = await refused.event('error');
	assert.is(code, 'ERR_EXISTS');
	assert.match(String(message), /"mine".*"run"|"run".*"mine"/);
	assert.match(String(message), /-o/);
	assert.equal(await linesIn(place), before);
	await writeFile(join(place, 'other'), 'foreign');
	const inTheWay = get(newer, join(place, 'other'));
	assert.is(await inTheWay.exit(), 1);
	assert.is((await inTheWay.event('error')).code, 'ERR_EXISTS');
});

test('a get of some files of a folder can be followed by a get of all', async (t) => {
	const { root, only, get } = await shared(t, [treeOf(2)]);
	const place = await makePlace(root);
	const some = await completes(get(only, place, '--only', 'small/3', '--exclude', '*1'));
	assert.is(some.partial, true);
	const kept = only.lines.filter((line) => / small\/3\/.*[^1]$/.test(line));
	assert.equal(await linesIn(join(place, 'folder')), kept);
	assert.is(some.files, kept.length);
	const all = await completes(get(only, place));
	assert.is(all.partial, undefined);
	await isAlone(place, only);
	assert.ok((await completes(get(only, place, '--only', 'run'))).wasThere);
	await isAlone(place, only);
});

test('a changed file is named, and its folder is shared again if the bytes are the same', async (t) => {
	const { only, share, get, root } = await shared(t, [treeOf(1)]);
	const file = join(only.source, 'small/1/8');
	await utimes(file, 1, 1);
	await until('the file is named', () => /small\/1\/8\\" has changed/.test(share.stderr));
	const place = await makePlace(root);
	await completes(get(only, place, '--wait'));
	await isAlone(place, only);
	await appendFile(file, 'more');
	assert.is(await share.exit(), 1);
	assert.is((await share.event('error')).code, 'ERR_CHANGED');
});

if (!canMount) {
	console.log('skipped: mounting a small disk needs root on Linux');
}

(canMount ? test : test.skip)(
	'a get ends with an error on a full disk, and is resumed when there is room',
	async (t) => {
		const disk = await smallDisk(t, 12);
		const { only, get } = await shared(t, [treeOf(8)], '4MB');
		const full = get(only, disk);
		await until('2 MiB are there', () => have(full) > 2 * MIB);
		await fillUp(disk, MIB);
		assert.is(await full.exit(), 1);
		const { code, message } = await full.event('error');
		assert.is(code, 'ERR_NO_SPACE');
		assert.match(String(message), /the disk is full; make room .* what is verified is kept/);
		assert.not.ok(existsSync(join(disk, 'folder')));
		await rm(join(disk, 'other'));
		const { kept } = await completes(get(only, disk));
		assert.ok((kept as number) > 2 * MIB, `${kept} bytes`);
		await isAlone(disk, only);
	},
);

(canMount ? test : test.skip)(
	'a get is refused if the disk can hold too few files; if it ends later, it can be resumed',
	async (t) => {
		const { only, get } = await shared(t, [treeOf(2)]);
		const few = await smallDisk(t, 12, 100);
		const refused = get(only, few);
		assert.is(await refused.exit(), 1);
		const error = await refused.event('error');
		assert.is(error.code, 'ERR_NO_SPACE');
		assert.match(String(error.message), /can hold \d+ more files \(df -i\), \d+ are needed/);
		assert.equal(await readdir(few), []);
		// The disk can hold the files, but not the folders, too.
		const disk = await smallDisk(t, 12, 168);
		const late = get(only, disk);
		assert.is(await late.exit(), 1);
		const { code, message } = await late.event('error');
		assert.is(code, 'ERR_NO_SPACE');
		assert.match(String(message), /df -i/);
		await promisify(execFile)('mount', ['-o', 'remount,nr_inodes=1000', disk]);
		assert.ok(((await completes(get(only, disk))).kept as number) > 0);
		await isAlone(disk, only);
	},
);

test.run();
