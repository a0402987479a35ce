import { randomBytes } from 'node:crypto';
import * as assert from 'uvu/assert';
import { type LaneKind, makeSeed, NodeMetrics } from '../../node/index.ts';
import { Liar } from '../helpers/adversaries/liar.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { makeFile, startNode } from '../helpers/harness/node.ts';
import { metric } from '../helpers/harness/prometheus.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('metrics of a node');
const content = randomBytes(3_000_000);

async function startMeasured(t: Scope, url: string, lane: LaneKind) {
	const metrics = await NodeMetrics.open();
	const node = await startNode(t, url, { lane, trace: metrics.trace });
	metrics.watch(node);
	return { node, scrape: async () => await metrics.registry.metrics() };
}

for (const lane of ['broker', 'direct'] as const) {
	test(`the metrics count bytes, messages and requests of a transfer on the ${lane} lane`, async (t) => {
		const { url } = await startBroker(t);
		const seeder = await startMeasured(t, url, lane);
		const { seed } = await seeder.node.share(await makeFile(t, content));
		const getter = await startMeasured(t, url, lane);
		await getter.node.get(seed.id, { output: await makeFolder(t) });
		const [sent, got] = [await seeder.scrape(), await getter.scrape()];
		const other = lane === 'direct' ? 'broker' : 'direct';
		const bytes = (text: string, direction: string, on: string = lane): number =>
			metric(text, 'shoal_node_bytes_total', { lane: on, direction });
		assert.is(bytes(sent, 'out') + bytes(sent, 'out', other), seeder.node.sent.total);
		assert.ok(bytes(sent, 'out') >= content.length);
		const useless = metric(got, 'shoal_node_useless_bytes_total');
		assert.is(bytes(got, 'in') - useless, getter.node.received.total);
		assert.is(bytes(got, 'in') - useless, content.length);
		assert.is(bytes(got, 'in', other), 0);
		assert.is(bytes(got, 'out'), 0);
		const messages = metric(got, 'shoal_node_messages_total', { lane, direction: 'in' });
		assert.ok(messages > 0);
		const answers = metric(got, 'shoal_node_round_trip_seconds_count');
		const took = metric(got, 'shoal_node_round_trip_seconds_sum');
		assert.ok(answers > 0 && answers <= messages && took > 0 && took < 10 * answers);
		assert.is(metric(got, 'shoal_node_round_trip_seconds_bucket', { le: '+Inf' }), answers);
		const requests = metric(got, 'shoal_node_requests_total');
		assert.ok(requests > 0);
		for (const name of ['bad_chunks', 'dropped_nodes', 'refused_requests']) {
			assert.is(metric(got, `shoal_node_${name}_total`), 0, name);
		}
	});
}

test('T1: the metrics count bad chunks, and the node that is dropped because of them', async (t) => {
	const { url } = await startBroker(t);
	const seed = await makeSeed(await makeFile(t, content));
	const read = async (offset: number, length: number) => content.subarray(offset, offset + length);
	await Liar.start(t, url, seed, read, () => true);
	const honest = await startNode(t, url, { lane: 'broker' });
	await honest.share(await makeFile(t, content));
	const { node, scrape } = await startMeasured(t, url, 'broker');
	let warnings = 0;
	node.on('warning', () => {
		warnings += 1;
	});
	await until('both are listed', async () => (await node.who(seed.id)).nodes.length === 2);
	await node.get(seed, { output: await makeFolder(t) });
	const text = await scrape();
	assert.is(metric(text, 'shoal_node_bad_chunks_total'), warnings);
	assert.is(metric(text, 'shoal_node_dropped_nodes_total'), 1);
});

test('the metrics have the seeds, downloads and sources of a node, and whether broker and tracker are reachable', async (t) => {
	const broker = await startBroker(t);
	const seeder = await startMeasured(t, broker.url, 'broker');
	const { seed } = await seeder.node.share(await makeFile(t, content));
	const { node, scrape } = await startMeasured(t, broker.url, 'broker');
	node.limitRates(undefined, 500_000);
	const stop = new AbortController();
	const getting = node.get(seed.id, { output: await makeFolder(t), signal: stop.signal });
	const sources = async () => metric(await scrape(), 'shoal_node_sources', { lane: 'broker' });
	await until('it has a source', async () => (await sources()) === 1);
	const during = await scrape();
	assert.is(metric(during, 'shoal_node_downloads'), 1);
	assert.is(metric(during, 'shoal_node_seeds', { have: 'partial' }), 1);
	assert.is(metric(during, 'shoal_node_connected'), 1);
	assert.is(metric(during, 'shoal_node_tracker_ready'), 1);
	stop.abort();
	await getting.catch(() => {});
	node.limitRates(undefined, undefined);
	await node.get(seed.id, { output: await makeFolder(t) });
	await broker.close();
	await until('it has noticed', () => !node.stats().isConnected);
	const after = await scrape();
	assert.is(metric(after, 'shoal_node_downloads'), 0);
	assert.is(metric(after, 'shoal_node_downloads_total', { outcome: 'complete' }), 1);
	assert.is(metric(after, 'shoal_node_downloads_total', { outcome: 'failed' }), 1);
	assert.is(metric(after, 'shoal_node_seeds', { have: 'whole' }), 1);
	assert.is(metric(after, 'shoal_node_connected'), 0);
	assert.is(metric(after, 'shoal_node_tracker_ready'), 0);
});

test.run();
