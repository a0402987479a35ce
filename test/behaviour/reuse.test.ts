import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { Progress } from '../../node/index.ts';
import { openBelow } from '../helpers/fixtures/folder.ts';
import { seedOf } from '../helpers/fixtures/seeds.ts';
import { hold } from '../helpers/harness/hold.ts';
import { startNode } from '../helpers/harness/node.ts';
import { rejects } from '../helpers/harness/rejects.ts';
import { CHUNK, diskBytes, shareHeld, startReusing } from '../helpers/harness/reusing.ts';
import { suite } from '../helpers/harness/suite.ts';

const test = suite('bytes that are there already');
const CHUNKS = 8;

const content = randomBytes(CHUNKS * CHUNK - 1_000);

/** `content` with other bytes at `places`. */
function changed(places: readonly number[], bytes = 10): Buffer {
	const copy = Buffer.from(content);
	for (const place of places) {
		randomBytes(bytes).copy(copy, place);
	}
	return copy;
}

async function isContent(path: string, expected: Uint8Array = content): Promise<void> {
	assert.ok((await readFile(path)).equals(expected), `${path} has the right bytes`);
}

test('if an older version is at the target, only the chunks that differ are fetched', async (t) => {
	const { share, write, get } = await startReusing(t);
	const seed = await share(content);
	const path = await write('image.bin', changed([0, CHUNK - 5, 6 * CHUNK + 7]));
	const { fetched, reused } = await get(seed, { output: path });
	assert.is(fetched, 3 * CHUNK);
	assert.is(reused.place, content.length - 3 * CHUNK);
	await isContent(path);
});

test('chunks of an older version that have moved by whole chunks are not fetched', async (t) => {
	const { share, write, get } = await startReusing(t);
	const seed = await share(content);
	const older = Buffer.concat([
		content.subarray(0, CHUNK),
		content.subarray(3 * CHUNK, 5 * CHUNK),
		randomBytes(2 * CHUNK),
		content.subarray(6 * CHUNK),
	]);
	const path = await write('image.bin', older);
	const { fetched, reused } = await get(seed, { output: path });
	assert.is(fetched, 3 * CHUNK, 'chunks 1, 2 and 5');
	assert.equal([reused.known > 0, reused.files], [true, 0]);
	await isContent(path);
});

test('zeros are neither fetched nor written', async (t) => {
	const { share, at, get } = await startReusing(t);
	const sparse = Buffer.alloc(32 * CHUNK + 5);
	sparse.write('four', 20 * CHUNK + 1_000);
	const seed = await share(sparse);
	const path = at('image.bin');
	const { fetched, reused } = await get(seed, { output: path });
	assert.is(fetched, CHUNK);
	assert.equal(reused, { place: 0, known: 0, zeros: sparse.length - CHUNK, files: 0 });
	assert.ok((await diskBytes(path)) <= CHUNK, `${await diskBytes(path)} bytes on the disk`);
	await isContent(path, sparse);
});

test('a file of zeros only is made without fetching a chunk', async (t) => {
	const { share, at, get } = await startReusing(t);
	const zeros = Buffer.alloc(CHUNKS * CHUNK + 3);
	const { fetched, kept } = await get(await share(zeros), { output: at('image.bin') });
	assert.equal([fetched, kept], [0, zeros.length]);
	assert.is(await diskBytes(at('image.bin')), 0);
	await isContent(at('image.bin'), zeros);
});

test('chunks of zeros of a new version replace the bytes of the older version', async (t) => {
	const { share, write, get } = await startReusing(t);
	const next = Buffer.from(content)
		.fill(0, CHUNK, 3 * CHUNK)
		.fill(0, 5 * CHUNK - 10, 6 * CHUNK);
	const path = await write('image.bin', content);
	const { fetched, reused } = await get(await share(next), { output: path });
	assert.equal([fetched, reused.zeros], [CHUNK, 3 * CHUNK]);
	await isContent(path, next);
});

test('chunks that repeat each other are fetched once', async (t) => {
	const { share, at, get } = await startReusing(t);
	const [a, b] = [randomBytes(CHUNK), randomBytes(CHUNK)];
	const repeated = Buffer.concat([a, b, a, a, b, a, a, a, a.subarray(0, 77)]);
	const seed = await share(repeated);
	const { fetched, reused } = await get(seed, { output: at('image.bin') });
	assert.is(fetched, 2 * CHUNK + 77);
	assert.equal(reused, { place: 0, known: 6 * CHUNK, zeros: 0, files: 0 });
	await isContent(at('image.bin'), repeated);
});

