import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatBytes } from '../../../node/cli/terminal/units.ts';
import { CACHELESS, sha256 } from '../../helpers/harness/shoal.ts';
import { type Getter, MIB, Rig, sourceOf } from './rig.ts';
import type { Scenario, TortureContext } from './scenario.ts';

const LARGE = 256 * MIB;
const KILLS = 20;
const MOST_LOST = 64 * MIB;
const SMALL = 3 * MIB;
const AROUND_THE_END = 100;
const NAME = 'copy.bin';
const KILL_AT_CALL = fileURLToPath(new URL('./kill-at-call.js', import.meta.url));

/** F10 and F11: a downloader is killed at any moment. */
export const kills: Scenario = {
	name: 'kills',
	about: `a downloader is killed ${KILLS} times at random moments, and ${AROUND_THE_END} times around the moment when the file gets its name`,
	needs: () => ({ disk: 3 * LARGE, minutes: 4 }),
	async run(t) {
		await killAtRandom(t);
		await killAroundTheEnd(t);
	},
};

async function killAtRandom(t: TortureContext): Promise<void> {
	const rig = await Rig.start(t, { length: LARGE, seeders: 1, maxUp: '60MB' });
	const lost: number[] = [];
	let copy = 0;
	let before = 0;
	for (let kill = 0; kill < KILLS; kill += 1) {
		const getter = await begin(rig, copy, before, lost);
		await new Promise((resolve) => setTimeout(resolve, t.random() * 1_500));
		getter.process.signal('SIGKILL');
		await getter.process.exit();
		getter.checkTrace(t);
		before = getter.have;
		if (getter.process.code === 0) {
			t.check(`copy ${copy} has the right bytes`, (await sha256(getter.path)) === rig.digest);
			[copy, before] = [copy + 1, 0];
		}
	}
	const last = await begin(rig, copy, before, lost);
	await last.completes(t, rig.digest);
	const most = Math.max(...lost);
	t.check(
		`F10: at most ${formatBytes(MOST_LOST)} of the reported bytes are lost by a kill`,
		most <= MOST_LOST,
		formatBytes(most),
	);
	const [share] = rig.shares;
	share?.signal('SIGTERM');
	const sent = Number((await share?.event('stopped'))?.sent);
	const again = (sent - (copy + 1) * LARGE) / KILLS;
	t.check(
		`F10: at most ${formatBytes(MOST_LOST)} are fetched again after a kill, on average of all kills`,
		again <= MOST_LOST,
		formatBytes(again),
	);
	await Promise.all([...rig.shares, rig.broker].map((process) => process?.end()));
}

/** Starts or resumes a download, and counts the bytes that were there before and are lost. */
async function begin(rig: Rig, copy: number, before: number, lost: number[]): Promise<Getter> {
	const getter = rig.get(`copy-${copy}.bin`);
	await getter.reaches(1);
	lost.push(Math.max(0, before - (getter.kept ?? getter.have)));
	return getter;
}

/** In every second round, an older version is at the final path and is replaced. */
async function killAroundTheEnd(t: TortureContext): Promise<void> {
	const rig = await Rig.start(t, { length: SMALL, seeders: 1, maxUp: '1GB' });
	const older = await readFile(sourceOf(t));
	older.fill(7, 0, MIB);
	let [killed, wrong] = [0, 0];
	for (let round = 0; round < AROUND_THE_END; round += 1) {
		const folder = join(t.folder, `small-${round}`);
		await mkdir(folder);
		if (round % 2 === 1) {
			await writeFile(join(folder, NAME), older);
		}
		const { isKilled, problem } = await killAtCall(rig, folder, 5 + (round >> 1), older);
		killed += isKilled ? 1 : 0;
		wrong += problem === undefined ? 0 : 1;
		if (problem !== undefined) {
			t.say(`round ${round}: ${problem}`);
		}
		await rm(folder, { recursive: true });
	}
	t.note('killed before its end', `${killed} of ${AROUND_THE_END}`);
	t.check('F11: the file is as before or complete, and the next download is right', wrong === 0);
}

/** Kills a download at one of its calls to the file system, and runs it again. */
async function killAtCall(
	rig: Rig,
	folder: string,
	call: number,
	older: Buffer,
): Promise<{ isKilled: boolean; problem: string | undefined }> {
	const env = {
		...CACHELESS,
		NODE_OPTIONS: `--import ${KILL_AT_CALL}`,
		KILL_BELOW: folder,
		KILL_AT_CALL: String(call),
	};
	const name = join(basename(folder), NAME);
	const first = rig.get(name, { env });
	const ended = await first.process.exit();
	const isKilled = ended === 'SIGKILL';
	const found = await readFile(first.path).catch(() => undefined);
	const isOld = found === undefined || older.equals(found);
	if (!isOld && (await sha256(first.path)) !== rig.digest) {
		return { isKilled, problem: `after call ${call} the file is neither the old nor the new one` };
	}
	const next = rig.get(name);
	const code = await next.process.exit();
	const left = (await readdir(folder)).join(' ');
	const isWhole = code === 0 && left === NAME && (await sha256(next.path)) === rig.digest;
	const problem = `after call ${call} the next download ends with ${code}, and the folder has ${left}`;
	return { isKilled, problem: isWhole ? undefined : problem };
}
