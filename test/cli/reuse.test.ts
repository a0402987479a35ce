import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { startNode } from '../helpers/harness/node.ts';
import { runShoal } from '../helpers/harness/plain-shoal.ts';
import { CACHELESS, type CliEvent, Shoal } from '../helpers/harness/shoal.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';

const test = suite('shoal get where bytes are there already');
const CHUNK = 262_144;
/** A content with chunks of each kind: different chunks, zeros, and a chunk that occurs twice. */
const [A, B, C, D] = [0, 1, 2, 3].map(() => randomBytes(CHUNK)) as [Buffer, Buffer, Buffer, Buffer];
const ZEROS = Buffer.alloc(CHUNK);
const content = Buffer.concat([A, B, ZEROS, C, C, D, ZEROS, Buffer.from('end')]);

interface Rig {
	readonly folder: string;
	readonly env: NodeJS.ProcessEnv;
	readonly id: string;
	/** Shares another file. @returns its id */
	share(name: string, bytes: Uint8Array): Promise<string>;
}

async function rig(t: Scope): Promise<Rig> {
	const [folder, sources] = [await makeFolder(t), await makeFolder(t)];
	const { url } = await startBroker(t);
	const node = await startNode(t, url);
	const share = async (name: string, bytes: Uint8Array): Promise<string> => {
		writeFileSync(join(sources, name), bytes);
		return (await node.share(join(sources, name))).seed.id;
	};
	const home = { XDG_CACHE_HOME: join(folder, 'cache'), XDG_STATE_HOME: join(folder, 'state') };
	const env = { ...CACHELESS, ...home, SHOAL_BROKER: url };
	return { folder, env, id: await share('image.bin', content), share };
}

/** Runs `get`, and checks that the numbers of its last event add up. */
async function get(t: Scope, { env }: Rig, ...args: string[]): Promise<CliEvent> {
	const getter = new Shoal(t, ['get', ...args, '--no-linger'], env);
	const complete = await getter.event('complete');
	assert.is(await getter.exit(), 0);
	const { kept, reused, length, sources } = complete as unknown as {
		kept: number;
		reused: Record<string, number>;
		length: number;
		sources: Array<{ bytes: number }>;
	};
	assert.equal(Object.keys(reused), ['place', 'known', 'zeros', 'files']);
	assert.is(
		Object.values(reused).reduce((sum, bytes) => sum + bytes, 0),
		kept,
	);
	assert.is(kept, length - sources.reduce((sum, { bytes }) => sum + bytes, 0));
	return complete;
}

test('the last event has the bytes that were not fetched, by where they were found', async (t) => {
	const here = await rig(t);
	const { folder, id } = here;
	const path = join(folder, 'image.bin');
	writeFileSync(path, Buffer.concat([A, randomBytes(CHUNK), ZEROS, randomBytes(CHUNK)]));
	writeFileSync(join(folder, 'older'), Buffer.concat([randomBytes(2 * CHUNK), B]));
	const { reused } = await get(t, here, id, '-o', path, '--like', join(folder, 'older'));
	assert.equal(reused, { place: 2 * CHUNK, known: 2 * CHUNK, zeros: CHUNK, files: 0 });
	assert.ok(readFileSync(path).equals(content));
	const again = await get(t, here, id, '-o', path);
	const all = { place: content.length, known: 0, zeros: 0, files: 0 };
	assert.equal([again.reused, again.wasThere], [all, true]);
});

test('the output for people has the bytes that were not fetched, by where they were found', async (t) => {
	const { folder, env, id } = await rig(t);
	mkdirSync(join(folder, 'disk'));
	writeFileSync(join(folder, 'disk', 'copy'), content);
	const like = ['--like', join(folder, 'disk')];
	const args = ['get', id, '--no-linger', '-o', join(folder, 'image.bin'), ...like];
	const { code, text } = await runShoal(t, args, { env });
	assert.is(code, 0);
	assert.match(
		text,
		/^complete \S+image\.bin {2}1\.84 MB\n {2}reused {2}1\.84 MB: 1\.31 MB in other contents, 524 kB zeros\n {2}sha256 {2}/m,
	);
	assert.not.match(text, /from {4}/);
});

