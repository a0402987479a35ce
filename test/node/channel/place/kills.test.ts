import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { openInPlace } from '../../../../node/channel/place/in-place.ts';
import { marksAt, People, pathsIn, readLog } from '../../../helpers/adversaries/people.ts';
import { makeFolder } from '../../../helpers/fixtures/folder.ts';
import { seededRandom } from '../../../helpers/fixtures/mutate.ts';
import { leavesOf } from '../../../helpers/fixtures/trees.ts';
import { versionTree } from '../../../helpers/fixtures/version-trees.ts';
import { CHANNEL } from '../../../helpers/harness/following.ts';
import { type Scope, suite } from '../../../helpers/harness/suite.ts';

const KILLS = Number(process.env.SHOAL_KILLS ?? 40);
/** Folders that are followed at the same time. */
const AT_ONCE = 2;
/** Most ms from the start of a switch, or of a process, to the kill. */
const MOST_WAIT = 10;
const CHILD = fileURLToPath(
	new URL('../../../helpers/harness/follower-process.js', import.meta.url),
);
const test = suite('followers that are killed', { timeout: 60_000 + KILLS * 3_000 });

/** Kills a process: some at any time, most of them while they apply a version. */
async function killOnce(t: Scope, root: string, number: number): Promise<void> {
	const child = spawn(process.execPath, [CHILD, root, String(number)], {
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	t.defer(() => child.kill('SIGKILL'));
	const random = seededRandom(number);
	const closed = once(child, 'close');
	const isOver = (): boolean => child.exitCode !== null;
	const reached = random() < 0.2 ? once(child.stdout, 'data') : switching(root, isOver);
	await Promise.race([reached, closed]);
	await Promise.race([sleep(random() * MOST_WAIT), closed]);
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
async function killOften(t: Scope, kills: number, number: number): Promise<number> {
	const root = await makeFolder(t);
	const random = seededRandom(number);
	const people = new People(root, random);
	let applied = 0;
	let pending = 0;
	for (let kill = 0; kill < kills; kill += 1) {
		await killOnce(t, root, number * 1_000 + kill);
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
	const runs = Array.from({ length: AT_ONCE }, (_, at) => killOften(t, each, first + at));
	const pending = await Promise.all(runs).catch((error: Error) => {
		error.message += ` (SHOAL_SEED=${first})`;
		throw error;
	});
	const switches = pending.reduce((sum, count) => sum + count, 0);
	console.log(`${switches} of ${KILLS} kills in the middle of a switch`);
	assert.ok(switches > KILLS / 20, `${switches} switches`);
});

test.run();
