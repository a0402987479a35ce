import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { plant } from '../helpers/fixtures/trees.ts';
import { makeFile } from '../helpers/harness/node.ts';
import { startPlainBroker } from '../helpers/harness/plain-broker.ts';
import { runShoal } from '../helpers/harness/plain-shoal.ts';
import { CACHELESS, Shoal } from '../helpers/harness/shoal.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('secrets in output');
/** The secret that must not be printed: the password in the URLs below. */
const SECRET = 'PLANTED-s3cret';

/** A broker without access rules, its URL with the secret, and such a URL where nobody listens. */
async function start(t: Scope) {
	const broker = await startPlainBroker(t);
	const withSecret = (port: number): string => `mqtt://user:${SECRET}@127.0.0.1:${port}`;
	return { broker, url: withSecret(broker.port), nobody: withSecret(1) };
}

/** Runs commands, a few at a time. */
async function inTurn(
	commands: readonly string[][],
	run: (args: string[]) => Promise<void>,
): Promise<void> {
	for (let next = 0; next < commands.length; next += 4) {
		await Promise.all(commands.slice(next, next + 4).map(run));
	}
}

/** The whole output of a process: its events, and its standard error. */
function said({ events, stderr }: Shoal): string {
	return JSON.stringify(events) + stderr;
}

test('T32: no command prints the password in the URL of its broker, even when it loses the broker and reconnects', async (t) => {
	const { broker, url } = await start(t);
	const folder = await makeFolder(t);
	const path = await makeFile(t, 'content');
	const trace = join(folder, 'trace.jsonl');
	const tracker = new Shoal(t, ['tracker', '--broker', url, '--log-level', 'debug']);
	await tracker.event('ready');
	const share = new Shoal(t, [
		...['share', path, '--broker', url, '--trace', trace, '--log-level', 'debug'],
		...['--metrics', '127.0.0.1:0'],
	]);
	const { id, link } = await share.event('sharing');
	const watch = new Shoal(t, ['watch', '--broker', url]);
	const gateway = new Shoal(t, ['gateway', '--broker', url, '--port', '0']);
	await gateway.event('listening');
	await until('watch has seen the seed', () => watch.all('announce').length > 0);
	const once = [
		['ls', '--broker', url],
		['who', String(id), '--broker', url],
		['get', String(id), '-o', join(folder, 'copy'), '--broker', url, '--no-linger'],
	];
	for (const args of once) {
		const plain = await runShoal(t, args);
		assert.is(plain.code, 0, plain.stderr);
		assert.not.match(plain.text + plain.stderr, SECRET);
	}
	assert.not.match(String(link), SECRET);
	await broker.stop();
	const running = [tracker, share, watch, gateway];
	await until('all have noticed', () => {
		return [tracker, share, watch, gateway].every((each) => each.all('offline').length > 0);
	});
	await startPlainBroker(t, broker.port);
	await until('all are back', () => {
		return [share, watch, gateway].every((each) => each.all('online').length > 0);
	});
	for (const each of running) {
		each.signal('SIGTERM');
		await each.exit();
		assert.not.match(said(each), SECRET);
	}
	assert.not.match(await readFile(trace, 'utf8'), SECRET);
});

test('T32: no command prints the password if the broker cannot be reached or its URL is refused', async (t) => {
	const { nobody } = await start(t);
	const path = await makeFile(t, 'content');
	const id = 'a'.repeat(64);
	const commands = [['tracker'], ['watch'], ['ls'], ['who', id], ['get', id], ['share', path]];
	const urls = [
		nobody,
		`mqtt://user:${SECRET}@127.0.0.1:99999`,
		`mqtt://user:${SECRET}/x@host`,
		`http://user:${SECRET}@host`,
	];
	for (const [index, args] of commands.entries()) {
		const url = urls[index % urls.length] as string;
		const outcome = await runShoal(t, [...args, '--broker', url]);
		assert.is.not(outcome.code, 0);
		assert.not.match(outcome.text + outcome.stderr, SECRET);
	}
	for (const url of urls) {
		const outcome = await runShoal(t, ['ls', '--json'], { env: { SHOAL_BROKER: url } });
		assert.is.not(outcome.code, 0);
		assert.not.match(outcome.text + outcome.stderr, SECRET);
	}
});

