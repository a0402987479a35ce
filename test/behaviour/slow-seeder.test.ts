import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { TraceEvent } from '../../node/stats/trace.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { contentOf } from '../helpers/fixtures/seeds.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { makeFile, startNode } from '../helpers/harness/node.ts';
import { suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('a slow seeder on the broker lane', { timeout: 60_000 });
const MIB = 1_048_576;

test('a peer with most of a file sends most of the bytes if the seeder is slow', async (t) => {
	const { url } = await startBroker(t);
	const path = await makeFile(t, contentOf(6 * MIB));
	const folder = await makeFolder(t);
	const lane = 'broker' as const;
	const quick = await startNode(t, url, { lane });
	const { seed } = await quick.share(path);
	const most = await startNode(t, url, { lane, maxDown: 5_000_000 });
	let have = 0;
	const options = {
		output: join(folder, 'most'),
		onProgress: (progress: { have: number }) => {
			have = progress.have;
		},
	};
	most.get(seed.id, options).catch(() => {});
	await until('most of it is there', () => have >= 3 * MIB);
	await quick.close();
	const slow = await startNode(t, url, { lane, maxUp: 200_000 });
	await slow.share(path);
	const useful = new Map<string, number>();
	const trace = (event: TraceEvent): void => {
		if (event.event === 'received') {
			useful.set(event.node, (useful.get(event.node) ?? 0) + event.useful);
		}
	};
	const node = await startNode(t, url, { lane, trace });
	node.get(seed.id, { output: join(folder, 'all') }).catch(() => {});
	await until('2 MiB have come from that peer', () => (useful.get(most.id) ?? 0) >= 2 * MIB);
	const fromSlow = useful.get(slow.id) ?? 0;
	assert.ok(fromSlow < 2 * MIB, `${fromSlow} bytes of the slow seeder so far`);
});

test.run();
