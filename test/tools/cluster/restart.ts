import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ShoalNode } from '../../../node/index.ts';
import { SERVERS, untilWhole } from '../../helpers/clusters/cluster.ts';
import { until } from '../../helpers/harness/until.ts';
import type { ClusterScenario } from './scenario.ts';
import { listedBy, startNode, startTracker } from './swarm.ts';

const NODES = 30;
const MOST_WHOLE = 10_000;
const DEADLINE = 90_000;

/** Every server dies and returns. */
export const restart: ClusterScenario = {
	name: 'restart',
	about: `all servers are killed and started again, with ${NODES} nodes`,
	async run(t) {
		const { cluster, folder } = t;
		const tracker = await startTracker(t, 0);
		let isUp = true;
		tracker.on('down', () => {
			isUp = false;
		});
		tracker.on('ready', () => {
			isUp = true;
		});
		const nodes = await Promise.all(
			Array.from({ length: NODES }, async (_, index) => {
				const node = await startNode(t, index % SERVERS, { listen: false });
				const path = join(folder, `file-${index}`);
				await writeFile(path, `the file ${index}`);
				await node.share(path);
				return node;
			}),
		);
		await until('the list is whole', () => tracker.stats().announces === NODES, DEADLINE);
		const servers = Array.from({ length: SERVERS }, (_, index) => index);
		await Promise.all(servers.map((index) => cluster.kill(index)));
		await until('all have noticed', () => !isUp && nodes.every((node) => !isConnected(node)));
		const start = performance.now();
		await Promise.all(servers.map((index) => cluster.start(index)));
		t.figure('servers listen', performance.now() - start, 'ms');
		await untilWhole(cluster.urls);
		const works = performance.now();
		t.figure('servers work', works - start, 'ms');
		await until('all are connected', () => isUp && nodes.every(isConnected), DEADLINE);
		const observer = nodes[0] as ShoalNode;
		await until('the list is whole', async () => (await listedBy(observer)) === NODES, DEADLINE);
		t.figure('list whole after the servers work', performance.now() - works, 'ms', MOST_WHOLE);
	},
};

function isConnected(node: ShoalNode): boolean {
	return node.stats().isConnected;
}