test('with a copy elsewhere, under any name, nothing is fetched', async (t) => {
	const { share, at, write, get } = await startReusing(t);
	const seed = await share(content);
	await mkdir(at('disk/deep'), { recursive: true });
	await write('disk/deep/copy of image', content);
	await write('disk/other', randomBytes(1_000));
	for (const like of ['disk/deep/copy of image', 'disk']) {
		const { fetched, reused } = await get(seed, { output: at('image.bin'), like: [at(like)] });
		assert.equal([fetched, reused.known], [0, content.length], like);
		await isContent(at('image.bin'));
		await rm(at('image.bin'));
	}
});

test('chunks are found in files of any length, at any multiple of the chunk size', async (t) => {
	const { share, at, write, get } = await startReusing(t);
	const seed = await share(content);
	await mkdir(at('disk'));
	const behind = [randomBytes(3 * CHUNK), content.subarray(0, 4 * CHUNK), randomBytes(99)];
	await write('disk/first half', Buffer.concat(behind));
	await write('rest', content.subarray(6 * CHUNK));
	const like = [at('disk'), at('rest')];
	const { fetched } = await get(seed, { output: at('image.bin'), like });
	assert.is(fetched, 2 * CHUNK, 'chunks 4 and 5');
	await isContent(at('image.bin'));
});

test('if the start of a version elsewhere was changed, the rest of this version is used', async (t) => {
	const { share, at, write, get } = await startReusing(t);
	const large = randomBytes(24 * CHUNK);
	const seed = await share(large);
	const copy = Buffer.concat([randomBytes(18 * CHUNK), large.subarray(18 * CHUNK)]);
	const like = [await write('copy', copy)];
	const { fetched } = await get(seed, { output: at('image.bin'), like });
	assert.is(fetched, 18 * CHUNK);
	await isContent(at('image.bin'), large);
});

