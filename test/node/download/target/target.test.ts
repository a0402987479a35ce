import { readdir, readFile, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { partPathsOf } from '../../../../node/download/target/part-paths.ts';
import { Seed } from '../../../../protocol/index.ts';
import { FailingCalls } from '../../../helpers/adversaries/failing-calls.ts';
import { makeFolder } from '../../../helpers/fixtures/folder.ts';
import { seedOf } from '../../../helpers/fixtures/seeds.ts';
import { rejects } from '../../../helpers/harness/rejects.ts';
import { type Scope, suite } from '../../../helpers/harness/suite.ts';
import {
	CHUNK,
	content,
	finish,
	interrupted,
	isContent,
	missing,
	open,
	seed,
	store,
} from '../../../helpers/harness/target.ts';

const test = suite('FileTarget');

test('on the same boot nothing is hashed, and chunks without a record are missing', async (t) => {
	const { path } = await interrupted(t, [1, 2, 7]);
	const session = await open(t, path);
	assert.is(session.hashed, 0);
	assert.equal([...session.have.indices()], [1, 2, 7]);
	await finish(session);
	await isContent(path);
	assert.equal(await readdir(join(path, '..')), ['file.bin']);
});

test('on another or an unknown boot, only the recorded chunks are hashed', async (t) => {
	for (const boot of [async () => 'another', async () => undefined]) {
		const { path, part } = await interrupted(t, [1, 2, 7]);
		const bytes = await readFile(part);
		bytes[2 * CHUNK] = (bytes[2 * CHUNK] as number) ^ 1;
		await writeFile(part, bytes, { flag: 'r+' });
		const session = await open(t, path, { boot });
		assert.is(session.hashed, 3 * CHUNK);
		assert.equal([...session.have.indices()], [1, 7]);
		await finish(session);
		await isContent(path);
	}
});

/**
 * Makes reads of `chunk` fail with EIO, for the files in `folder`, until `isMended` of the result
 * is set.
 */
function badSector(t: Scope, folder: string, chunk: number) {
	const sector = { isMended: false };
	const [start, end] = [chunk * CHUNK, (chunk + 1) * CHUNK];
	new FailingCalls(t, folder).decide = (name, _, [, , length, at]) => {
		const isInside = (at as number) < end && (at as number) + (length as number) > start;
		return name === 'readSync' && isInside && !sector.isMended ? 'EIO' : undefined;
	};
	return sector;
}

test('chunks that the disk cannot read are fetched again, whether they would be hashed or trusted', async (t) => {
	for (const boot of [async () => 'another', undefined]) {
		const { path } = await interrupted(t, [1, 2, 7]);
		const sector = badSector(t, join(path, '..'), 2);
		const session = await open(t, path, boot && { boot });
		if (boot === undefined) {
			await store(session, missing(session));
			assert.equal(await session.target.finish(seed, {}), { bad: [2] });
			session.have.clear(2);
		}
		assert.not.ok(session.have.has(2));
		sector.isMended = true;
		await finish(session);
		await isContent(path);
	}
});

test('a read that fails once loses no chunk', async (t) => {
	const { path, part } = await interrupted(t, [1, 2, 7]);
	const session = await open(t, path);
	await store(session, missing(session));
	const calls = new FailingCalls(t, join(path, '..'));
	let left = 1;
	calls.decide = (name) => (name === 'readSync' && left-- > 0 ? 'EIO' : undefined);
	assert.is((await rejects(session.target.finish(seed, {}))).code, 'ERR_IO');
	await session.target.abandon();
	assert.is((await stat(part)).size, seed.length);
	await finish(await open(t, path));
	await isContent(path);
});

test('after a resume on another boot, a second resume on that boot hashes nothing', async (t) => {
	const { path } = await interrupted(t, [1, 2, 7]);
	const boot = async () => 'another';
	await (await open(t, path, { boot })).target.abandon();
	const session = await open(t, path, { boot });
	assert.is(session.hashed, 0);
	assert.equal([...session.have.indices()], [1, 2, 7]);
});

test('a part file without a journal is hashed completely', async (t) => {
	const { path, journal } = await interrupted(t, [1, 2, 7]);
	await unlink(journal);
	const session = await open(t, path);
	assert.is(session.hashed, seed.length);
	assert.equal([...session.have.indices()], [1, 2, 7]);
});

test('F25: with any byte of the journal changed, or the journal cut at any position, the file becomes right', async (t) => {
	const { path, part, journal } = await interrupted(t, [0, 3, 4]);
	const [bytes, records] = [await readFile(part), await readFile(journal)];
	const damages = [...records.keys()].flatMap((offset) => {
		const flipped = Buffer.from(records);
		flipped[offset] = (flipped[offset] as number) ^ 1;
		return [flipped, records.subarray(0, offset)];
	});
	for (const damaged of damages) {
		await writeFile(part, bytes);
		await writeFile(journal, damaged);
		const session = await open(t, path);
		assert.equal([...session.have.indices()], [0, 3, 4]);
		await store(session, missing(session));
		assert.equal(await session.target.finish(seed, {}), { path, verified: 'whole' });
		await session.target.abandon();
		await isContent(path);
		await unlink(path);
	}
});

test('a trusted chunk that is wrong is reported, and is not an error of the seed', async (t) => {
	const { path, part, journal } = await interrupted(t, [1, 2, 7]);
	const bytes = await readFile(part);
	bytes[2 * CHUNK] = (bytes[2 * CHUNK] as number) ^ 1;
	await writeFile(part, bytes, { flag: 'r+' });
	const session = await open(t, path);
	await store(session, missing(session));
	assert.equal(await session.target.finish(seed, {}), { bad: [2] });
	assert.is(await stat(path).catch(() => undefined), undefined);
	assert.match(await readFile(journal, 'latin1'), /\n0-1 3-9 [0-9a-f]+\n$/);
	session.have.clear(2);
	await finish(session);
	await isContent(path);
});

test('a trusted chunk is verified at the end, even if it is the only one', async (t) => {
	const path = join(await makeFolder(t), 'file.bin');
	const small = seedOf(content.subarray(0, 100));
	const first = await open(t, path, { of: small });
	await first.storage.write(0, content.subarray(0, 100));
	first.target.stored(0);
	await first.target.abandon();
	await writeFile(partPathsOf(path, small).part, 'x', { flag: 'r+' });
	const session = await open(t, path, { of: small });
	assert.ok(session.have.isFull);
	assert.equal(await session.target.finish(small, {}), { bad: [0] });
});

test('if every chunk is right but the digest of the whole is wrong, the result is ERR_SEED_LIES, and nothing is left', async (t) => {
	const chunkDigests = Buffer.concat(
		[...Array(seed.chunks).keys()].map((at) => seed.chunkDigest(at)),
	);
	const { name, length, kind } = seed;
	const lying = new Seed({ name, length, kind, digest: new Uint8Array(32), chunkDigests });
	const path = join(await makeFolder(t), 'file.bin');
	const session = await open(t, path, { of: lying });
	await store(session, missing(session));
	assert.is((await rejects(session.target.finish(lying, {}))).code, 'ERR_SEED_LIES');
	assert.equal(await readdir(join(path, '..')), []);
	await writeFile(path, content);
	const standing = await open(t, path, { of: lying });
	assert.ok(standing.wasThere);
	assert.is((await rejects(standing.target.finish(lying, {}))).code, 'ERR_SEED_LIES');
	await isContent(path);
});

test.run();
