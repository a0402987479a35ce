import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdir, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import * as assert from 'uvu/assert';
import { openInPlace } from '../../../../node/channel/place/in-place.ts';
import { openReleases } from '../../../../node/channel/place/releases.ts';
import { marksAt, People, pathsIn, readLog } from '../../../helpers/adversaries/people.ts';
import { makeFolder } from '../../../helpers/fixtures/folder.ts';
import { leavesOf, linesIn, linesOf } from '../../../helpers/fixtures/trees.ts';
import { versionTree } from '../../../helpers/fixtures/version-trees.ts';
import { CHANNEL } from '../../../helpers/harness/following.ts';
import { seededRandom } from '../../../helpers/harness/random.ts';
import { type Scope, suite } from '../../../helpers/harness/suite.ts';

const KILLS = Number(process.env.SHOAL_KILLS ?? 16);
/** Folders that are followed at the same time. */
const AT_ONCE = 2;
/** Most ms from the start of a switch, or of a process, to the kill. */
const MOST_WAIT = 10;
/** Most ms that a process with releases lives, which is killed at any time. */
const MOST_LIFE = 450;
const FOLLOWER = fileURLToPath(
	new URL('../../../helpers/harness/follower-process.js', import.meta.url),
);
const test = suite('followers that are killed', { timeout: 60_000 + KILLS * 3_000 });

/** The script of followers as one file, with which they start in a quarter of the time. */
async function bundledFollower(t: Scope): Promise<string> {
	const outfile = join(await makeFolder(t), 'follower.mjs');
	// The parts that are not used here, such as MQTT.js, require modules of Node.js.
	const js = "import { createRequire } from 'node:module'; const require = createRequire('/');";
	await build({
		...{ entryPoints: [FOLLOWER], outfile, banner: { js } },
		...{ bundle: true, platform: 'node', format: 'esm' },
	});
	return outfile;
}

/** A process that follows. */
interface Follower {
	/** The path of its script. */
	readonly script: string;
	/** The folder that has the followed folder. */
	readonly root: string;
	/** A number for the random changes of people, and for the time of the kill. */
	readonly number: number;
	/** The number of releases. @default 0, to follow in place */
	readonly keep?: number;
}

