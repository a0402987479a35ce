import { join } from 'node:path';
import type { ClusterContext, ClusterScenario } from './scenario.ts';
import { MIB, makeFile, RunningDownload, startNode, startTracker, timeUntil } from './swarm.ts';

const LENGTH = 16 * MIB;
const MOST_FIRST = 2_000;

/** Every client is on another server. */
export const far: ClusterScenario = {
	name: 'far',
	about: 'the tracker, a seeder and a downloader are each on another server',
	async run(t) {
		const tracker = await startTracker(t, 0);
		for (const lane of ['broker', 'direct'] as const) {
			await transfer(t, lane);
		}
		await tracker.close();
	},
};

async function transfer(t: ClusterContext, lane: 'broker' | 'direct'): Promise<void> {
	const file = await makeFile(t, `${lane}.bin`, LENGTH);
	const seeder = await startNode(t, 1, { lane });
	const { seed } = await seeder.share(file.path);
	const node = await startNode(t, 2, { lane });
	const start = performance.now();
	const download = new RunningDownload(node, seed.id, join(t.folder, `${lane}.copy`));
	const first = await timeUntil('the first byte', () => node.received.total > 0);
	t.figure(`first byte, ${lane} lane`, first, 'ms', MOST_FIRST);
	await download.completes(file);
	t.figure(`${LENGTH / MIB} MiB, ${lane} lane`, performance.now() - start, 'ms');
	await node.close();
	await seeder.close();
}