test('T32: with a list of brokers, no command prints their passwords, whichever it can reach', async (t) => {
	const { broker, url, nobody } = await start(t);
	const folder = await makeFolder(t);
	const data = join(folder, 'data');
	const third = `ws://user:${SECRET}@127.0.0.1:1/mqtt?key=${SECRET}`;
	const list = ['--broker', `${nobody},${url}`, '--broker', third];
	const tracker = new Shoal(t, ['tracker', ...list]);
	await tracker.event('ready');
	const path = join(folder, 'photos');
	await plant(path, { 'a.txt': 'a', 'b/c.txt': 'c' });
	const publish = new Shoal(t, [
		...['publish', path, '--channel', 'lab', '--data', data, ...list],
		...['--trace', join(folder, 'trace.jsonl'), '--log-level', 'debug', '--metrics', '127.0.0.1:0'],
	]);
	const { link, id } = await publish.event('published');
	const follow = new Shoal(t, [
		...['follow', String(link), join(folder, 'followed'), '--data', data, ...list],
		...['--trace', join(folder, 'trace-2.jsonl'), '--log-level', 'debug'],
	]);
	await follow.event('applied');
	const seed = join(folder, 'photos.seed');
	const once = [
		['fleet', String(link)],
		['channel', 'show', String(link)],
		['channel', 'export', String(link), '-o', folder],
		['ls', String(id)],
		['who', String(id)],
		['get', String(id), '-o', join(folder, 'copy'), '--no-linger'],
		['get', String(id), '-o', '-', '--only', 'nothing', '--no-linger'],
	];
	await runShoal(t, ['seed', path, '-o', seed]);
	once.push(['verify', seed, path]);
	const asJson = (args: string[], place: number) => (place % 2 === 0 ? [...args, '--json'] : args);
	await inTurn(once.map(asJson), async (args) => {
		const { text, stderr } = await runShoal(t, [...args, ...list]);
		assert.not.match(text + stderr, SECRET, args.join(' '));
	});
	await broker.stop();
	for (const each of [publish, follow, tracker]) {
		await each.event('offline');
	}
	await inTurn([...once, ['share', path], ['publish', path, '--channel', 'b']], async (args) => {
		const { text, stderr } = await runShoal(t, [...args, ...list]);
		assert.not.match(text + stderr, SECRET, args.join(' '));
	});
	for (const each of [publish, follow, tracker]) {
		each.signal('SIGTERM');
		await each.exit();
		assert.not.match(said(each), SECRET);
	}
	for (const name of ['trace.jsonl', 'trace-2.jsonl']) {
		assert.not.match(await readFile(join(folder, name), 'utf8'), SECRET);
	}
});

test('T32: the URL of a broker in the wrong place is not printed with its password', async (t) => {
	const url = `mqtt://user:${SECRET}@127.0.0.1:1`;
	const commands = [
		[url],
		['help', url],
		['ls', `--brokr=${url}`],
		['ls', '--json', `--brokr=${url}`],
		['ls', url],
		['who', url],
		['get', url],
		['get', `shoal:${url}`],
		['share', url],
		['share', '.', '--trace', url],
		['publish', url, '--channel', 'lab'],
		['channel', url],
		['channel', 'show', url],
		['follow', url, '.'],
		['seed', url],
		['diff', url, url],
		['verify', url],
		['join', url],
		['acl', url],
		['demo', url],
		['limits', '--limit', url],
		['broker', '--host', url],
		['broker', '--advertise', url],
		['gateway', '--metrics', url],
		['ls', '--broker', url, '--cert', url],
		['ls', '--broker', `mqtt://user:1/${SECRET}@127.0.0.1`],
		['ls', '--broker', `mqtt://user:1#${SECRET}@127.0.0.1`],
		['ls', '--broker', `mqtt://user:${SECRET}@a,b`],
		['ls', '--broker', `${url},mqtts://user:${SECRET}@192.0.2.1,mqtt://192.0.2.2`],
	];
	const env = { SHOAL_DEBUG: '1' };
	await inTurn(commands, async (args) => {
		const { code, text, stderr } = await runShoal(t, args, { env });
		assert.is.not(code, 0, args.join(' '));
		assert.not.match(text + stderr, SECRET, args.join(' '));
	});
});

test('T32: join and later commands print neither the token nor the password of the joined broker', async (t) => {
	const env = { ...CACHELESS, XDG_CONFIG_HOME: await makeFolder(t) };
	const token = 'PLANTEDtoken0123456789';
	const broker = `mqtt://user:${SECRET}@127.0.0.1:1`;
	const link = `shoal:join?${new URLSearchParams({ broker, token })}`;
	const damaged = link.replace('token=', 'token=!');
	const isJoined = { ...env, SHOAL_JOIN: link };
	for (const [args, used, code] of [
		[['join', link], env, 4],
		[['join', damaged], env, 2],
		[['get', link], env, 2],
		[['ls'], isJoined, 4],
		[['watch'], isJoined, 4],
	] as const) {
		const outcome = await runShoal(t, args, { env: used });
		assert.is(outcome.code, code, args[0]);
		assert.not.match(outcome.text + outcome.stderr, SECRET, args[0]);
		assert.not.match(outcome.text + outcome.stderr, token, args[0]);
	}
});

test.run();
