import { join } from 'node:path';
import { connect } from 'mqtt';
import * as assert from 'uvu/assert';
import { ShoalNode } from '../../node/index.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { randomFile } from '../helpers/harness/shoal.ts';
import { suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('a transfer as seen by an MQTT client');
const MIB = 1024 * 1024;
const FILTERS = [
	'shoal/1/tracker/state',
	'shoal/1/node/+/state',
	'shoal/1/announce/+/+',
	'shoal/1/event/+',
];

test('an ordinary MQTT client can follow a transfer in JSON, without chunks', async (t) => {
	const { url } = await startBroker(t);
	const folder = await makeFolder(t);
	await randomFile(join(folder, 'model.bin'), 5 * MIB);
	const watcher = connect(url, { clientId: 'ordinary-client' });
	t.defer(() => watcher.endAsync());
	const story: Array<{ topic: string; message: Record<string, unknown> | undefined }> = [];
	watcher.on('message', (topic, payload) => {
		const message = payload.length === 0 ? undefined : JSON.parse(payload.toString());
		story.push({ topic: topic.replace('shoal/1/', ''), message });
	});
	await watcher.subscribeAsync(FILTERS, { qos: 1 });
	const seeder = await ShoalNode.start({ broker: url, id: 'the-seeder' });
	t.defer(() => seeder.close());
	const { seed } = await seeder.share(join(folder, 'model.bin'));
	const downloader = await ShoalNode.start({ broker: url, id: 'the-downloader' });
	await downloader.get(seed.id, { output: join(folder, 'copy.bin') });
	await downloader.close();
	await seeder.close();
	const event = (name: string, node: string) => {
		return story.findIndex(
			({ topic, message }) => topic === `event/${name}` && message?.node === node,
		);
	};
	await until('the last event', () => event('node-left', 'the-seeder') >= 0);
	assert.is(story[0]?.topic, 'tracker/state');
	assert.is(story[0]?.message?.state, 'ready');
	const chapters = [
		event('node-joined', 'the-seeder'),
		event('seed-added', 'the-seeder'),
		event('node-joined', 'the-downloader'),
		event('download-started', 'the-downloader'),
		event('download-complete', 'the-downloader'),
		event('node-left', 'the-downloader'),
		event('node-left', 'the-seeder'),
	];
	assert.ok(
		chapters.every((index) => index >= 0),
		chapters.join(' '),
	);
	assert.equal(
		chapters,
		[...chapters].sort((a, b) => a - b),
	);
	const announces = story.filter(({ topic }) => topic === `announce/${seed.id}/the-downloader`);
	const counts = announces.map(({ message }) => (message?.have as { count: number })?.count);
	assert.is(counts[0], 0);
	assert.ok(counts.includes(20));
	assert.is(announces.at(-1)?.message, undefined, 'withdrawn at the end');
	assert.ok(story.every(({ topic }) => /^(tracker|node|announce|event)\//.test(topic)));
});

test('the broker retains nothing of nodes that have left', async (t) => {
	const broker = await startBroker(t);
	const folder = await makeFolder(t);
	await randomFile(join(folder, 'model.bin'), 100);
	const node = await ShoalNode.start({ broker: broker.url });
	await node.share(join(folder, 'model.bin'));
	await until('state and announce are kept', () => broker.stats().retained >= 3);
	await node.close();
	await until('only the tracker is kept', () => broker.stats().retained === 1);
	assert.is(broker.stats().clients, 0);
});

test.run();
