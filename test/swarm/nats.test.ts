import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { Tracker } from '../../broker/index.ts';
import { encodeJson, Link, makeNodeId, Topics } from '../../protocol/index.ts';
import { untilWhole } from '../helpers/clusters/cluster.ts';
import { startNats, whatNatsNeeds } from '../helpers/clusters/nats.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { contentOf } from '../helpers/fixtures/seeds.ts';
import { makeFile, startNode } from '../helpers/harness/node.ts';
import { suite } from '../helpers/harness/suite.ts';

const test = suite('a swarm on a cluster of NATS servers');
const topics = new Topics();

test('tracker, seeder and downloader on three servers, with the accounts of the document', async (t) => {
	const missing = whatNatsNeeds();
	if (missing !== undefined) {
		console.log(`${missing}; this test did nothing`);
		return;
	}
	const { urls, urlsOf } = await startNats(t);
	await untilWhole(urls);
	const tracker = await Tracker.start({ url: urlsOf('tracker') });
	t.defer(() => tracker.close());
	const evil = await Link.open({ url: urls[1] as string, id: makeNodeId() });
	t.defer(() => evil.close());
	const lost = { state: 'lost', tracker: tracker.id, session: 'session-01' };
	await evil.publish(topics.trackerState(), encodeJson(lost)).catch(() => {});
	const content = contentOf(1_000_000);
	for (const lane of ['broker', 'direct'] as const) {
		const seeder = await startNode(t, urls[1] as string, { lane });
		const { seed } = await seeder.share(await makeFile(t, content));
		const node = await startNode(t, urls[2] as string, { lane });
		const output = join(await makeFolder(t), 'copy');
		const { sources } = await node.get(seed.id, { output });
		assert.ok((await readFile(output)).equals(content));
		assert.ok(sources.every((source) => source.lane === lane));
		await seeder.close();
		await node.close();
	}
	assert.ok(tracker.isReady);
});

test.run();
