import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { CONTENT, fileSharedHere } from '../helpers/harness/shared-here.ts';
import { CACHELESS, MAIN, Shoal } from '../helpers/harness/shoal.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

// A process with a low limit of open files works, or says what is wrong. The figures differ when
// coverage is measured, as each module is then a separate file.

const test = suite('a low limit of open files');
const isTold = process.platform === 'linux' && process.env.NODE_V8_COVERAGE === undefined;

/** The prefix of a command that limits its open files to `most`. */
function within(most: number): string[] {
	return ['sh', '-c', `ulimit -n ${most}; exec "$@"`, 'sh'];
}

/** Runs `shoal` without `--json`, with `most` open files, until stderr matches `endAt`. */
async function run(t: Scope, most: number, args: readonly string[], endAt?: RegExp) {
	const [program = '', ...before] = within(most);
	const child = spawn(program, [...before, process.execPath, MAIN, ...args], { env: CACHELESS });
	t.defer(() => child.kill('SIGKILL'));
	let stderr = '';
	child.stderr.on('data', (data) => {
		stderr += data;
		if (endAt?.test(stderr)) {
			child.kill('SIGINT');
		}
	});
	child.stdout.resume();
	const [code] = await once(child, 'close');
	return { code, stderr };
}

/** Limits from the least with which Node.js loads a command to those with which it connects. */
const HARDLY_ENOUGH = [19, 20, 21];

test('a command that cannot begin with its limit prints one sentence, or one event', async (t) => {
	if (!isTold) {
		return;
	}
	const told: string[] = [];
	for (const most of HARDLY_ENOUGH) {
		for (const args of [
			['get', '0'.repeat(64)],
			['share', MAIN],
		]) {
			const { code, stderr } = await run(t, most, args);
			assert.ok(code === 1 || code === 4, `${code} with ${most}`);
			assert.match(stderr, /^shoal: .*\n$/, `with ${most}`);
			assert.not.match(stderr, /unexpected|^\s*at /m, `with ${most}`);
			told.push(stderr);
		}
		const shoal = new Shoal(t, ['get', '0'.repeat(64)], CACHELESS, within(most));
		assert.is.not(await shoal.exit(), 0);
		assert.equal([shoal.events.length, shoal.events[0]?.event], [1, 'error'], `with ${most}`);
	}
	const why = /this process has as many files .* ulimit -n 1024 \(ERR_IO\)/;
	assert.ok(
		told.some((each) => why.test(each)),
		told.join(''),
	);
});

test('with 48 files a get works, and a share of more files names those that cannot be shared', async (t) => {
	if (!isTold) {
		return;
	}
	const { folder, url, id } = await fileSharedHere(t);
	const path = join(folder, 'copy.bin');
	const args = ['get', id, '-o', path, '--broker', url, '--no-linger'];
	const got = await run(t, 48, args);
	assert.is(got.code, 0, got.stderr);
	assert.equal(new Uint8Array(readFileSync(path)), CONTENT);
	const many = await makeFolder(t);
	const files = Array.from({ length: 60 }, (_, at) => join(many, `file ${at}`));
	for (const file of files) {
		writeFileSync(file, file);
	}
	const { code, stderr } = await run(
		t,
		48,
		['share', ...files, '--broker', url],
		/more paths? cannot be shared/,
	);
	assert.is.not(code, 0);
	assert.match(stderr, /"[^"]*file \d+": this process has as many files.*ulimit -n/);
});

test('a broker that has reached the limit accepts connections again when others are closed', async (t) => {
	if (!isTold) {
		return;
	}
	const broker = new Shoal(t, ['broker', '--port', '0', '--no-http'], CACHELESS, within(48));
	const { url } = await broker.event('listening');
	const { hostname, port } = new URL(String(url));
	let over = 0;
	const crowd = Array.from({ length: 80 }, () => {
		const socket = connect(Number(port), hostname);
		socket.on('error', () => {});
		socket.once('close', () => {
			over += 1;
		});
		return socket;
	});
	await until('some are cut, as there is no room for all', () => over > 20);
	for (const socket of crowd) {
		socket.destroy();
	}
	await until('all are gone', () => over === crowd.length);
	const last = new Shoal(t, ['ls', '--broker', String(url)]);
	assert.is(await last.exit(), 0);
});

test.run();
