import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { formatTime } from '../../../node/cli/terminal/units.ts';
import { type Cluster, untilWhole } from '../../helpers/clusters/cluster.ts';
import { type ClusterKind, KINDS } from '../../helpers/clusters/kinds.ts';
import { CleanUps } from '../../helpers/harness/clean-ups.ts';
import { channels } from './channels.ts';
import { crowd } from './crowd.ts';
import { far } from './far.ts';
import { frozen } from './frozen.ts';
import { killed, killedDirect, twoKilled } from './outage.ts';
import { partition } from './partition.ts';
import { isGood, type KindReport, tableOf, text } from './report.ts';
import { restart } from './restart.ts';
import { rights } from './rights.ts';
import type { ClusterScenario, Figure } from './scenario.ts';
import { trackers } from './trackers.ts';

// npm run cluster: runs swarms on clusters of other brokers, whose servers are processes of this
// machine. It ends with a table; the exit code is 0 only if every figure is acceptable.

const SCENARIOS: readonly ClusterScenario[] = [
	far,
	rights,
	channels,
	crowd,
	restart,
	trackers,
	frozen,
	killed,
	killedDirect,
	twoKilled,
	partition,
];

const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: {
		only: { type: 'string', multiple: true, default: [] },
		json: { type: 'boolean', default: false },
		list: { type: 'boolean', default: false },
	},
});
const kinds = KINDS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
const scenarios = SCENARIOS.filter(
	({ name }) => values.only.length === 0 || values.only.includes(name),
);
const names = new Set<string>(KINDS.map(({ name }) => name));
if (positionals.some((name) => !names.has(name)) || scenarios.length === 0) {
	console.error('npm run cluster -- [KIND...] [--only SCENARIO]... [--json] [--list]');
	console.error(`kinds: ${[...names].join(', ')}`);
	console.error(`scenarios: ${SCENARIOS.map(({ name }) => name).join(', ')}`);
	process.exit(2);
}

const cleanUps = new CleanUps();

const startedAt = performance.now();

function say(line: string): void {
	if (!values.json) {
		console.log(`${formatTime(performance.now() - startedAt).padStart(10)}  ${line}`);
	}
}

/** Runs a scenario on a running cluster. @returns its figures, and why it could not continue */
async function run(scenario: ClusterScenario, kind: string, cluster: Cluster): Promise<Outcome> {
	const figures: Figure[] = [];
	const ends: Array<() => unknown> = [];
	const end = async (): Promise<void> => {
		for (let next = ends.pop(); next !== undefined; next = ends.pop()) {
			await next();
		}
	};
	cleanUps.add(end);
	const folder = await mkdtemp(join(tmpdir(), 'shoal-cluster-'));
	ends.push(() => rm(folder, { recursive: true, force: true }));
	try {
		await untilWhole(cluster.urls);
		await scenario.run({
			cluster,
			kind,
			folder,
			signal: new AbortController().signal,
			defer: (cleanUp) => ends.push(cleanUp),
			deferToEnd: (cleanUp) => ends.unshift(cleanUp),
			say,
			figure: (name, value, unit = '', most = undefined) => {
				const figure: Figure = { scenario: scenario.name, name, value, unit, most };
				figures.push(figure);
				say(`${isGood(figure) ? 'ok  ' : 'FAIL'} ${name}: ${text(value, figure)}`);
			},
		});
		return { figures, failures: [] };
	} catch (error) {
		const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
		say(`FAIL ${reason}`);
		return { figures, failures: [`${scenario.name}: ${reason}`] };
	} finally {
		await end();
	}
}

type Outcome = Omit<KindReport, 'kind'>;

/** Runs all scenarios on one kind of cluster. */
async function runOn({ name, start }: ClusterKind): Promise<KindReport> {
	return await cleanUps.scoped(async (t) => {
		say(`${name}: three servers start`);
		const cluster = await start(t);
		const outcomes: Outcome[] = [];
		for (const scenario of scenarios) {
			say(`${name}, ${scenario.name}: ${scenario.about}`);
			outcomes.push(await run(scenario, name, cluster));
		}
		return {
			kind: name,
			figures: outcomes.flatMap(({ figures }) => figures),
			failures: outcomes.flatMap(({ failures }) => failures),
		};
	});
}

const reports: KindReport[] = [];
for (const kind of kinds) {
	const missing = kind.missing();
	if (missing !== undefined) {
		console.error(missing);
	} else if (values.list) {
		console.log(kind.name);
	} else {
		reports.push(await runOn(kind));
	}
}
if (values.json) {
	console.log(JSON.stringify(reports));
} else if (!values.list) {
	console.log(`\n${tableOf(reports)}`);
}
const isAllGood = reports.every(
	({ figures, failures }) => figures.every(isGood) && failures.length === 0,
);
process.exitCode = isAllGood && (reports.length > 0 || values.list) ? 0 : 1;
