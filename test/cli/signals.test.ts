import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { ShoalNode } from '../../node/index.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { channelRig } from '../helpers/harness/channel-rig.ts';
import { MAIN, randomFile, Shoal, sha256, spawnBroker } from '../helpers/harness/shoal.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('signals');

const LENGTH = 5_000_000;

/** A download that takes several seconds. */
async function slowDownload(t: Scope, ...flags: string[]) {
	const folder = await makeFolder(t);
	const path = join(folder, 'file.bin');
	const digest = await randomFile(path, LENGTH);
	const { broker, url } = await spawnBroker(t);
	const sharer = new Shoal(t, ['share', path, '--broker', url, '--max-up', '1MB']);
	const { id } = await sharer.event('sharing');
	const output = join(folder, 'copy.bin');
	const args = ['get', String(id), '-o', output, '--broker', url, '--no-linger', ...flags];
	const getter = new Shoal(t, args);
	const hasBegun = () => getter.all('progress').some(({ have }) => Number(have) > 0);
	await until('bytes have come', hasBegun);
	return { folder, output, args, getter, broker, sharer, digest };
}

test('F26: an interrupted get keeps its chunks and ends with exit code 130, and the next get resumes', async (t) => {
	const { folder, output, args, getter, digest } = await slowDownload(t);
	getter.signal('SIGINT');
	assert.is(await getter.exit(), 130);
	const error = getter.events.at(-1);
	assert.equal([error?.event, error?.code], ['error', 'ERR_ABORTED']);
	assert.match(String(error?.message), 'same command');
	assert.not.ok(existsSync(output));
	assert.ok(readdirSync(folder).some((name) => name.endsWith('.part')));
	const again = new Shoal(t, args);
	assert.is(await again.exit(), 0);
	const [source] = (await again.event('complete')).sources as Array<{ bytes: number }>;
	assert.ok(Number(source?.bytes) < LENGTH);
	assert.is(await sha256(output), digest);
	assert.not.ok(readdirSync(folder).some((name) => name.endsWith('.part')));
});

test('F1: a running get goes on when the broker is back', async (t) => {
	const { getter, broker, sharer, output, digest } = await slowDownload(t);
	const { port } = new URL(String(broker.events[0]?.url));
	broker.signal('SIGTERM');
	assert.is(await broker.exit(), 0);
	await getter.event('offline');
	const again = new Shoal(t, ['broker', '--port', port]);
	await again.event('listening');
	await sharer.event('online');
	assert.is(await getter.exit(), 0);
	assert.is(await sha256(output), digest);
});

test('F26: broker and watch end with exit code 0 on SIGINT', async (t) => {
	const { broker, url } = await spawnBroker(t);
	const watch = new Shoal(t, ['watch', '--broker', url]);
	await watch.event('tracker');
	watch.signal('SIGINT');
	assert.is(await watch.exit(), 0);
	broker.signal('SIGINT');
	assert.is(await broker.exit(), 0);
	assert.is(broker.events.at(-1)?.event, 'stopped');
});

test('a get ends without an error when the reader of standard output leaves', async (t) => {
	const { url } = await startBroker(t);
	const folder = await makeFolder(t);
	const path = join(folder, 'file.bin');
	await randomFile(path, 4_000_000);
	const node = await ShoalNode.start({ broker: url });
	t.defer(() => node.close());
	const { id } = (await node.share(path)).seed;
	const child = spawn(process.execPath, [MAIN, 'get', id, '-o', '-', '--broker', url]);
	t.defer(() => child.kill('SIGKILL'));
	let stderr = '';
	child.stderr.on('data', (data) => {
		stderr += data;
	});
	child.stdout.once('data', () => child.stdout.destroy());
	const code = await new Promise((resolve) => child.once('close', resolve));
	assert.is(code, 0);
	assert.is(stderr, '');
});

test('follow --once waits while nobody has the version, and says what an interruption means', async (t) => {
	const { publish, publisher, folder, url } = await channelRig(t);
	const { link } = await publish();
	await publisher.close();
	const args = ['follow', link, join(folder, 'dir'), '--once', '--data', join(folder, 'data')];
	const follower = new Shoal(t, [...args, '--broker', url]);
	assert.is((await follower.event('progress')).phase, 'finding');
	follower.signal('SIGTERM');
	assert.is(await follower.exit(), 130);
	const { code, message } = await follower.event('error');
	assert.is(code, 'ERR_ABORTED');
	assert.match(
		String(message),
		/^interrupted before the version was applied; .* same command again/,
	);
});

test('follow --once says that the version is there if the command of --exec is interrupted', async (t) => {
	const { publish, folder, url } = await channelRig(t);
	const { link } = await publish();
	const dir = join(folder, 'dir');
	const args = ['follow', link, dir, '--once', '--data', join(folder, 'data'), '--broker', url];
	const follower = new Shoal(t, [...args, '--exec', 'echo begun; sleep 60']);
	await until('the command runs', () => follower.stderr.includes('begun'));
	follower.signal('SIGTERM');
	assert.is(await follower.exit(), 130);
	const { code, message } = await follower.event('error');
	assert.is(code, 'ERR_ABORTED');
	assert.match(String(message), /^interrupted while the command of --exec was running; /);
	assert.is(readFileSync(join(dir, 'a.txt'), 'utf8'), 'one');
	const again = new Shoal(t, [...args, '--exec', 'echo again']);
	assert.is(await again.exit(), 0);
	assert.match(again.stderr, 'again');
});

test.run();
