import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CleanUps } from '../../helpers/harness/clean-ups.ts';
import { randomFile } from '../../helpers/harness/shoal.ts';
import { median } from '../bench/report.ts';
import { whatIsMissing } from './lan.ts';
import { type LabRun, type LabSwarm, runLab } from './runs.ts';

// npm run lab: runs swarms of the shipped command on a LAN of network namespaces, whose links have
// a limited speed. Needs root and iproute2. See docs/benchmarks.md.

const SWARMS: Readonly<Record<string, LabSwarm>> = {
	'1': { downloaders: 1 },
	'4': { downloaders: 4 },
	'16': { downloaders: 16 },
	'8-isolated': { downloaders: 8, isolated: [1, 2, 3, 4, 5, 6, 7, 8, 9] },
	'8-half': { downloaders: 8, isolated: [2, 4, 6, 8] },
	cut: { downloaders: 1, cuts: 10 },
	// F24: the node must reach the broker again within 25.5 s: 1.5 times the keepalive of 15 s, and
	// 3 s.
	moved: { downloaders: 1, isMoving: true },
};
const MIB = 1_048_576;

const { values } = parseArgs({
	options: {
		only: { type: 'string', multiple: true, default: [] },
		rounds: { type: 'string', default: '3' },
		mib: { type: 'string', default: '64' },
		mbit: { type: 'string', default: '50' },
		trace: { type: 'string' },
	},
});
const rounds = Number(values.rounds);
const length = Number(values.mib) * MIB;
const rate = Number(values.mbit) * 1e6;
const chosen = Object.entries(SWARMS).filter(
	([name]) => values.only.length === 0 || values.only.includes(name),
);
if (!(rounds >= 1 && length >= MIB && rate >= 1e6) || chosen.length === 0) {
	console.error(
		'npm run lab -- [--only NAME]... [--rounds N] [--mib N] [--mbit N] [--trace FOLDER]\n' +
			`names: ${Object.keys(SWARMS).join(', ')}`,
	);
	process.exit(2);
}
const missing = whatIsMissing();
if (missing !== undefined) {
	console.error(missing);
	process.exit(1);
}

const folder = await mkdtemp(join(tmpdir(), 'shoal-lab-'));
const cleanUps = new CleanUps(() => rm(folder, { recursive: true, force: true }));

async function once(name: string, swarm: LabSwarm, file: { path: string; digest: string }) {
	const traces = values.trace === undefined ? undefined : join(values.trace, name);
	if (traces !== undefined) {
		await mkdir(traces, { recursive: true });
	}
	const copies = join(folder, 'copies');
	const options = { file: { ...file, length }, rate, folder: copies, traces };
	try {
		return await cleanUps.scoped((t) => runLab(t, swarm, options));
	} finally {
		await rm(copies, { recursive: true, force: true });
	}
}

const FIGURES: ReadonlyArray<readonly [name: string, of: (run: LabRun) => number]> = [
	['s', ({ seconds }) => seconds],
	['copies from the seeder', ({ seederCopies }) => seederCopies],
	["copies out of the broker's host", ({ brokerCopies }) => brokerCopies],
	['direct', ({ direct }) => direct],
	['longest stall, s', ({ stall }) => stall],
];

try {
	const path = join(folder, 'payload.bin');
	const file = { path, digest: await randomFile(path, length) };
	console.log(`${values.mib} MiB, links of ${values.mbit} Mbit/s, median of ${rounds} (each)`);
	for (const [name, swarm] of chosen) {
		const runs: LabRun[] = [];
		for (let round = 0; round < rounds; round += 1) {
			runs.push(await once(name, swarm, file));
		}
		const figures = FIGURES.map(([what, of]) => {
			const each = runs.map((run) => of(run));
			return `${what} ${median(each).toFixed(2)} (${each.map((value) => value.toFixed(2)).join(', ')})`;
		});
		console.log(`${name.padEnd(10)}  ${figures.join('; ')}`);
	}
} finally {
	await cleanUps.end();
}
