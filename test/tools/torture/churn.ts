import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatBytes } from '../../../node/cli/terminal/units.ts';
import { Link, makeNodeId } from '../../../protocol/index.ts';
import { topics } from '../../helpers/adversaries/peer.ts';
import { openDescriptors, residentBytes } from '../../helpers/harness/proc.ts';
import { until } from '../../helpers/harness/until.ts';
import { type Getter, MIB, Rig } from './rig.ts';
import type { Scenario, TortureContext } from './scenario.ts';

const MINUTES = 60;
const EVERY = 2_000;
const MOST_NODES = 8;
const LENGTH = 4 * MIB;
const MINUTE = 60_000;
/** The most growth, in bytes per ten minutes. */
const MOST_SLOPE = 1_000_000;
/** ms for which an announce is valid if it is not withdrawn. */
const TTL = 90_000;

interface Sample {
	readonly at: number;
	readonly resident: number;
	readonly descriptors: number;
}

/** F28: nodes join and leave. */
export const churn: Scenario = {
	name: 'churn',
	about: `a node joins or leaves every 2 s, half of the leaving nodes are killed; for --minutes (${MINUTES})`,
	needs: () => ({ disk: 64 * LENGTH, minutes: MINUTES + 3 }),
	async run(t) {
		const rig = await Rig.start(t, { length: LENGTH, seeders: 1, maxUp: '10MB' });
		const watched = { broker: rig.broker?.pid ?? 0, seeder: rig.shares[0]?.pid ?? 0 };
		const samples = { broker: [] as Sample[], seeder: [] as Sample[] };
		const take = (): void => {
			for (const role of ['broker', 'seeder'] as const) {
				const [at, pid] = [performance.now(), watched[role]];
				samples[role].push({
					at,
					resident: residentBytes(pid),
					descriptors: openDescriptors(pid),
				});
			}
		};
		const timer = setInterval(take, EVERY);
		t.defer(() => clearInterval(timer));
		await churnFor(t, rig, (t.minutes ?? MINUTES) * MINUTE);
		clearInterval(timer);
		for (const [role, all] of Object.entries(samples)) {
			judge(t, role, all);
		}
		await compareRetained(t, rig);
	},
};

async function churnFor(t: TortureContext, rig: Rig, ms: number): Promise<void> {
	const nodes: Getter[] = [];
	const end = performance.now() + ms;
	let [joined, failed] = [0, 0];
	while (performance.now() < end) {
		const isJoin = nodes.length === 0 || (nodes.length < MOST_NODES && t.random() < 0.5);
		if (isJoin) {
			joined += 1;
			await mkdir(join(t.folder, `copy-${joined}`));
			nodes.push(rig.get(`copy-${joined}/`, { flags: ['--keep'] }));
		} else {
			const [leaving] = nodes.splice(Math.floor(t.random() * nodes.length), 1);
			if (leaving?.hasEnded) {
				failed += 1;
				t.say(`ended by itself: ${JSON.stringify(leaving.process.events.at(-1))}`);
			}
			await leave(leaving as Getter, t.random() < 0.5 ? 'SIGKILL' : 'SIGTERM');
		}
		await sleep(EVERY);
	}
	t.note('joined', String(joined));
	t.check('F28: no node ended by itself', failed === 0, String(failed));
	for (const node of nodes) {
		await leave(node, 'SIGTERM');
	}
}

async function leave({ process, path }: Getter, signal: NodeJS.Signals): Promise<void> {
	process.signal(signal);
	await process.exit();
	await rm(path, { recursive: true, force: true });
}

/**
 * Looks for growth without end after the first third of the time, when everything was done once. Of
 * each minute it takes the lowest value, because memory rises and falls with garbage collection.
 */
function judge(t: TortureContext, role: string, all: readonly Sample[]): void {
	const settled = all.slice(Math.floor(all.length / 3));
	const slope = slopeOf(leastOfMinutes(settled)) * 10 * MINUTE;
	const text = `${(slope / 1e6).toFixed(2)} MB`;
	t.check(`F28: the ${role} grows by less than 1 MB in 10 min`, slope < MOST_SLOPE, text);
	const counts = settled.map(({ descriptors }) => descriptors);
	const third = Math.ceil(counts.length / 3);
	const mean = (part: readonly number[]): number =>
		part.reduce((sum, each) => sum + each, 0) / part.length;
	const growth = mean(counts.slice(-third)) - mean(counts.slice(0, third));
	t.check(
		`F28: the descriptors of the ${role} stay flat`,
		growth < MOST_NODES / 2,
		growth.toFixed(1),
	);
	t.note(`${role} at the end`, formatBytes(all.at(-1)?.resident ?? 0));
}

function leastOfMinutes(samples: readonly Sample[]): Sample[] {
	const least = new Map<number, Sample>();
	for (const sample of samples) {
		const minute = Math.floor(sample.at / MINUTE);
		const before = least.get(minute);
		if (before === undefined || sample.resident < before.resident) {
			least.set(minute, sample);
		}
	}
	return [...least.values()];
}

/** Returns the slope in bytes per ms, by least squares. */
function slopeOf(samples: readonly Sample[]): number {
	const [n, first] = [samples.length, samples[0]?.at ?? 0];
	const at = samples.reduce((sum, each) => sum + each.at - first, 0) / n;
	const bytes = samples.reduce((sum, each) => sum + each.resident, 0) / n;
	let [above, below] = [0, 0];
	for (const each of samples) {
		above += (each.at - first - at) * (each.resident - bytes);
		below += (each.at - first - at) ** 2;
	}
	return below === 0 ? 0 : above / below;
}

/**
 * Checks that only messages of living nodes are retained, after the announces of killed nodes have
 * expired.
 */
async function compareRetained(t: TortureContext, rig: Rig): Promise<void> {
	await sleep(TTL * 1.1);
	const id = makeNodeId();
	const link = await Link.open({ url: rig.url, id, password: id, timeout: 5_000 });
	t.defer(() => link.close());
	const kept = new Set<string>();
	link.on('message', ({ topic }) => kept.add(topic));
	await link.subscribe(`${topics.root}/node/+/state`);
	await link.subscribe(`${topics.root}/announce/+/+`);
	await until('something is retained', () => kept.size > 0);
	await sleep(1_000);
	// The two messages are the state and the announce of the seeder.
	t.check('F28: only messages of living nodes are retained', kept.size === 2, [...kept].join(' '));
}
