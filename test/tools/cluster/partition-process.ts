import { execFileSync } from 'node:child_process';
import { type Cluster, type Place, untilWhole } from '../../helpers/clusters/cluster.ts';
import { KINDS } from '../../helpers/clusters/kinds.ts';
import { CleanUps } from '../../helpers/harness/clean-ups.ts';
import { until } from '../../helpers/harness/until.ts';
import type { FigureLine, PartitionTask } from './partition.ts';
import type { ClusterContext } from './scenario.ts';
import { makeFile, startNode } from './swarm.ts';
import { Asking, countReady, MOST_SILENCE, TrackerProcess } from './trackers.ts';

// The part of the scenario `partition` that runs on a host of the LAN. It prints a line for each
// figure. The argument is its task as JSON.

const CUT_FOR = 10_000;
const HEALED_FOR = 10_000;

const task = JSON.parse(process.argv[2] ?? '') as PartitionTask;
const cleanUps = new CleanUps();
await cleanUps.scoped(async (t) => {
	const kind = KINDS.find(({ name }) => name === task.kind);
	const cluster = (await kind?.start(t, task.places)) as Cluster;
	await untilWhole(cluster.urls);
	await split({
		...t,
		kind: task.kind,
		cluster,
		folder: task.folder,
		say: () => {},
		figure: (name, value, unit = '', most = undefined) => {
			console.log(JSON.stringify({ name, value, unit, most } satisfies FigureLine));
		},
	});
});

/** Cuts the first server off, heals the network, and asks on both sides all the time. */
async function split(t: ClusterContext): Promise<void> {
	const first = await TrackerProcess.start(t, 0);
	const second = await TrackerProcess.start(t, 1);
	const near = await startNode(t, 0);
	const { seed } = await near.share((await makeFile(t, 'file.bin', 1_000)).path);
	const far = await startNode(t, 1);
	const sides = [new Asking(t, near, seed.id), new Asking(t, far, seed.id)];
	await until('both are answered', () => sides.every(({ answers }) => answers > 0));
	change('add');
	const [nearCut = 0, farCut = 0] = await Promise.all(sides.map((side) => side.silence(CUT_FOR)));
	const most = MOST_SILENCE + t.cluster.split;
	t.figure('cut: no answer on the side of the tracker', nearCut, 'ms', most);
	t.figure('cut: no answer on the other side', farCut, 'ms', most);
	t.figure('cut: active trackers', countReady(first, second));
	change('delete');
	const healedAt = performance.now();
	const silences = Promise.all(sides.map((side) => side.silence(HEALED_FOR)));
	await until('one tracker is active', () => countReady(first, second) === 1);
	t.figure('healed: one active tracker', performance.now() - healedAt, 'ms');
	const [nearHealed = 0, farHealed = 0] = await silences;
	t.figure('healed: no answer on the side of the tracker', nearHealed, 'ms', most);
	t.figure('healed: no answer on the other side', farHealed, 'ms', most);
}

/** Adds or deletes the routes that drop all packets between the first server and the others. */
function change(what: 'add' | 'delete'): void {
	const [first, ...others] = task.places as [Place, ...Place[]];
	for (const other of others) {
		drop(what, first, other);
		drop(what, other, first);
	}
}

function drop(what: string, { within }: Place, to: Place): void {
	const namespace = within.at(-1) as string;
	execFileSync('ip', ['-n', namespace, 'route', what, 'blackhole', `${to.address}/32`]);
}