/** Kills a process: some at any time, most of them while they apply a version. */
async function killOnce(t: Scope, { script, root, number, keep = 0 }: Follower): Promise<void> {
	const child = spawn(process.execPath, [script, root, String(number), String(keep)], {
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	t.defer(() => child.kill('SIGKILL'));
	const random = seededRandom(number);
	const closed = once(child, 'close');
	const isOver = (): boolean => child.exitCode !== null;
	const opened = once(child.stdout, 'data');
	const reached = keep > 0 || random() < 0.2 ? opened : switching(root, isOver);
	await Promise.race([reached, closed]);
	const most = keep > 0 ? MOST_LIFE : MOST_WAIT;
	await Promise.race([sleep(random() * most), closed]);
	assert.is(child.exitCode, null, 'the process ended by itself');
	child.kill('SIGKILL');
	await closed;
}

/** Resolves when a switch has begun. */
async function switching(root: string, isOver: () => boolean): Promise<void> {
	while (!(existsSync(join(root, 'dir/.shoal/switch')) || isOver())) {
		await sleep(1);
	}
}

/** Checks that the folder is one version, beside what people have changed. */
function isOneVersion(root: string, seq: number): void {
	const dir = join(root, 'dir');
	const tree = seq === 0 ? {} : versionTree(seq);
	const leaves = new Map(leavesOf(tree).map((leaf) => [leaf.path, leaf]));
	const paths = new Set(pathsIn(dir));
	for (const path of paths) {
		const isFolder = lstatSync(join(dir, path)).isDirectory();
		if (!isFolder && marksAt(join(dir, path)).size === 0) {
			const leaf = leaves.get(path);
			assert.ok(leaf, `${path} is not in version ${seq}`);
			assert.equal(leafAt(join(dir, path)), `${leaf.kind} ${Buffer.from(leaf.bytes)}`, path);
		}
	}
	const { marks, removedSince } = readLog(root);
	const removed = [...removedSince(seq)];
	for (const path of leaves.keys()) {
		const wasRemoved = removed.some((each) => path === each || path.startsWith(`${each}/`));
		assert.ok(paths.has(path) || wasRemoved, `${path} of version ${seq} is missing`);
	}
	const left = marksAt(dir);
	const lost = [...marks].filter((mark) => !left.has(mark));
	assert.equal(lost, [], 'lost changes of people');
	for (const name of readdirSync(join(root, 'outside'))) {
		assert.equal(readdirSync(join(root, 'outside', name)), [], 'written through a link');
	}
}

/** The kind of a file or link, and its bytes or its target. */
function leafAt(path: string): string {
	const stats = lstatSync(path);
	if (stats.isSymbolicLink()) {
		return `l ${readlinkSync(path)}`;
	}
	return `${(stats.mode & 0o100) !== 0 ? 'x' : 'f'} ${readFileSync(path, 'utf8')}`;
}

/** @returns the number of kills in the middle of a switch */
async function killOften(t: Scope, script: string, kills: number, number: number): Promise<number> {
	const root = await makeFolder(t);
	const random = seededRandom(number);
	const people = new People(root, random);
	let applied = 0;
	let pending = 0;
	for (let kill = 0; kill < kills; kill += 1) {
		await killOnce(t, { script, root, number: number * 1_000 + kill });
		pending += existsSync(join(root, 'dir/.shoal/switch')) ? 1 : 0;
		if (random() < 0.5) {
			people.change();
		}
		const place = await openInPlace(join(root, 'dir'), { channel: CHANNEL });
		const seq = place.applied?.seq ?? 0;
		await place.close();
		assert.ok(seq >= applied, `version ${seq} after version ${applied}`);
		applied = seq;
		isOneVersion(root, seq);
	}
	return pending;
}

test('after each kill the folder is one version, and no change of people is lost', async (t) => {
	const each = Math.ceil(KILLS / AT_ONCE);
	const first = Number(process.env.SHOAL_SEED ?? Math.floor(Math.random() * 1e6));
	const script = await bundledFollower(t);
	const runs = Array.from({ length: AT_ONCE }, (_, at) => killOften(t, script, each, first + at));
	const pending = await Promise.all(runs).catch((error: Error) => {
		error.message += ` (SHOAL_SEED=${first})`;
		throw error;
	});
	const switches = pending.reduce((sum, count) => sum + count, 0);
	console.log(`${switches} of ${KILLS} kills in the middle of a switch`);
	assert.ok(switches > KILLS / 20, `${switches} switches`);
});

/** Checks that `current` leads to one whole version. @returns its number; 0 if there is none */
async function wholeRelease(dir: string): Promise<number> {
	for (;;) {
		const name = await readlink(join(dir, 'current')).catch(() => undefined);
		const seq = Number(name?.split('/')[1] ?? 0);
		const lines = seq === 0 ? [] : await linesIn(join(dir, name as string)).catch(() => []);
		const after = await readlink(join(dir, 'current')).catch(() => undefined);
		// The release may have been removed while it was read, if it was not the current one any more.
		if (after === name) {
			assert.equal(lines, seq === 0 ? [] : linesOf(versionTree(seq)), `version ${seq}`);
			return seq;
		}
	}
}

test('with releases, current is whole at any moment, and only releases are left', async (t) => {
	const root = await makeFolder(t);
	const dir = join(root, 'dir');
	await mkdir(dir);
	let applied = 0;
	let looks = 0;
	// On a busy machine, no process may have lived until it had applied a version.
	for (let kill = 0; kill < Math.ceil(KILLS / 4) || (applied === 0 && kill < KILLS); kill += 1) {
		let isOver = false;
		const number = Math.floor(Math.random() * 1e6);
		const killing = killOnce(t, { script: FOLLOWER, root, number, keep: 2 }).finally(() => {
			isOver = true;
		});
		while (!isOver) {
			await wholeRelease(dir);
			looks += 1;
			await sleep(1);
		}
		await killing;
		const seq = await wholeRelease(dir);
		assert.ok(seq >= applied, `version ${seq} after version ${applied}`);
		const place = await openReleases(dir, { channel: CHANNEL, keep: 2 });
		assert.is(place.applied?.seq ?? 0, seq);
		await place.close();
		applied = seq;
	}
	assert.ok(applied > 0 && looks > 100, `version ${applied}, ${looks} looks`);
	const names = await readdir(join(dir, 'releases'));
	assert.ok(names.length <= 4, names.join());
});

test.run();
