import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { formatChannelLink, formatJoinLink, formatLink } from '../../protocol/index.ts';
import { type Relay, startRelay } from '../helpers/adversaries/relay.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { makeFile } from '../helpers/harness/node.ts';
import { startPlainBroker } from '../helpers/harness/plain-broker.ts';
import { runShoal } from '../helpers/harness/plain-shoal.ts';
import { CACHELESS, Shoal, sha256, source } from '../helpers/harness/shoal.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('a list of brokers on the command line');
/** Nothing listens on these ports. */
const NOWHERE = 'mqtt://127.0.0.1:1';
const NOWHERE_ELSE = 'mqtt://127.0.0.1:2';
const TOKENS = { node: 'n'.repeat(32), watch: 'w'.repeat(32) };

const urlOf = ({ port }: { readonly port: number }): string => `mqtt://127.0.0.1:${port}`;

/** Two relays to a broker: two servers of one cluster. */
async function cluster(t: Scope, port: number): Promise<{ relays: Relay[]; list: string }> {
	const relays = [await startRelay(t, port), await startRelay(t, port)];
	return { relays, list: relays.map(urlOf).join(',') };
}

/** An environment in which brokers can be joined. */
async function joining(t: Scope): Promise<NodeJS.ProcessEnv> {
	const { SHOAL_BROKER: _, SHOAL_JOIN: __, ...rest } = CACHELESS;
	return { ...rest, XDG_CONFIG_HOME: await makeFolder(t) };
}

test('a transfer, a tracker and a watcher go on at the second broker when the first is lost', async (t) => {
	const { port } = await startPlainBroker(t);
	const { relays, list } = await cluster(t, port);
	const [first = '', second] = relays.map(urlOf);
	const tracker = new Shoal(t, ['tracker', '--broker', `${NOWHERE},${list}`]);
	assert.is((await tracker.event('ready')).broker, first);
	const { folder, path, digest } = await source(t, 8_000_000);
	const lane = ['--lane', 'broker'];
	const share = new Shoal(t, [
		'share',
		path,
		'--broker',
		first,
		'--broker',
		String(second),
		...lane,
	]);
	const { id } = await share.event('sharing');
	const watch = new Shoal(t, ['watch'], { ...CACHELESS, SHOAL_BROKER: list });
	await watch.event('announce');
	const gateway = new Shoal(t, ['gateway', '--port', '0', '--broker', list]);
	assert.is((await gateway.event('listening')).broker, first);
	const copy = join(folder, 'copy');
	const get = new Shoal(t, [
		...['get', String(id), '-o', copy, '--broker', list, '--max-down', '4MB', '--no-linger'],
		...lane,
	]);
	await until('the download has begun', () =>
		get.all('progress').some(({ have }) => Number(have) > 0),
	);
	await relays[0]?.stop();
	assert.is(await get.exit(60_000), 0, get.stderr);
	assert.is(await sha256(copy), digest);
	for (const each of [share, watch, gateway, get]) {
		assert.equal(
			[(await each.event('offline')).broker, (await each.event('online')).broker],
			[first, second],
		);
	}
	assert.is((await tracker.event('offline')).broker, first);
	await until('the tracker is ready again', () => tracker.all('ready').length > 1);
	assert.is(tracker.all('ready').at(-1)?.broker, second);
});

test('links with several brokers lead to the first that can be reached, and --broker wins', async (t) => {
	const { url } = await startBroker(t);
	const share = new Shoal(t, ['share', await makeFile(t, 'content'), '--broker', url]);
	const { id } = await share.event('sharing');
	const folder = await makeFolder(t);
	const broker = [NOWHERE, url];
	const link = formatLink({ id: String(id), broker });
	const same = formatLink({ id: String(id), name: 'other', broker: url });
	const other = formatLink({ id: String(id), broker: NOWHERE_ELSE });
	const get = (...args: string[]): Promise<unknown> =>
		new Shoal(t, ['get', ...args, '-o', `${folder}/`, '--no-linger']).exit();
	assert.is(await get(link), 0);
	assert.is(await get(link, same), 0, 'links with a broker in common');
	assert.is(await get(link, other), 2, 'links without one');
	assert.is(await get(link, other, '--broker', url), 0);
	const who = new Shoal(t, ['who', link]);
	assert.is(await who.exit(), 0, who.stderr);
	const channel = formatChannelLink({ id: 'a'.repeat(64), broker });
	assert.is(await new Shoal(t, ['channel', 'show', channel]).exit(), 3, 'the broker answers');
});

test('a joined token is sent to the brokers of its link, and to no other broker of a list', async (t) => {
	const env = await joining(t);
	const closed = await startBroker(t, { tokens: TOKENS });
	const relay = await startRelay(t, closed.port);
	const broker = [NOWHERE, urlOf(relay), closed.url];
	const joined = new Shoal(t, ['join', formatJoinLink({ broker, token: TOKENS.node })], env);
	const about = await joined.event('joined');
	assert.equal([about.broker, about.brokers, about.role], [NOWHERE, broker, 'node']);
	assert.is(await new Shoal(t, ['ls'], env).exit(), 0);
	assert.is(await new Shoal(t, ['ls', '--broker', closed.url], env).exit(), 0);
	const { from, brokers } = await new Shoal(t, ['join'], env).event('broker');
	assert.equal([from, brokers], ['joined', broker]);

	const stranger = await startPlainBroker(t);
	const tapped = await startRelay(t, stranger.port);
	const list = `${urlOf(tapped)},${urlOf(relay)}`;
	const path = await makeFile(t, 'content');
	const share = new Shoal(t, ['share', path, '--broker', list], env);
	await share.event('sharing', 20_000);
	await tapped.stop();
	assert.is((await share.event('online')).broker, urlOf(relay), 'with the token');
	assert.ok(tapped.seen.length > 0);
	assert.not.match(Buffer.concat(tapped.seen).toString('latin1'), TOKENS.node);
});

test('a list that mixes TLS and plain, and fingerprints that do not match, are wrong usage', async (t) => {
	const [a, b, c] = ['mqtts://127.0.0.1:1', 'mqtts://127.0.0.1:2', 'mqtts://127.0.0.1:3'];
	const cert = 'ab'.repeat(32);
	for (const [args, message] of [
		[['--broker', `${a},mqtt://192.0.2.1`], 'is encrypted and mqtt://192.0.2.1 is not'],
		[['--broker', `${a},${b},${c}`, '--cert', `${cert},${cert}`], '2 fingerprints and 3 brokers'],
		[['--broker', `${a},nonsense`], 'is no URL of a broker'],
		[['--broker', NOWHERE, '--broker', NOWHERE_ELSE, '--cert', cert], 'one without TLS'],
	] as const) {
		for (const command of ['ls', 'watch', 'tracker']) {
			const { code, stderr } = await runShoal(t, [command, ...args]);
			assert.is(code, 2, `${command} ${stderr}`);
			assert.match(stderr, message);
		}
	}
	const both = ['--cert', cert, '--cert', cert];
	assert.is((await runShoal(t, ['ls', '--broker', `${a},${b}`, ...both])).code, 4);
	const all = await runShoal(t, ['ls', '--broker', `${NOWHERE},${NOWHERE_ELSE}`]);
	assert.is(all.code, 4);
	assert.match(all.stderr, 'none of the 2 brokers can be used');
});

test.run();
