import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ShoalNode } from '../../../node/index.ts';
import { SERVERS, untilWhole } from '../../helpers/clusters/cluster.ts';
import { until } from '../../helpers/harness/until.ts';
import type { ClusterContext, ClusterScenario } from './scenario.ts';
import { listedBy, startNode, startTracker } from './swarm.ts';

const NODES = 30;
const MOST_WHOLE = 10_000;
const DEADLINE = 90_000;
/** ms after which servers that are not up wait for each other. */
const STUCK = 30_000;
const ALL = Array.from({ length: SERVERS }, (_, index) => index);

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
		await Promise.all(ALL.map((index) => cluster.kill(index)));
		await until('all have noticed', () => !isUp && nodes.every((node) => !isConnected(node)));
		const start = performance.now();
		t.figure('restarts of the first server by hand', await startAll(t));
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

/**
 * Starts all servers. Servers of RabbitMQ 3.10 may wait for one that is up, while that one waits for
 * them; then the one that is up has to be restarted, as docs/brokers.md says.
 *
 * @returns how often that was necessary
 */
async function startAll({ cluster, say }: ClusterContext): Promise<number> {
	const isUp = ALL.map(() => false);
	const start = async (index: number): Promise<void> => {
		await cluster.start(index);
		isUp[index] = true;
	};
	const starting = Promise.all(ALL.map(start));
	const patience = sleep(STUCK, true, { ref: false });
	await Promise.race([starting, patience]);
	if (!isUp.includes(true) || !isUp.includes(false)) {
		await starting;
		return 0;
	}
	const first = isUp.indexOf(true);
	say(`only server ${first + 1} is up: it is restarted`);
	await cluster.kill(first);
	await starting;
	await cluster.start(first);
	return 1;
}

function isConnected(node: ShoalNode): boolean {
	return node.stats().isConnected;
}
