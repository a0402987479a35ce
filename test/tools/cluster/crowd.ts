import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ShoalNode } from '../../../node/index.ts';
import { SERVERS } from '../../helpers/clusters/cluster.ts';
import { until } from '../../helpers/harness/until.ts';
import type { ClusterContext, ClusterScenario } from './scenario.ts';
import { listedBy, startNode, startTracker, timeUntil } from './swarm.ts';

const NODES = 200;
const MOST_WHOLE = 5_000;
const DEADLINE = 60_000;

/** Many nodes, and a tracker that comes before them and after them. */
export const crowd: ClusterScenario = {
	name: 'crowd',
	about: `${NODES} nodes join within a second; later a new tracker learns of all of them`,
	async run(t) {
		const first = await startTracker(t, 0);
		await Promise.all(
			Array.from({ length: NODES }, (_, index) => writeFile(pathOf(t, index), `the file ${index}`)),
		);
		const start = performance.now();
		const nodes = await Promise.all(
			Array.from({ length: NODES }, async (_, index) => {
				await new Promise((resolve) => setTimeout(resolve, (index * 1_000) / NODES));
				const node = await startNode(t, index % SERVERS, { listen: false });
				await node.share(pathOf(t, index));
				return node;
			}),
		);
		t.figure('all have shared', performance.now() - start, 'ms');
		await until('the list is whole', () => first.stats().announces === NODES, DEADLINE);
		t.figure('list whole after the first join', performance.now() - start, 'ms');
		await first.close();
		const begin = performance.now();
		const second = await startTracker(t, 1);
		t.figure('start of a tracker', performance.now() - begin, 'ms');
		let listed = 0;
		const isWhole = async (): Promise<boolean> => {
			listed = await listedBy(nodes[0] as ShoalNode);
			return listed >= NODES;
		};
		await until('the list is whole', isWhole, DEADLINE);
		t.figure(
			'list whole after the start of a tracker',
			performance.now() - begin,
			'ms',
			MOST_WHOLE,
		);
		t.figure('double listings', listed - NODES, '', 0);
		await leave(nodes);
		const empty = await timeUntil(
			'the list is empty',
			() => second.stats().announces === 0,
			DEADLINE,
		);
		t.figure('list empty after all have left', empty, 'ms');
	},
};

function pathOf({ folder }: ClusterContext, index: number): string {
	return join(folder, `file-${index}`);
}

async function leave(nodes: readonly ShoalNode[]): Promise<void> {
	await Promise.all(nodes.map((node) => node.close()));
}