test('chunks of a file that an earlier get has stored are found by the next one, and the file is shared without hashing', async (t) => {
	const here = await rig(t);
	const { folder, env, id, share } = here;
	const first = await get(t, here, id, '-o', join(folder, 'first.bin'));
	assert.equal(first.reused, { place: 0, known: CHUNK, zeros: 2 * CHUNK, files: 0 });
	const other = Buffer.concat([D, randomBytes(CHUNK), C, B, A, randomBytes(CHUNK)]);
	const next = await get(t, here, await share('next.bin', other), '-o', join(folder, 'next.bin'));
	assert.equal(next.reused, { place: 0, known: 4 * CHUNK, zeros: 0, files: 0 });
	assert.ok(readFileSync(join(folder, 'next.bin')).equals(other));
	assert.equal(readdirSync(join(folder, 'cache', 'shoal')).sort(), ['seeds', 'seeds.table']);
	const sharing = new Shoal(t, ['share', join(folder, 'first.bin')], env);
	assert.is((await sharing.event('sharing')).remembered, true);
	await sharing.end();
	rmSync(join(folder, 'first.bin'));
	const third = Buffer.concat([A, B, C, D, other.subarray(-CHUNK)]);
	const last = await get(t, here, await share('third.bin', third), '-o', join(folder, 'third.bin'));
	assert.equal(last.reused, { place: 0, known: 5 * CHUNK, zeros: 0, files: 0 }, 'in next.bin');
});

test('bytes from known files are counted apart from other known chunks', async (t) => {
	const here = await rig(t);
	const { folder, env } = here;
	mkdirSync(join(folder, 'source', 'deep'), { recursive: true });
	writeFileSync(join(folder, 'source', 'deep', 'one'), content);
	writeFileSync(join(folder, 'source', 'two'), 'text');
	const sharing = new Shoal(t, ['share', join(folder, 'source')], env);
	const { id } = await sharing.event('sharing');
	mkdirSync(join(folder, 'disk'));
	writeFileSync(join(folder, 'disk', 'other name'), content);
	const like = ['--like', join(folder, 'disk')];
	const out = join(folder, 'copy');
	const { reused, files } = await get(t, here, String(id), '-o', out, ...like);
	assert.is(files, 2);
	// The first chunk has the index; the last chunk has the file that is nowhere else.
	assert.ok((reused as { files: number }).files >= 5 * CHUNK, JSON.stringify(reused));
	assert.ok(readFileSync(join(out, 'deep', 'one')).equals(content));
});

test('a path of --like that cannot be read ends get before it connects', async (t) => {
	const { folder, id } = await rig(t);
	execFileSync('mkfifo', [join(folder, 'pipe')]);
	// Nothing listens on this port.
	const env = { ...CACHELESS, SHOAL_BROKER: 'mqtt://127.0.0.1:9' };
	const outcome = async (...args: string[]) => {
		const { code, stderr } = await runShoal(t, ['get', id, ...args], { env, cwd: folder });
		return `${code} ${stderr}`;
	};
	assert.match(
		await outcome('--like', 'gone', '--like', '.'),
		/^1 shoal: "gone": there is no such file or folder; check the path \(ERR_NO_FILE\)\n$/,
	);
	assert.match(await outcome('--like', 'pipe'), /^1 .*no ordinary file: it is a pipe.*\(ERR_IO\)/);
	assert.match(await outcome('--like', '/dev/null'), /^1 .*: it is a device.*\(ERR_IO\)/);
	assert.match(await outcome('--like', ''), /^2 .*--like is empty; .*\(ERR_USAGE\)\n$/);
	assert.match(
		await outcome('--like', '.', '-o', '-'),
		/^2 .*--like is for files and folders, not for -o - \(ERR_USAGE\)\n/,
	);
	assert.equal(readdirSync(folder), ['pipe']);
});

test.run();
