import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { d, l, linesIn, plant, type Tree, x } from '../../helpers/fixtures/trees.ts';
import { CACHELESS, Shoal, spawnBroker } from '../../helpers/harness/shoal.ts';
import { until } from '../../helpers/harness/until.ts';
import type { Scenario, TortureContext } from './scenario.ts';

const MIB = 1_048_576;
const KILLS = 100;
const CODES = ['ENOSPC', 'EIO', 'EMFILE'];
const FAULT_AT_CALL = fileURLToPath(new URL('./fault-at-call.js', import.meta.url));
/**
 * The most bytes that may be fetched again although they were reported: those that arrive just
 * before the kill.
 */
const MOST_LOST = 16 * MIB;

/**
 * F10, F11 and F12 for folders: whatever ends a download, the folder is the old one or the new one.
 */
export const folderKills: Scenario = {
	name: 'folder-kills',
	about: `a download of a folder is killed ${KILLS} times at random moments, then at each of its calls to the file system; each also fails once`,
	needs: () => ({ disk: 400 * MIB, minutes: 20 }),
	async run(t) {
		const rig = await startRig(t);
		await killAtRandom(t, rig);
		await faultAtCalls(t, rig, 'new', undefined);
		await faultAtCalls(t, rig, 'replacing', rig.older);
	},
};

interface Version {
	readonly id: string;
	readonly lines: string;
}

interface Rig {
	readonly env: NodeJS.ProcessEnv;
	readonly large: readonly [older: Version, newer: Version];
	readonly older: Version;
	readonly newer: Version;
	/** Downloads into a folder. */
	get(version: Version, place: string, env?: NodeJS.ProcessEnv): Shoal;
}

function largeTree(): Tree {
	const files = Array.from({ length: 400 }, (_, at) => {
		return [`${at % 20}/${at}`, randomBytes(at * 97)] as const;
	});
	return { ...Object.fromEntries(files), large: randomBytes(8 * MIB), 'x/link': l('../large') };
}

function smallTree(): Tree {
	return {
		'a/one': randomBytes(300_000),
		'a/two': randomBytes(10),
		empty: '',
		'links/one': l('../a/one'),
		run: x('#!/bin/sh\n'),
		'void/void': d,
	};
}

async function startRig(t: TortureContext): Promise<Rig> {
	const { url } = await spawnBroker(t);
	const share = async (name: string, tree: Tree, maxUp = '1GB'): Promise<Version> => {
		const source = await plant(join(t.folder, name, 'folder'), tree);
		const process = new Shoal(t, ['share', source, '--broker', url, '--max-up', maxUp]);
		const { id } = await process.event('sharing');
		return { id: String(id), lines: (await linesIn(source)).join('\n') };
	};
	const large = [
		await share('l1', largeTree(), '30MB'),
		await share('l2', largeTree(), '30MB'),
	] as const;
	const [older, newer] = [await share('s1', smallTree()), await share('s2', smallTree())];
	const env = { ...CACHELESS, XDG_STATE_HOME: join(t.folder, 'state') };
	const get = ({ id }: Version, place: string, more: NodeJS.ProcessEnv = {}): Shoal => {
		const args = ['get', id, '-o', place, '--no-linger', '--broker', url, '--lane', 'broker'];
		return new Shoal(t, args, { ...env, ...more });
	};
	return { env, large, older, newer, get };
}

/** Returns the entries of a copy; undefined if there is none. */
async function linesAt(place: string): Promise<string | undefined> {
	const path = join(place, 'folder');
	return existsSync(path) ? (await linesIn(path)).join('\n') : undefined;
}

function have(get: Shoal): number {
	return Number(get.all('progress').at(-1)?.have ?? 0);
}

/** Downloads a version. @returns the bytes that were kept, and the problem, if there is one */
async function endsWell(
	rig: Rig,
	version: Version,
	place: string,
): Promise<{ readonly kept: number; readonly problem: string | undefined }> {
	const get = rig.get(version, place);
	const code = await get.exit();
	const left = (await readdir(place)).join(' ');
	const isRight = code === 0 && left === 'folder' && (await linesAt(place)) === version.lines;
	const last = JSON.stringify(get.events.at(-1));
	return {
		kept: Number(get.all('complete')[0]?.kept ?? 0),
		problem: isRight ? undefined : `next: ${code}, ${last}; left: ${left}`,
	};
}

/** The results of killed downloads. */
interface Seen {
	readonly problems: string[];
	killed: number;
	/** How often the process was killed after the new folder had replaced the old one. */
	replaced: number;
	/** The most bytes that were reported and then fetched again. */
	lost: number;
}

