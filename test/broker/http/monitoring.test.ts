import { randomBytes } from 'node:crypto';
import * as assert from 'uvu/assert';
import { type BrokerOptions, makeTokens, startWebFront } from '../../../broker/index.ts';
import { makeFolder } from '../../helpers/fixtures/folder.ts';
import { seedId } from '../../helpers/fixtures/registry.ts';
import { startBroker } from '../../helpers/harness/broker.ts';
import { jumpingClock } from '../../helpers/harness/clock.ts';
import { Member } from '../../helpers/harness/member.ts';
import { makeFile, startNode } from '../../helpers/harness/node.ts';
import { metric } from '../../helpers/harness/prometheus.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('monitoring of a broker');
const ASKED = 20;
const content = randomBytes(3_000_000);

async function start(t: Scope, options: BrokerOptions = {}) {
	const broker = await startBroker(t, options);
	const front = await startWebFront(broker, { port: 0 });
	t.defer(() => front.close());
	const ask = (path: string, authorization?: string, method = 'GET') =>
		fetch(`${front.url}${path}`, {
			method,
			headers: authorization === undefined ? {} : { authorization },
		});
	const scrape = async (): Promise<string> => await (await ask('/metrics')).text();
	return { broker, ask, scrape };
}

test('the metrics count transferred bytes and messages by plane and direction', async (t) => {
	const { broker, ask, scrape } = await start(t);
	const seeder = await startNode(t, broker.url, { lane: 'broker' });
	const { seed } = await seeder.share(await makeFile(t, content));
	const node = await startNode(t, broker.url, { lane: 'broker' });
	const before = await scrape();
	assert.is(metric(before, 'shoal_clients'), 2);
	assert.is(metric(before, 'shoal_connections', { state: 'open' }), 3);
	assert.is(metric(before, 'shoal_connections', { state: 'silent' }), 0);
	assert.is(metric(before, 'shoal_seeds'), 1);
	assert.is(metric(before, 'shoal_nodes'), 2);
	assert.is(metric(before, 'shoal_announces'), 1);
	assert.is(metric(before, 'shoal_tracker_ready'), 1);
	assert.is(metric(before, 'shoal_bytes_total', { plane: 'chunk', direction: 'in' }), 0);
	await node.get(seed.id, { output: await makeFolder(t) });
	const response = await ask('/metrics');
	assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
	const after = await response.text();
	const bytes = (plane: string, direction: string): number =>
		metric(after, 'shoal_bytes_total', { plane, direction });
	const messages = (plane: string, direction: string): number =>
		metric(after, 'shoal_messages_total', { plane, direction });
	// The text of the seed, and the content. Each message has a header of about 200 bytes.
	const sent = seeder.sent.total;
	assert.ok(sent >= content.length);
	for (const direction of ['in', 'out']) {
		const overhead = bytes('chunk', direction) - sent;
		assert.ok(overhead > 0 && overhead < 400 * messages('chunk', direction), String(overhead));
		assert.ok(messages('control', direction) > 5);
		assert.ok(bytes('control', direction) > 50 * messages('control', direction));
		assert.ok(bytes('control', direction) < 200_000);
	}
	assert.is(messages('chunk', 'in'), messages('chunk', 'out'));
	assert.ok(metric(after, 'shoal_tracker_requests_total', { op: 'query' }) >= 1);
	assert.is(metric(after, 'shoal_refused_total', { reason: 'spoof' }), 0);
	assert.ok(metric(after, 'process_resident_memory_bytes') > 1e7);
	assert.ok(metric(after, 'nodejs_eventloop_lag_p99_seconds') > 0);
});

test('the metrics count each request and each answer once', async (t) => {
	const { broker, scrape } = await start(t);
	const seeder = await startNode(t, broker.url, { lane: 'broker' });
	const flow = async (direction: string): Promise<number> =>
		metric(await scrape(), 'shoal_messages_total', { plane: 'control', direction });
	const [out, received] = [await flow('out'), await flow('in')];
	for (let slot = 0; slot < ASKED; slot += 1) {
		await seeder.who('0'.repeat(64));
	}
	await until('the answers are counted', async () => (await flow('out')) >= out + ASKED);
	// The node may send other messages meanwhile.
	for (const more of [(await flow('out')) - out, (await flow('in')) - received]) {
		assert.ok(more >= ASKED && more < 1.5 * ASKED, `${more} messages`);
	}
});

test('an announce that is not renewed is counted as expired', async (t) => {
	const clock = jumpingClock(t);
	const { broker, scrape } = await start(t);
	const member = await Member.join(t, broker.url);
	await member.share(seedId(1));
	await until('it is listed', async () => (await member.listed()).length === 1);
	clock.advance(broker.limits.ttl);
	await until('it has expired', async () => (await member.listed()).length === 0);
	const metrics = await scrape();
	assert.is(metric(metrics, 'shoal_expired_announces_total'), 1);
	assert.is(metric(metrics, 'shoal_announces'), 0);
});

test('T18: the metrics of a broker with tokens need a token, its health does not', async (t) => {
	const tokens = makeTokens();
	const { ask } = await start(t, { tokens });
	const basic = (password: string) => `Basic ${Buffer.from(`any:${password}`).toString('base64')}`;
	const status = async (authorization?: string) => (await ask('/metrics', authorization)).status;
	assert.is(await status(), 401);
	assert.is(await status('Bearer wrong'), 401);
	assert.is(await status(basic('wrong')), 401);
	assert.is(await status(`Bearer ${tokens.node}`), 200);
	assert.is(await status(`Bearer ${tokens.watch}`), 200);
	assert.is(await status(basic(tokens.watch)), 200);
	assert.match((await ask('/metrics')).headers.get('www-authenticate') ?? '', /^Basic /);
	assert.is((await ask('/healthz')).status, 200);
	assert.is((await ask('/readyz')).status, 200);
});

test('a broker is ready while it listens and its tracker is ready; else /readyz says what is missing', async (t) => {
	const { broker, ask } = await start(t);
	const ready = await ask('/readyz');
	assert.is(ready.status, 200);
	assert.equal(await ready.json(), { status: 'ready', missing: [] });
	await broker.close();
	const closed = await ask('/readyz');
	assert.is(closed.status, 503);
	assert.equal(await closed.json(), {
		status: 'not ready',
		missing: ['the broker does not listen', 'the tracker is not ready'],
	});
	assert.is((await ask('/healthz')).status, 200);
});

test('the server answers only GET and HEAD, and only on its own paths', async (t) => {
	const { ask } = await start(t);
	assert.is((await ask('/metrics', undefined, 'POST')).status, 405);
	const head = await ask('/healthz', undefined, 'HEAD');
	assert.equal([head.status, await head.text()], [200, '']);
	for (const path of ['/', '/metrics/', '/toString', '/constructor']) {
		assert.is((await ask(path)).status, 404);
	}
});

test.run();
