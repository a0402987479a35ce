import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { runShoal } from '../helpers/harness/plain-shoal.ts';
import { metric } from '../helpers/harness/prometheus.ts';
import { Shoal, spawnBroker } from '../helpers/harness/shoal.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('--metrics');
const content = randomBytes(2_000_000);

async function textOf(url: unknown): Promise<string> {
	return await (await fetch(String(url))).text();
}

async function start(t: Scope, ...more: string[]) {
	const { broker, url } = await spawnBroker(t, ...more);
	const folder = await makeFolder(t);
	const path = join(folder, 'file.bin');
	writeFileSync(path, content);
	const share = new Shoal(t, ['share', path, '--broker', url, '--metrics', '0']);
	const { id } = await share.event('sharing');
	const { url: metrics } = await share.event('metrics');
	return { broker, url, folder, share, id: String(id), metrics: String(metrics) };
}

test('the byte counts of seeder, downloader and broker agree', async (t) => {
	const { broker, url, folder, id, metrics } = await start(t, '--http', '0');
	const { http } = await broker.event('listening');
	const args = ['get', id, '-o', `${folder}/copy`, '--keep', '--lane', 'broker', '--metrics', '0'];
	const get = new Shoal(t, [...args, '--broker', url]);
	await get.event('complete');
	const sent = metric(await textOf(metrics), 'shoal_node_bytes_total', {
		lane: 'broker',
		direction: 'out',
	});
	const got = await textOf((await get.event('metrics')).url);
	const received = { lane: 'broker', direction: 'in' };
	const useless = metric(got, 'shoal_node_useless_bytes_total');
	assert.is(metric(got, 'shoal_node_bytes_total', received) - useless, content.length);
	assert.is(metric(got, 'shoal_node_downloads_total', { outcome: 'complete' }), 1);
	const relayed = await textOf(`${http}/metrics`);
	const flow = (direction: string) =>
		metric(relayed, 'shoal_bytes_total', { plane: 'chunk', direction });
	assert.is(flow('in'), flow('out'));
	assert.ok(sent >= content.length && flow('in') > sent && flow('in') < 1.5 * sent);
	assert.is(metric(relayed, 'shoal_clients'), 2);
});

test('a node is ready while it is connected to its broker and has a tracker', async (t) => {
	const { broker, metrics } = await start(t);
	const ready = metrics.replace(/metrics$/, 'readyz');
	assert.is((await fetch(ready)).status, 200);
	await broker.end();
	await until('it is not ready', async () => (await fetch(ready)).status === 503);
	const { missing } = (await (await fetch(ready)).json()) as { missing: string[] };
	assert.equal(missing, ['there is no connection to the broker', 'no tracker is ready']);
	assert.is((await fetch(metrics.replace(/metrics$/, 'healthz'))).status, 200);
});

test('T19: a request with an unknown Host is refused', async (t) => {
	const { metrics } = await start(t);
	const status = await new Promise((resolve, reject) => {
		const asked = request(metrics, { headers: { host: 'evil.example' } }, (response) => {
			response.resume();
			resolve(response.statusCode);
		});
		asked.once('error', reject);
		asked.end();
	});
	assert.is(status, 403);
});

test('an invalid port and a port in use are errors of one sentence', async (t) => {
	const { url } = await startBroker(t);
	const taken = `127.0.0.1:${new URL(url).port}`;
	for (const [place, code, text] of [
		['here', 2, /^shoal: --metrics must be HOST:PORT or PORT, not "here" \(ERR_USAGE\)\n$/],
		[taken, 1, /--metrics.*\(ERR_PORT\)\n$/],
	] as const) {
		const args = ['get', '0'.repeat(64), '--broker', url, '--metrics', place];
		const ended = await runShoal(t, args);
		assert.is(ended.code, code);
		assert.match(ended.stderr, text);
	}
});

test.run();
