import { spawn } from 'node:child_process';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { type Level, Log, parseLevel } from '../../node/cli/terminal/log.ts';
import { makeFile } from '../helpers/harness/node.ts';
import { runShoal } from '../helpers/harness/plain-shoal.ts';
import { CACHELESS, MAIN, Shoal, spawnBroker } from '../helpers/harness/shoal.ts';
import { suite } from '../helpers/harness/suite.ts';
import { throwsCode } from '../helpers/harness/throws-code.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('the log');
const EVIL = '\x1b]0;owned\x07\x9b31m\u202e\r\nforged: line';

async function openLog(level: Level, isText = false, now = () => 0) {
	const lines: string[] = [];
	const text = (of: Level, message: string) => void lines.push(`${of} ${message}`);
	const json = (line: string) => void lines.push(line);
	return { lines, log: await Log.open({ level, json, text: isText ? text : undefined, now }) };
}

/** The complete lines of JSON that a process has written to standard error. */
function linesOf({ stderr }: { stderr: string }): Array<Record<string, unknown>> {
	return stderr
		.split('\n')
		.slice(0, -1)
		.map((line) => JSON.parse(line));
}

test('the log has the messages of its level and of more severe ones', async () => {
	for (const [level, count] of [
		['error', 1],
		['warn', 2],
		['info', 3],
		['debug', 4],
	] as const) {
		for (const isText of [false, true]) {
			const { lines, log } = await openLog(level, isText);
			for (const each of ['debug', 'info', 'warn', 'error'] as const) {
				log.write(each, 'event', 'message');
			}
			assert.is(lines.length, count, `${level} ${isText}`);
		}
	}
});

test('T21: each message is one line without control or format characters', async () => {
	for (const isText of [false, true]) {
		const { lines, log } = await openLog('info', isText);
		log.write('info', 'refused', EVIL, { id: EVIL });
		assert.is(lines.length, 1);
		assert.not.match(lines[0] ?? '', /[\p{Cc}\p{Cf}]/u);
	}
	const { lines, log } = await openLog('info');
	log.write('info', 'refused', 'message', { id: EVIL });
	const { time, ...rest } = JSON.parse(lines[0] ?? '');
	assert.equal(rest, { level: 'info', event: 'refused', id: EVIL, message: 'message' });
	assert.ok(Date.parse(time) > 0);
});

test('the log drops messages beyond 100 a second, and reports how many', async () => {
	let now = 0;
	const { lines, log } = await openLog('info', true, () => now);
	for (let count = 0; count < 1_000; count += 1) {
		log.write('info', 'joined', 'somebody');
	}
	assert.is(lines.length, 100);
	log.write('warn', 'warning', 'a more severe message');
	assert.is(lines.length, 101);
	now = 1_000;
	log.write('info', 'joined', 'somebody');
	assert.equal(lines.slice(101), ['warn 900 lines were left out of the log', 'info somebody']);
});

test('the level comes from --log-level or SHOAL_LOG_LEVEL', async (t) => {
	assert.is(parseLevel('debug'), 'debug');
	throwsCode('ERR_USAGE', () => parseLevel('loud'));
	const wrong = await runShoal(t, ['broker', '--log-level', EVIL]);
	assert.is(wrong.code, 2);
	assert.match(
		wrong.stderr,
		/^shoal: the level of the log must be error, warn, .*\(ERR_USAGE\)\n$/,
	);
	const args = ['broker', '--port', '0', '--no-http'];
	const broker = new Shoal(t, args, { ...CACHELESS, SHOAL_LOG_LEVEL: 'info' });
	const { url } = await broker.event('listening');
	await runShoal(t, ['ls', '--broker', String(url)]);
	await until('it is logged', () => broker.stderr.includes('"client-left"'));
});

test('a broker logs clients that join and leave, seeds and downloads, and standard output does not change', async (t) => {
	const { broker, url } = await spawnBroker(t, '--no-http', '--log-level', 'info');
	const path = await makeFile(t, 'content');
	const share = new Shoal(t, ['share', path, '--broker', url, '--log-level', 'info']);
	const { id } = await share.event('sharing');
	await runShoal(t, [
		'get',
		String(id),
		'-o',
		join(path, '../copy'),
		'--broker',
		url,
		'--no-linger',
	]);
	await runShoal(t, ['ls', '--broker', url]);
	const has = (event: string): boolean => linesOf(broker).some((line) => line.event === event);
	for (const event of ['client-joined', 'client-left', 'seed-added', 'download-complete']) {
		await until(event, () => has(event));
	}
	for (const { level, time, message } of linesOf(broker)) {
		assert.is(level, 'info');
		assert.ok(Date.parse(String(time)) > 0);
		assert.is(typeof message, 'string');
	}
	const sending = () => linesOf(share).find(({ event }) => event === 'sending');
	await until('it sends', () => sending() !== undefined);
	assert.is(sending()?.seed, id);
	assert.equal(
		broker.events.map(({ event }) => event),
		['listening'],
	);
});

test('a gateway logs requests with their responses, and what it fetches', async (t) => {
	const { url } = await spawnBroker(t, '--no-http');
	const share = new Shoal(t, ['share', await makeFile(t, 'content'), '--broker', url]);
	const { id } = await share.event('sharing');
	const level = ['--log-level', 'info'];
	const gateway = new Shoal(t, ['gateway', '--port', '0', '--broker', url, ...level]);
	const { url: http } = await gateway.event('listening');
	const path = `/files/${id}`;
	assert.is(await (await fetch(`${http}${path}`)).text(), 'content');
	const find = (event: string) => linesOf(gateway).find((line) => line.event === event);
	await until('it is logged', () => find('request') !== undefined && find('fetched') !== undefined);
	const { request, address, status, bytes } = find('request') ?? {};
	assert.equal([request, address, status], [`GET ${path}`, '127.0.0.1', 200]);
	assert.ok(Number(bytes) > 'content'.length && Number(bytes) < 2_000, String(bytes));
	assert.equal([find('fetching')?.seed, find('fetched')?.seed], [id, id]);
});

test('by default a service logs only warnings, as JSON if standard error is no terminal', async (t) => {
	const { url } = await spawnBroker(t, '--no-http');
	const args = ['share', await makeFile(t, 'content'), '--broker', url];
	const child = spawn(process.execPath, [MAIN, ...args], { env: CACHELESS });
	t.defer(() => child.kill('SIGKILL'));
	let stderr = '';
	child.stderr.on('data', (data) => {
		stderr += data;
	});
	await until('it warns', () => stderr.endsWith('\n'));
	const [line, ...more] = linesOf({ stderr });
	assert.equal(more, []);
	assert.equal([line?.level, line?.event], ['warn', 'warning']);
	assert.match(String(line?.message), 'the link names no broker');
});

test.run();
