import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { makeFolder } from '../helpers/fixtures/folder.ts';
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

test('T32: join and later commands print neither the token nor the password of the joined broker', async (t) => {
	const folder = await makeFolder(t);
	const env = { ...CACHELESS, XDG_CONFIG_HOME: folder };
	const token = 'PLANTEDtoken0123456789';
	const broker = `mqtt://user:${SECRET}@127.0.0.1:1`;
	const link = `shoal:join?${new URLSearchParams({ broker, token })}`;
	const damaged = link.replace('token=', 'token=!');
	for (const args of [['join', link], ['join', damaged], ['ls'], ['get', link], ['watch']]) {
		const outcome = await runShoal(t, args, { env });
		assert.not.match(outcome.text + outcome.stderr, SECRET, args[0]);
		assert.not.match(outcome.text + outcome.stderr, token, args[0]);
	}
});

test.run();
