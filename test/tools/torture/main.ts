import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { formatBytes, formatTime } from '../../../node/cli/terminal/units.ts';
import { CleanUps } from '../../helpers/harness/clean-ups.ts';
import { seededRandom } from '../../helpers/harness/random.ts';
import { broker } from './broker.ts';
import { churn } from './churn.ts';
import { limit } from './crowd.ts';
import { folderKills } from './folder-kills.ts';
import { follow } from './follow.ts';
import { freeze } from './freeze.ts';
import { full } from './full.ts';
import { huge } from './huge.ts';
import { kills } from './kills.ts';
import { lossy } from './lossy.ts';
import { memory } from './memory.ts';
import type { Scenario } from './scenario.ts';
import { tracker } from './tracker.ts';
import { versions } from './versions.ts';

// npm run torture: tests that take too much time or space for npm test. They end with a summary;
// the exit code is 0 only if every fact holds.

const SCENARIOS: readonly Scenario[] = [
	huge,
	kills,
	folderKills,
	follow,
	broker,
	tracker,
	freeze,
	limit,
	churn,
	full,
	lossy,
	memory,
	versions,
];
const GIB = 2 ** 30;

const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: {
		seed: { type: 'string', default: process.env.TORTURE_SEED ?? String(Date.now() % 1_000_000) },
		gib: { type: 'string', default: process.env.TORTURE_GIB ?? '' },
		minutes: { type: 'string', default: '' },
		other: { type: 'string' },
		list: { type: 'boolean', default: false },
	},
});
const size = values.gib === '' ? undefined : Number(values.gib) * GIB;
const minutes = values.minutes === '' ? undefined : Number(values.minutes);
const chosen = SCENARIOS.filter(
	({ name }) => positionals.length === 0 || positionals.includes(name),
);
if (chosen.length === 0 || [size, minutes, Number(values.seed)].some(Number.isNaN)) {
	console.error(
		'npm run torture -- [NAME...] [--seed NUMBER] [--gib NUMBER] [--minutes NUMBER] [--other FOLDER] [--list]',
	);
	process.exit(2);
}

interface Outcome {
	readonly name: string;
	readonly ms: number;
	readonly failures: readonly string[];
}

const cleanUps = new CleanUps();

async function run(scenario: Scenario): Promise<Outcome> {
	const startedAt = performance.now();
	const failures: string[] = [];
	const stop = new AbortController();
	const folder = await mkdtemp(join(tmpdir(), 'shoal-torture-'));
	cleanUps.add(() => rm(folder, { recursive: true, force: true }));
	const say = (text: string): void => {
		console.log(`${formatTime(performance.now() - startedAt).padStart(10)}  ${text}`);
	};
	try {
		await scenario.run({
			folder,
			size,
			minutes,
			otherBuild: values.other,
			random: seededRandom(Number(values.seed)),
			signal: stop.signal,
			defer: (cleanUp) => cleanUps.add(cleanUp),
			deferToEnd: (cleanUp) => cleanUps.addToEnd(cleanUp),
			say,
			note: (name, value) => say(`${name}: ${value}`),
			check: (fact, holds, seen) => {
				say(`${holds ? 'ok  ' : 'FAIL'} ${fact}${seen === undefined ? '' : ` (${seen})`}`);
				if (!holds) {
					failures.push(fact);
				}
			},
		});
	} catch (error) {
		failures.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
	}
	await cleanUps.run();
	return { name: scenario.name, ms: performance.now() - startedAt, failures };
}

console.log(`seed ${values.seed}; the same again: npm run torture -- --seed ${values.seed}`);
const { bavail, bsize } = await statfs(tmpdir());
const outcomes: Outcome[] = [];
for (const scenario of chosen) {
	const { disk, minutes: takes, other, missing } = scenario.needs(size, values.other);
	console.log(`\n${scenario.name}: ${scenario.about}`);
	console.log(
		`  needs ${formatBytes(disk)} in ${tmpdir()}, which has ${formatBytes(bavail * bsize)}; about ${takes} min`,
	);
	console.log(`  ${other ?? ''}`);
	if (missing !== undefined) {
		console.log(`  skipped: ${missing}`);
	} else if (!values.list) {
		outcomes.push(await run(scenario));
	}
}
console.log('');
for (const { name, ms, failures } of outcomes) {
	console.log(`${failures.length === 0 ? 'ok  ' : 'FAIL'} ${name}  ${formatTime(ms)}`);
	for (const failure of failures) {
		console.log(`     ${failure}`);
	}
}
process.exitCode = outcomes.some(({ failures }) => failures.length > 0) ? 1 : 0;
