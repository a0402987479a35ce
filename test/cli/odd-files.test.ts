import { execFileSync } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { runShoal } from '../helpers/harness/plain-shoal.ts';
import { MAIN, Shoal } from '../helpers/harness/shoal.ts';
import { suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('odd files');

test('five paths that cannot be shared are named and the rest counted, the others are shared, and the exit code is 1', async (t) => {
	const { url } = await startBroker(t);
	const folder = await makeFolder(t);
	const path = (name: string): string => join(folder, name);
	for (const name of ['one', 'two', 'con', 'a:b', 'dot.']) {
		writeFileSync(path(name), name);
	}
	execFileSync('mkfifo', [path('pipe')]);
	symlinkSync('nowhere', path('link'));
	const bad = ['con', 'a:b', 'dot.', 'gone', 'pipe', 'link', 'missing'];
	const paths = ['one', ...bad, 'two'].map(path);
	const share = new Shoal(t, ['share', ...paths, '--broker', url]);
	await until('both are shared', () => share.all('sharing').length === 2);
	const errors = share.all('error');
	assert.equal(
		errors.map(({ code }) => code),
		['ERR_NAME', 'ERR_NAME', 'ERR_NAME', 'ERR_NO_FILE', 'ERR_IO', 'ERR_NO_FILE'],
	);
	assert.match(String(errors[0]?.message), /"con" .*Windows reserves it.*--name/);
	assert.match(String(errors.at(-1)?.message), '2 more paths cannot be shared');
	// All paths are checked before the first file is read.
	assert.equal(share.events.slice(0, 6), errors);
	share.signal('SIGTERM');
	assert.is(await share.exit(), 1);
});

test('if no path can be shared, share fails without a broker', async (t) => {
	const folder = await makeFolder(t);
	const { code, stderr } = await runShoal(t, ['share', '', join(folder, 'missing')], {
		env: { SHOAL_BROKER: 'mqtt://127.0.0.1:9' },
	});
	assert.is(code, 1);
	assert.match(
		stderr,
		/the path is empty; .* \(ERR_NO_FILE\)\n.*no such file or folder.*\(ERR_NO_FILE\)\n$/,
	);
});

test('a name that Windows cannot store is shared with a warning', async (t) => {
	const { url } = await startBroker(t);
	const folder = await makeFolder(t);
	writeFileSync(join(folder, 'why?.txt'), 'why');
	const share = new Shoal(t, ['share', join(folder, 'why?.txt'), '--broker', url]);
	assert.is((await share.event('sharing')).name, 'why?.txt');
	await until('the warning is there', () =>
		/Windows cannot store .*why\?\.txt.*--name/.test(share.stderr),
	);
	const seed = await runShoal(t, ['seed', join(folder, 'why?.txt'), '-o', '-']);
	assert.match(seed.stderr, 'Windows cannot store');
});

test('a name that is no UTF-8 is an error with advice, and the file can be shared through a link', async (t) => {
	const { url } = await startBroker(t);
	const folder = await makeFolder(t);
	const script = `printf latin > "$1/$(printf 'caf\\351')" && ln -s "$(printf 'caf\\351')" "$1/link" && exec "$2" "$3" share "$1/$(printf 'caf\\351')" --json`;
	const share = (): string => {
		try {
			return execFileSync('sh', ['-c', script, 'sh', folder, process.execPath, MAIN]).toString();
		} catch (error) {
			return String((error as { stdout: Buffer }).stdout);
		}
	};
	const { code, message } = JSON.parse(share());
	assert.is(code, 'ERR_NO_FILE');
	assert.match(message, /no UTF-8.*ln -s/);
	const linked = new Shoal(t, ['share', join(folder, 'link'), '--broker', url]);
	assert.is((await linked.event('sharing')).length, 5);
});

test('a file whose content the system generates when it is read is neither shared nor verified', async (t) => {
	const folder = await makeFolder(t);
	const path = join(folder, 'empty');
	writeFileSync(path, '');
	assert.is((await runShoal(t, ['seed', path])).code, 0);
	for (const args of [
		['share', '/proc/version'],
		['seed', '/proc/version'],
		['verify', `${path}.seed`, '/proc/version'],
	]) {
		const { code, stderr } = await runShoal(t, args);
		assert.is(code, 1);
		assert.match(stderr, /makes up its content .*cat \/proc\/version > version\.copy/);
	}
});

test.run();