/** Before a kill, another version can be there; after it, another version can be downloaded. */
async function killAtRandom(t: TortureContext, rig: Rig): Promise<void> {
	const seen: Seen = { problems: [], killed: 0, replaced: 0, lost: 0 };
	const place = join(t.folder, 'place');
	let before: Version | undefined;
	for (let kill = 0; kill < KILLS; kill += 1) {
		if (kill % 10 === 0) {
			await rm(place, { recursive: true, force: true });
			await mkdir(place);
			before = undefined;
		}
		const version = rig.large[kill % 2] as Version;
		await killOnce(t, rig, { seen, place, before, version, kill });
		before = t.random() < 0.5 ? version : (rig.large[(kill + 1) % 2] as Version);
		await endsWell(rig, before, place);
	}
	const { problems, killed, replaced, lost } = seen;
	t.note('killed in time', `${killed} of ${KILLS}, ${replaced} after the old folder was replaced`);
	for (const problem of problems) {
		t.say(problem);
	}
	t.check(
		'F11: the folder is the old one or the new one, and the next download succeeds',
		problems.length === 0,
	);
	t.check('F10: reported bytes are not lost', lost <= MOST_LOST, `${lost} bytes`);
	await rm(place, { recursive: true });
}

interface Kill {
	readonly seen: Seen;
	readonly place: string;
	readonly before: Version | undefined;
	readonly version: Version;
	readonly kill: number;
}

async function killOnce(
	t: TortureContext,
	rig: Rig,
	{ seen, place, before, version, kill }: Kill,
): Promise<void> {
	const get = rig.get(version, place);
	await until('it begins', () => get.events.length > 0 || get.code !== undefined);
	await sleep(t.random() * 1_000);
	get.signal('SIGKILL');
	seen.killed += (await get.exit()) === 'SIGKILL' ? 1 : 0;
	const found = await linesAt(place);
	if (![before?.lines, version.lines, undefined].includes(found)) {
		seen.problems.push(`kill ${kill}: the folder is neither old nor new`);
	}
	const isNew = found === version.lines;
	seen.replaced += before !== undefined && before !== version && isNew ? 1 : 0;
	const { kept, problem } = await endsWell(rig, version, place);
	if (problem !== undefined) {
		seen.problems.push(`kill ${kill}: ${problem}`);
	}
	seen.lost = Math.max(seen.lost, isNew ? 0 : have(get) - kept);
}

/**
 * Makes each call of a download fail or kills the process at it, and then downloads once more
 * without a fault.
 */
async function faultAtCalls(
	t: TortureContext,
	rig: Rig,
	name: string,
	before: Version | undefined,
): Promise<void> {
	const problems: string[] = [];
	const told = join(t.folder, 'told');
	let calls = 0;
	for (let isOver = false; !isOver && !t.signal.aborted; calls += 1) {
		for (const fault of ['KILL', CODES[calls % CODES.length] as string]) {
			const place = join(t.folder, `${name}-${calls}-${fault}`);
			await mkdir(place);
			if (before !== undefined) {
				await endsWell(rig, before, place);
			}
			const problem = await faultAtCall(rig, place, { calls, fault, told, before });
			isOver = !existsSync(told);
			if (problem !== undefined) {
				const call = isOver ? 'no call' : await readFile(told, 'utf8');
				problems.push(`${fault} at call ${calls} (${call}): ${problem}`);
			}
			await rm(told, { force: true });
			await rm(place, { recursive: true });
		}
	}
	for (const problem of problems) {
		t.say(problem);
	}
	t.note(`calls of a download (${name})`, `${calls}`);
	const fact =
		'whatever call fails or is killed, the folder is old or new, and the next download succeeds';
	t.check(`F11 F12: ${name}: ${fact}`, problems.length === 0, `${problems.length} of ${2 * calls}`);
}

async function faultAtCall(
	rig: Rig,
	place: string,
	{
		calls,
		fault,
		told,
		before,
	}: { calls: number; fault: string; told: string; before: Version | undefined },
): Promise<string | undefined> {
	const first = rig.get(rig.newer, place, {
		NODE_OPTIONS: `--import ${FAULT_AT_CALL}`,
		FAULT_AT_CALL: `${calls}`,
		FAULT_BELOW: place,
		FAULT: fault,
		FAULT_TOLD: told,
	});
	const code = await first.exit();
	const found = await linesAt(place);
	if (![undefined, before?.lines, rig.newer.lines].includes(found)) {
		return 'the folder is neither old nor new';
	}
	const isTold = code === 0 || fault === 'KILL' || first.all('error').length === 1;
	const { kept, problem } = await endsWell(rig, rig.newer, place);
	if (problem !== undefined) {
		return problem;
	}
	const lost = fault === 'KILL' || found === rig.newer.lines ? 0 : have(first) - kept;
	return lost > 0 || !isTold ? `${lost} bytes are fetched again; the code is ${code}` : undefined;
}