test('a path from which nothing can be read is an error, before anything is requested or written', async (t) => {
	const { share, at, root, write, get, seeder, node } = await startReusing(t);
	const seed = await share(content);
	const good = await write('copy', content);
	execFileSync('mkfifo', [at('pipe')]);
	const server = createServer().listen(at('socket'));
	await new Promise((listening) => server.once('listening', listening));
	t.defer(() => server.close());
	const before = (await readdir(root)).sort();
	for (const [path, code, text] of [
		[at('missing'), 'ERR_NO_FILE', /missing".*check the path/],
		[join(good, 'below'), 'ERR_NO_FILE', /below".*check the path/],
		['', 'ERR_NO_FILE', /the path is empty/],
		[at('pipe'), 'ERR_IO', /it is a pipe/],
		[at('socket'), 'ERR_IO', /it is a socket/],
		['/dev/zero', 'ERR_IO', /it is a device/],
		['/proc/self/status', 'ERR_IO', /makes up its content/],
	] as const) {
		const error = await rejects(get(seed, { output: at('image.bin'), like: [good, path] }));
		assert.is(error.code, code, path);
		assert.match(error.message, text);
	}
	assert.equal((await readdir(root)).sort(), before);
	assert.equal([seeder.sent.total, node.received.total], [0, 0]);
});

test('files and folders in a folder that cannot be read are left out', async (t) => {
	const { share, root, at, write, get } = await startReusing(t);
	const seed = await share(content);
	for (const folder of ['disk/closed', 'disk/names', 'disk/open', 'place']) {
		await mkdir(at(folder), { recursive: true });
	}
	await write('disk/closed/copy', content);
	await write('disk/names/copy', content);
	await write('disk/secret', content);
	await write('disk/open/half', content.subarray(0, 4 * CHUNK));
	execFileSync('mkfifo', [at('disk/pipe')]);
	execFileSync('ln', ['-s', '/dev/zero', at('disk/zero')]);
	for (const [name, mode] of Object.entries({
		...{ '.': 0o755, place: 0o777, 'disk/secret': 0o000 },
		...{ 'disk/closed': 0o000, 'disk/names': 0o444 },
	})) {
		await chmod(at(name), mode);
	}
	if (process.getuid?.() === 0) {
		process.seteuid?.(65_534);
		t.defer(() => process.seteuid?.(0));
	}
	const { fetched } = await get(seed, { output: at('place/image.bin'), like: [at('disk')] });
	assert.is(fetched, 4 * CHUNK - 1_000);
	await isContent(join(root, 'place/image.bin'));
});

test('a file that changes while it is read costs only time', async (t) => {
	const { share, root, at, write, get } = await startReusing(t);
	const seed = await share(content);
	const path = await write('copy', content);
	let isOver = false;
	const change = async (): Promise<void> => {
		const file = await open(path, 'r+');
		for (let turn = 1; !isOver; turn += 1) {
			const bytes = turn % 3 === 0 ? content : randomBytes(content.length);
			await file.truncate((turn % CHUNKS) * CHUNK + 1);
			await file.write(bytes, 0, bytes.length, 0);
		}
		await file.close();
	};
	const changing = change();
	try {
		for (const like of [path, root]) {
			await get(seed, { output: at('image.bin'), like: [like] });
			await isContent(at('image.bin'));
			await rm(at('image.bin'));
		}
	} finally {
		isOver = true;
		await changing;
	}
});

test('the target itself, or the folder that contains it, may be a path of like', async (t) => {
	const { share, at, write, root, get } = await startReusing(t);
	const seed = await share(content);
	for (const like of [[at('image.bin')], [root]]) {
		const path = await write('image.bin', changed([5 * CHUNK]));
		const { fetched } = await get(seed, { output: path, like });
		assert.is(fetched, CHUNK);
		await isContent(path);
	}
	await rm(at('image.bin'));
	const { fetched } = await get(seed, { output: at('image.bin'), like: [root] });
	assert.is(fetched, content.length, 'the file that is being written has nothing yet');
	await isContent(at('image.bin'));
});

test('chunks that other contents of the node have are not fetched, unless these contents have changed since', async (t) => {
	const { share, at, get, node } = await startReusing(t);
	const seed = await share(content);
	const held = new Uint8Array(changed([3 * CHUNK]));
	const lost = new Uint8Array(changed([4 * CHUNK]));
	await hold(node, {
		seed: seedOf(lost, { chunkSize: CHUNK }),
		content: new Uint8Array(lost.length),
	});
	await hold(node, { seed: seedOf(held, { chunkSize: CHUNK }), content: held });
	const { fetched, reused } = await get(seed, { output: at('image.bin') });
	assert.equal([fetched, reused.known], [CHUNK, content.length - CHUNK]);
	await isContent(at('image.bin'));
});

test('chunks of more than 1 MiB are found too', async (t) => {
	const { seeder, node, at, write, get } = await startReusing(t);
	const large = new Uint8Array(randomBytes(5 * 1_048_576));
	const described = seedOf(large, { chunkSize: 2 * 1_048_576, name: 'image.bin' });
	const seed = await shareHeld(node, seeder, { seed: described, content: large });
	const like = [await write('copy', large)];
	const { fetched } = await get(seed, { output: at('image.bin'), like });
	assert.is(fetched, 0);
	await isContent(at('image.bin'), large);
});

test('chunks of a content with MD5 digests are found at the same offsets', async (t) => {
	const { seeder, at, write, get } = await startReusing(t);
	const seed = seedOf(content, { kind: 'md5', chunkSize: CHUNK });
	await hold(seeder, { seed, content });
	const like = [await write('copy', changed([5 * CHUNK]))];
	const { fetched } = await get(seed, { output: at('image.bin'), like });
	assert.is(fetched, CHUNK);
	await isContent(at('image.bin'));
});

test('the bytes that were found are in the progress before anything is fetched', async (t) => {
	const { url, share, at, write } = await startReusing(t);
	const seed = await share(content);
	const like = [await write('copy', content.subarray(0, 4 * CHUNK))];
	const node = await startNode(t, url, { maxDown: 5 * CHUNK });
	const fetching: number[] = [];
	const onProgress = ({ phase, have }: Progress): void => {
		if (phase === 'fetching') {
			fetching.push(have);
		}
	};
	await node.get(seed, { output: at('image.bin'), like, onProgress });
	assert.ok((fetching[0] ?? 0) >= 4 * CHUNK, JSON.stringify(fetching));
	await isContent(at('image.bin'));
});

test('a search that is stopped ends at once, and leaves nothing open', async (t) => {
	const { share, at, root, write, node } = await startReusing(t);
	const seed = await share(content);
	await mkdir(at('disk'));
	for (let file = 0; file < 20; file += 1) {
		await write(`disk/${file}`, randomBytes(content.length));
	}
	const stop = new AbortController();
	setTimeout(() => stop.abort(), 100);
	const options = { output: at('image.bin'), like: [at('disk')], signal: stop.signal };
	const error = await rejects(node.get(seed, options));
	assert.is(error.code, 'ERR_ABORTED');
	assert.equal(await openBelow(root), []);
	const { path } = await node.get(seed, { output: at('image.bin') });
	await isContent(path);
});

test.run();
