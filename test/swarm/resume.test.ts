import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { canMount, fillUp, smallDisk } from '../helpers/fixtures/small-disk.ts';
import { randomFile, Shoal, sha256, spawnBroker } from '../helpers/harness/shoal.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('resume of real processes');
const MIB = 1024 * 1024;

/** A shared file, and a function that gets a copy of it. */
async function shared(t: Scope, length: number, maxUp: string) {
	const folder = await makeFolder(t);
	const path = join(folder, 'image.bin');
	const digest = await randomFile(path, length);
	const { url } = await spawnBroker(t);
	const share = new Shoal(t, ['share', path, '--broker', url, '--max-up', maxUp]);
	const { id } = await share.event('sharing');
	const get = (output: string, ...flags: string[]): Shoal =>
		new Shoal(t, ['get', id as string, '-o', output, '--broker', url, '--no-linger', ...flags]);
	return { folder, path, digest, share, get };
}

/** The bytes that a `get` has. */
function have(get: Shoal): number {
	return Number(get.all('progress').at(-1)?.have ?? 0);
}

test('F10: a get that is killed several times resumes, and fetches at most 64 MiB again each time', async (t) => {
	const length = 96 * MIB;
	// At this rate the last killed get would still need seconds.
	const { folder, digest, share, get } = await shared(t, length, '10MB');
	const output = join(folder, 'copy', 'copy.bin');
	await mkdir(join(folder, 'copy'));
	const lost: number[] = [];
	let before = 0;
	for (const part of [0.1, 0.3, 0.5, 0.7]) {
		const killed = get(output);
		await until(`${part} is there`, () => have(killed) > part * length);
		killed.signal('SIGKILL');
		await killed.exit();
		const first = killed.all('progress').find(({ phase }) => phase === 'fetching');
		lost.push(before - Number(first?.have));
		before = have(killed);
		const names = (await readdir(join(folder, 'copy'))).map((name) => name.split('.').at(-1));
		assert.equal(names.sort(), ['journal', 'part', 'shoal-lock']);
	}
	const last = get(output);
	const { kept } = await last.event('complete');
	assert.is(await last.exit(), 0);
	assert.is(await sha256(output), digest);
	assert.equal(await readdir(join(folder, 'copy')), ['copy.bin']);
	lost.push(before - (kept as number));
	assert.ok(
		lost.every((bytes) => bytes <= 64 * MIB),
		`lost ${lost} bytes`,
	);
	share.signal('SIGTERM');
	const { sent } = await share.event('stopped');
	const again = (sent as number) - length;
	console.log(`${(again / MIB).toFixed(1)} MiB again in four kills`);
	// A new start after each kill would fetch 1.6 times the length of the file again.
	assert.ok(again < length);
});

test('a get that is killed near its end has the right file, or the next get completes it', async (t) => {
	const length = 8 * MIB;
	const { folder, digest, get } = await shared(t, length, '1GB');
	for (let index = 0; index < 4; index += 1) {
		const output = join(folder, `copy-${index}`);
		const killed = get(output);
		await until(
			'nearly all is there',
			() => have(killed) > 0.7 * length || killed.code !== undefined,
		);
		await new Promise((resolve) => setTimeout(resolve, index * 20));
		killed.signal('SIGKILL');
		await killed.exit();
		const next = get(output);
		assert.is(await next.exit(), 0, next.stderr);
		assert.is(await sha256(output), digest);
	}
	assert.is((await readdir(folder)).length, 5, 'nothing else is left');
});

if (!canMount) {
	console.log('skipped: mounting a small disk needs root on Linux');
}

(canMount ? test : test.skip)(
	'F12: a get ends with an error on a full disk, and is resumed when there is room',
	async (t) => {
		const disk = await smallDisk(t, 16);
		const { digest, get } = await shared(t, 12 * MIB, '3MB');
		const output = join(disk, 'copy.bin');
		const full = get(output);
		await until('2 MiB are there', () => have(full) > 2 * MIB);
		await fillUp(disk, MIB);
		assert.is(await full.exit(), 1);
		const { code, message } = await full.event('error');
		assert.is(code, 'ERR_NO_SPACE');
		assert.match(String(message), /the disk is full; make room .* what is verified is kept/);
		const still = get(output);
		assert.is(await still.exit(), 1);
		assert.is((await still.event('error')).code, 'ERR_NO_SPACE');
		await rm(join(disk, 'other'));
		const next = get(output);
		const { kept } = await next.event('complete');
		assert.is(await next.exit(), 0);
		assert.ok((kept as number) > 2 * MIB, `${kept} bytes`);
		assert.is(await sha256(output), digest);
		assert.equal(await readdir(disk), ['copy.bin']);
	},
);

test.run();
