import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '../../helpers/harness/until.ts';
import type { ClusterScenario } from './scenario.ts';
import { startNode, startTracker, timeUntil } from './swarm.ts';

const MOST_UPDATE = 5_000;

/** The publisher, a follower and the fleet's list are each on another server. */
export const channels: ClusterScenario = {
	name: 'channels',
	about: 'a folder is published on one server, followed on the second, and observed on the third',
	async run(t) {
		const folder = join(t.folder, 'published');
		await mkdir(folder);
		await writeFile(join(folder, 'app.txt'), 'version 1');
		await startTracker(t, 0);
		const options = { channel: 'apps', data: join(t.folder, 'keys') };
		const publisher = await startNode(t, 0);
		const { link } = await publisher.publish(folder, options);
		const follower = await startNode(t, 1, { name: 'follower' });
		const applied: number[] = [];
		const following = await follower.follow(link, join(t.folder, 'followed'));
		t.defer(() => following.stop());
		following.on('applied', ({ seq }) => applied.push(seq));
		const late = await timeUntil('the follower has version 1', () => applied.includes(1));
		t.figure('a late follower has the version', late, 'ms', MOST_UPDATE);
		const observer = await startNode(t, 2);
		const fleet = await observer.fleet(link);
		t.defer(() => fleet.close());
		const receipt = await timeUntil('the receipt is there', () => fleet.members.length === 1);
		t.figure('a late observer has the receipt', receipt, 'ms', MOST_UPDATE);
		await writeFile(join(folder, 'app.txt'), 'version 2');
		const start = performance.now();
		await publisher.publish(folder, options);
		await until('the follower has version 2', () => applied.includes(2));
		t.figure('a new version is applied', performance.now() - start, 'ms', MOST_UPDATE);
	},
};
