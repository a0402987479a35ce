import { spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { type Outcome, runShoal } from '../helpers/harness/plain-shoal.ts';
import { CACHELESS, MAIN, Shoal, source } from '../helpers/harness/shoal.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';

const test = suite('folders that cannot be made');

/** Runs `shoal` in a working folder that was removed. */
async function runNowhere(t: Scope, ...args: string[]): Promise<Omit<Outcome, 'stdout'>> {
	const cwd = join(await makeFolder(t), 'gone');
	mkdirSync(cwd);
	const script = 'rmdir "$PWD" && exec "$@"';
	const child = spawn('sh', ['-c', script, 'sh', process.execPath, MAIN, ...args], {
		cwd,
		env: CACHELESS,
	});
	t.defer(() => child.kill('SIGKILL'));
	let [text, stderr] = ['', ''];
	child.stdout.on('data', (data) => {
		text += data;
	});
	child.stderr.on('data', (data) => {
		stderr += data;
	});
	const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
	return { code, stderr, text };
}

test('in a working folder that was removed, commands say so and end', async (t) => {
	const { url } = await startBroker(t);
	const { path } = await source(t, 100_000);
	const share = new Shoal(t, ['share', path, '--broker', url]);
	const { id } = await share.event('sharing');
	const get = ['get', String(id), '--broker', url, '--no-linger'];
	for (const args of [get, [...get, '-o', 'out/'], ['seed', 'x'], ['broker', '--data', 'x']]) {
		const { code, stderr } = await runNowhere(t, ...args);
		assert.is(code, 1, args.join(' '));
		assert.match(stderr, /the working folder was removed; change to a folder.*\(ERR_NO_FILE\)\n$/);
	}
});

test('below a folder in which the system makes none, commands end', async (t) => {
	if (!existsSync('/proc/self')) {
		return;
	}
	const { url } = await startBroker(t);
	const { path } = await source(t, 100_000);
	const share = new Shoal(t, ['share', path, '--broker', url]);
	const { id } = await share.event('sharing');
	const get = ['get', String(id), '--broker', url, '--no-linger', '-o', '/proc/none/'];
	for (const args of [get, ['broker', '--port', '0', '--data', '/proc/none', '--tls']]) {
		const { code, stderr } = await runShoal(t, args);
		assert.is(code, 1, args.join(' '));
		assert.match(stderr, /"\/proc\/none\/?": there is no such file.*\(ERR_NO_FILE\)\n$/);
	}
	const env = { XDG_CACHE_HOME: '/proc/none', XDG_STATE_HOME: '/proc/none' };
	const { code } = await runShoal(t, ['seed', path], { env });
	assert.is(code, 0, 'without a cache, a seed is made');
});

test.run();
