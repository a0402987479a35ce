import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Place, SERVERS } from '../../helpers/clusters/cluster.ts';
import { Lan, whatIsMissing } from '../lab/lan.ts';
import type { ClusterContext, ClusterScenario, Unit } from './scenario.ts';

const PROGRAM = fileURLToPath(new URL('./partition-process.js', import.meta.url));
const BITS_PER_SECOND = 1e9;

/** A line that the program in the namespace prints: a figure. */
export interface FigureLine {
	readonly name: string;
	readonly value: number;
	readonly unit: Unit;
	readonly most?: number | undefined;
}

/** The task of the program in the namespace: its only argument, as JSON. */
export interface PartitionTask {
	readonly kind: string;
	readonly places: readonly Place[];
	readonly folder: string;
}

/**
 * The network between the servers is cut, with two trackers. The servers are hosts of a LAN of
 * network namespaces. All clients are on another host, which reaches every server all the time.
 */
export const partition: ClusterScenario = {
	name: 'partition',
	about: 'the first server is cut off from the others for ten seconds, with a tracker on each side',
	async run(t) {
		const missing = whatIsMissing();
		if (missing !== undefined) {
			t.say(`skipped: ${missing}`);
			return;
		}
		await t.cluster.stop();
		const lan = new Lan(t, SERVERS + 1, BITS_PER_SECOND);
		const places = Array.from({ length: SERVERS }, (_, host) => ({
			address: lan.address(host),
			within: lan.on(host),
		}));
		await runOn(t, lan.on(SERVERS), { kind: t.kind, places, folder: t.folder });
	},
};

/** Runs the program on a host, and records its figures. */
async function runOn(
	t: ClusterContext,
	host: readonly string[],
	task: PartitionTask,
): Promise<void> {
	const [command = '', ...args] = [...host, process.execPath, PROGRAM, JSON.stringify(task)];
	const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
	const ended = new Promise((resolve) => child.once('close', resolve));
	t.defer(async () => {
		child.kill('SIGTERM');
		await ended;
	});
	for await (const line of createInterface({ input: child.stdout })) {
		const { name, value, unit, most } = JSON.parse(line) as FigureLine;
		t.figure(name, value, unit, most);
	}
	if ((await ended) !== 0) {
		throw new Error('the program in the namespace failed');
	}
}
