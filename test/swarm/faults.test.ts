import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { makeSeed } from '../../node/index.ts';
import { Liar } from '../helpers/adversaries/liar.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { randomFile, Shoal, sha256, spawnBroker } from '../helpers/harness/shoal.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('faults in a swarm');
const MIB = 1024 * 1024;
const LENGTH = 48 * MIB;

/** The fraction of the file that a `get` has. */
function done(get: Shoal): number {
	const last = get.all('progress').at(-1);
	return last === undefined ? 0 : (last.have as number) / Math.max(1, last.length as number);
}

async function startLiar(t: Scope, url: string, path: string): Promise<Liar> {
	const file = await open(path, 'r');
	t.defer(() => file.close());
	const read = async (offset: number, length: number): Promise<Uint8Array> => {
		const bytes = new Uint8Array(length);
		await file.read(bytes, 0, length, offset);
		return bytes;
	};
	return await Liar.start(t, url, await makeSeed(path), read, (chunk) => chunk % 10 === 0);
}

/** The bytes that a `share` has sent. */
function sent(share: Shoal): number {
	return Number(share.all('serving').at(-1)?.sent ?? 0);
}

test('T1 F5 F7: a get completes although one seeder is killed, one frozen, and one lies in every tenth chunk', async (t) => {
	const folder = await makeFolder(t);
	const path = join(folder, 'image.bin');
	const digest = await randomFile(path, LENGTH);
	const { url } = await spawnBroker(t);
	// The rate is so low that much is missing when both have sent some, even on a busy machine.
	const shares = [0, 1].map(
		() => new Shoal(t, ['share', path, '--broker', url, '--max-up', '5MB']),
	);
	const [killed, frozen] = shares as [Shoal, Shoal];
	await Promise.all(shares.map((share) => share.event('sharing')));
	const liar = await startLiar(t, url, path);
	const output = join(folder, 'copy.bin');
	const { id } = await killed.event('sharing');
	const get = new Shoal(t, ['get', id as string, '-o', output, '--broker', url, '--no-linger']);
	await until('both have given some', () => shares.every((share) => sent(share) > MIB));
	frozen.signal('SIGSTOP');
	await until('a quarter is there', () => done(get) > 0.25);
	killed.signal('SIGKILL');
	await until('the liar is found out', () => liar.lies >= 2);
	// One seeder is dead and one has lied, so the get waits for the frozen one.
	frozen.signal('SIGCONT');
	const complete = await get.event('complete');
	assert.is(await get.exit(), 0);
	assert.is(await sha256(output), digest);
	const sources = complete.sources as Array<{ node: string; bytes: number; chunks: number }>;
	// The liar may be dropped before its first right chunk, but both others have sent chunks.
	const given = new Set(sources.map(({ node }) => node));
	for (const share of [killed, frozen]) {
		assert.ok(given.has((await share.event('sharing')).node as string));
	}
	assert.is(
		sources.reduce((sum, { bytes }) => sum + bytes, 0),
		LENGTH,
	);
	assert.equal((await readdir(folder)).sort(), ['copy.bin', 'image.bin']);
});

test('T12 F8: other downloaders complete beside a frozen downloader and a frozen watcher', async (t) => {
	const folder = await makeFolder(t);
	const path = join(folder, 'image.bin');
	const digest = await randomFile(path, LENGTH);
	const { broker, url } = await spawnBroker(t);
	const share = new Shoal(t, ['share', path, '--broker', url, '--max-up', '12MB']);
	const { id } = await share.event('sharing');
	const watcher = new Shoal(t, ['watch', '--broker', url]);
	const gets = [0, 1, 2, 3].map((index) => {
		const output = join(folder, `copy-${index}`);
		return new Shoal(t, ['get', id as string, '-o', output, '--broker', url, '--keep']);
	});
	const [frozen, ...others] = gets as [Shoal, ...Shoal[]];
	await until('all have begun', () => gets.every((get) => done(get) > 0.05));
	frozen.signal('SIGSTOP');
	watcher.signal('SIGSTOP');
	const completes = await Promise.all(others.map((get) => get.event('complete')));
	for (const { path: output } of completes) {
		assert.is(await sha256(output as string), digest);
	}
	const { VmHWM: peak } = await memory(broker.pid);
	assert.ok((peak as number) < 250 * MIB, `the broker took ${peak} bytes at most`);
	assert.equal(frozen.all('complete'), []);
	frozen.signal('SIGCONT');
	await frozen.event('complete');
	assert.is(await sha256(join(folder, 'copy-0')), digest);
});

async function memory(pid: number): Promise<Record<string, number>> {
	const file = await open(`/proc/${pid}/status`);
	const text = await file.readFile('utf8');
	await file.close();
	const lines = [...text.matchAll(/^(Vm\w+):\s+(\d+) kB$/gm)];
	return Object.fromEntries(lines.map(([, name, kib]) => [name, Number(kib) * 1024]));
}

test.run();
