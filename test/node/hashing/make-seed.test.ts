import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { chmod, mkdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as assert from 'uvu/assert';
import { makeSeed } from '../../../node/hashing/make-seed.ts';
import { chooseChunkSize } from '../../../protocol/index.ts';
import { makeFolder } from '../../helpers/fixtures/folder.ts';
import { contentOf, seedOf } from '../../helpers/fixtures/seeds.ts';
import { nothingLeftOpen, openResources } from '../../helpers/harness/open-resources.ts';
import { rejects } from '../../helpers/harness/rejects.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('makeSeed');
const KIB = 1_024;
const MIB = 1_024 * KIB;
const run = promisify(execFile);

async function fileOf(t: Scope, content: Uint8Array | string, name = 'file.bin'): Promise<string> {
	const path = join(await makeFolder(t), name);
	await writeFile(path, content);
	return path;
}

async function sparseFile(t: Scope, length: number): Promise<string> {
	const path = await fileOf(t, '');
	await truncate(path, length);
	return path;
}

const SIZES: readonly number[] = [
	...[0, 1, 511, 512],
	...[256 * KIB - 1, 256 * KIB, 256 * KIB + 1],
	...[MIB - 1, MIB, MIB + 1, 3 * MIB + 5],
];

for (const size of SIZES) {
	test(`the seed of ${size} bytes equals the result of an independent computation`, async (t) => {
		const content = contentOf(size);
		const path = await fileOf(t, content);
		let hashed = 0;
		const seed = await makeSeed(path, {
			onBytes: (bytes) => {
				hashed += bytes;
			},
		});
		const chunkSize = chooseChunkSize(size);
		const expected = seedOf(content, { name: 'file.bin', chunkSize });
		assert.equal(Buffer.from(seed.text()), Buffer.from(expected.text()));
		assert.is(seed.id, expected.id);
		assert.is(hashed, 2 * size);
	});
}

test('the digest equals the output of sha256sum', async (t) => {
	const path = await fileOf(t, contentOf(2 * MIB + 77));
	const { stdout } = await run('sha256sum', [path]).catch(() => ({ stdout: '' }));
	const { digest } = await makeSeed(path);
	assert.is(digest, stdout === '' ? digest : stdout.slice(0, 64));
});

test('the id equals the output of sha256sum for the seed without its first line', async (t) => {
	const seed = await makeSeed(await fileOf(t, contentOf(700 * KIB)));
	const text = Buffer.from(seed.text());
	const body = text.subarray(text.indexOf('\n') + 1);
	assert.is(seed.id, createHash('sha256').update(body).digest('hex'));
});

test('the name is the given one, or the last segment of the path, and is in NFC', async (t) => {
	const path = await fileOf(t, 'x', 'a\u0308.txt');
	assert.is((await makeSeed(path)).name, 'ä.txt');
	assert.is((await makeSeed(path, { name: 'other' })).name, 'other');
	assert.is((await rejects(makeSeed(path, { name: '../up' }))).code, 'ERR_NAME');
});

test('a folder is ERR_FOLDER', async (t) => {
	const path = join(await makeFolder(t), 'photos');
	await mkdir(path);
	const error = await rejects(makeSeed(path));
	assert.is(error.code, 'ERR_FOLDER');
	assert.match(error.message, 'a file is expected');
});

test('a file that is missing is ERR_NO_FILE', async (t) => {
	assert.is((await rejects(makeSeed(join(await makeFolder(t), 'no')))).code, 'ERR_NO_FILE');
});

test('a path that is neither a file nor a folder is ERR_IO', async () => {
	assert.is((await rejects(makeSeed('/dev/zero'))).code, 'ERR_IO');
});

test('a file that may not be read is ERR_PERMISSION', async (t) => {
	const path = await fileOf(t, contentOf(10));
	await chmod(path, 0);
	await chmod(join(path, '..'), 0o755);
	if (process.geteuid?.() === 0) {
		process.seteuid?.(65_534);
		t.defer(() => process.seteuid?.(0));
	}
	assert.is((await rejects(makeSeed(path))).code, 'ERR_PERMISSION');
});

for (const size of [10, 8 * 2 ** 30]) {
	test(`hashing ${size} bytes does not begin if the signal is already aborted`, async (t) => {
		const path = await sparseFile(t, size);
		const before = openResources();
		assert.is((await rejects(makeSeed(path, { signal: AbortSignal.abort() }))).code, 'ERR_ABORTED');
		await nothingLeftOpen(before);
	});
}

test('hashing of 8 GiB stops soon after the signal aborts, and leaves no worker', async (t) => {
	const path = await sparseFile(t, 8 * 2 ** 30);
	const before = openResources();
	const stop = new AbortController();
	let hashed = 0;
	const hashing = rejects(
		makeSeed(path, {
			signal: stop.signal,
			onBytes: (bytes) => {
				hashed += bytes;
			},
		}),
	);
	await until('hashing has begun', () => hashed > 0);
	stop.abort();
	assert.is((await hashing).code, 'ERR_ABORTED');
	assert.ok(hashed < 8 * 2 ** 30, `${hashed} bytes`);
	await nothingLeftOpen(before);
});

test('hashing of 128 MiB does not block the event loop', async (t) => {
	const path = await sparseFile(t, 128 * MIB);
	let slots = 0;
	const slot = setInterval(() => {
		slots += 1;
	}, 1);
	t.defer(() => clearInterval(slot));
	let hashed = 0;
	await makeSeed(path, {
		onBytes: (bytes) => {
			hashed += bytes;
		},
	});
	assert.is(hashed, 256 * MIB);
	assert.ok(slots > 10, `${slots} turns`);
});

// The file is changed synchronously in a progress callback, so hashing cannot have ended before.
const CHANGES: Record<string, (path: string) => void> = {
	grows: (path) => appendFileSync(path, 'x'),
	'becomes shorter': (path) => truncateSync(path, 100),
	'becomes empty': (path) => truncateSync(path, 0),
	'is written to': (path) => writeFileSync(path, 'changed', { flag: 'r+' }),
	'is written to and its time put back': (path) => {
		writeFileSync(path, 'changed', { flag: 'r+' });
		utimesSync(path, 1, 1);
	},
};

for (const [what, change] of Object.entries(CHANGES)) {
	test(`a file that ${what} while it is hashed is ERR_CHANGED`, async (t) => {
		const path = await sparseFile(t, 40 * MIB);
		utimesSync(path, 1, 1);
		const before = openResources();
		let isChanged = false;
		const onBytes = (): void => {
			if (!isChanged) {
				isChanged = true;
				change(path);
			}
		};
		const error = await rejects(makeSeed(path, { onBytes }));
		assert.is(error.code, 'ERR_CHANGED');
		await nothingLeftOpen(before);
	});
}

test.run();
