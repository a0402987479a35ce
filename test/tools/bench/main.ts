import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CleanUps } from '../../helpers/harness/clean-ups.ts';
import { MICRO_COSTS } from './micro.ts';
import { makePayload, type Payload } from './payload.ts';
import { surroundings, toMarkdown, writePage } from './report.ts';
import { measure, type Swarm, type SwarmRun, swarms } from './swarms.ts';

// npm run bench: what shoal costs on this machine, against a plain copy of the same bytes. Rounds
// alternate, so that a machine that becomes slower does so for all. See docs/benchmarks.md.

const { values } = parseArgs({
	options: {
		rounds: { type: 'string' },
		only: { type: 'string', multiple: true, default: [] },
		quick: { type: 'boolean', default: false },
	},
});
const isQuick = values.quick;
const rounds = Number(values.rounds ?? (isQuick ? 1 : 5));
const isChosen = ({ name }: { name: string }): boolean =>
	values.only.length === 0 || values.only.includes(name);
const chosenSwarms = swarms(isQuick).filter(isChosen);
const chosenMicro = MICRO_COSTS.filter(isChosen);
if (!(rounds >= 1) || chosenSwarms.length + chosenMicro.length === 0) {
	const names = [...swarms(isQuick), ...MICRO_COSTS].map(({ name }) => name).join(', ');
	console.error(`npm run bench -- [--rounds N] [--quick] [--only NAME]...\nnames: ${names}`);
	process.exit(2);
}

const folder = await mkdtemp(join(tmpdir(), 'shoal-bench-'));
const cleanUps = new CleanUps(() => rm(folder, { recursive: true, force: true }));

/** The payload of each swarm; swarms that move the same share one. */
async function payloadsFor(chosen: readonly Swarm[]): Promise<Map<Swarm, Payload>> {
	const made = new Map<string, Payload>();
	const payloads = new Map<Swarm, Payload>();
	for (const swarm of chosen) {
		const { length, files } = swarm;
		const key = `${length} ${files}`;
		const payload = made.get(key) ?? (await makePayload(folder, length, files));
		made.set(key, payload);
		payloads.set(swarm, payload);
	}
	return payloads;
}

try {
	const payloads = await payloadsFor(chosenSwarms);
	const runs = new Map<Swarm, SwarmRun[]>(chosenSwarms.map((swarm) => [swarm, []]));
	const micro = chosenMicro.map((cost) => ({ cost, microseconds: [] as number[] }));
	for (let round = 0; round < rounds; round += 1) {
		for (const [swarm, done] of runs) {
			const payload = payloads.get(swarm) as Payload;
			const run = await cleanUps.scoped((t) => measure(t, swarm, payload, folder, round % 2 === 0));
			done.push(run);
			console.log(
				`round ${round + 1}  ${swarm.name}  ${(run.ms / 1_000).toFixed(2)} s, plain copy ${(run.plainMs / 1_000).toFixed(2)} s`,
			);
		}
		for (const { cost, microseconds } of micro) {
			microseconds.push(await cleanUps.scoped((t) => cost.measure(t, folder, isQuick)));
			console.log(`round ${round + 1}  ${cost.name}  ${microseconds.at(-1)?.toFixed(1)} µs`);
		}
	}
	const results = {
		...surroundings(),
		rounds,
		isQuick,
		swarms: [...runs].map(([swarm, done]) => ({ swarm, runs: done })),
		micro: micro.map(({ cost: { name, about }, microseconds }) => ({ name, about, microseconds })),
	};
	console.log(`\n${toMarkdown(results)}\n`);
	await mkdir('bench-results', { recursive: true });
	const path = join('bench-results', `${results.at.replaceAll(':', '-')}.json`);
	await writeFile(path, `${JSON.stringify(results, null, '\t')}\n`);
	console.log(`written: ${path}`);
	// A page that everybody reads is not changed by a try or by a part.
	if (!isQuick && values.only.length === 0) {
		writePage('docs/benchmarks.md', results);
		console.log('written: docs/benchmarks.md');
	}
} finally {
	await cleanUps.end();
}
