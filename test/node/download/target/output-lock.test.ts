import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { utimesSync } from 'node:fs';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { OutputLock } from '../../../../node/download/target/output-lock.ts';
import { partPathsOf } from '../../../../node/download/target/part-paths.ts';
import { hasEnded, thisProcess } from '../../../../node/download/target/process-identity.ts';
import { makeFolder } from '../../../helpers/fixtures/folder.ts';
import { contentOf, seedOf } from '../../../helpers/fixtures/seeds.ts';
import { rejects } from '../../../helpers/harness/rejects.ts';
import { type Scope, suite } from '../../../helpers/harness/suite.ts';
import { until } from '../../../helpers/harness/until.ts';

const test = suite('OutputLock');
const seed = seedOf(contentOf(1_000));
const other = seedOf(contentOf(1_001));

async function place(t: Scope) {
	const folder = await makeFolder(t);
	return { folder, paths: partPathsOf(join(folder, 'file.bin'), seed) };
}

async function take(t: Scope, paths: Parameters<typeof OutputLock.take>[0], of = seed) {
	const lock = await OutputLock.take(paths, of);
	t.defer(() => lock.release());
	return lock;
}

/** Returns the id of a process of this machine that has ended. */
async function endedProcess(): Promise<number> {
	const child = spawn(process.execPath, ['-e', '']);
	await once(child, 'close');
	return child.pid as number;
}

function lockText(pid: number, { scope = 'elsewhere/1', startedAt = '5', id = seed.id } = {}) {
	return `shoal-lock 1 some-token ${id} ${pid} ${scope} ${startedAt}\n`;
}

test('one holder has the lock at a time, the others get it one after the other, and no file is left', async (t) => {
	const { folder, paths } = await place(t);
	let at = 0;
	let most = 0;
	let waited = 0;
	const onWait = (): void => {
		waited += 1;
	};
	await Promise.all(
		Array.from({ length: 5 }, async () => {
			const lock = await OutputLock.take(paths, seed, { onWait });
			at += 1;
			most = Math.max(most, at);
			await until('somebody waits', () => waited > 0);
			at -= 1;
			await lock.release();
			await lock.release();
		}),
	);
	assert.is(most, 1);
	assert.equal(await readdir(folder), []);
});

test('for another content, take fails at once and names the content of the holder', async (t) => {
	const { paths } = await place(t);
	await take(t, paths);
	const error = await rejects(OutputLock.take({ ...paths }, other));
	assert.is(error.code, 'ERR_EXISTS');
	assert.match(error.message, `process ${process.pid}`);
	assert.match(error.message, seed.id);
});

test('a signal stops waiting for the lock', async (t) => {
	const { paths } = await place(t);
	await take(t, paths);
	const stop = new AbortController();
	const waiting = OutputLock.take(paths, seed, {
		signal: stop.signal,
		onWait: () => stop.abort(),
	});
	assert.is((await rejects(waiting)).code, 'ERR_ABORTED');
});

test('a lock whose process has ended is taken over at once, by one waiting caller at a time', async (t) => {
	const { scope } = await thisProcess();
	if (scope === '-') {
		return;
	}
	const { folder, paths } = await place(t);
	await writeFile(paths.lock, lockText(await endedProcess(), { scope, id: other.id }));
	let at = 0;
	let most = 0;
	await Promise.all(
		Array.from({ length: 4 }, async () => {
			const lock = await OutputLock.take(paths, seed);
			at += 1;
			most = Math.max(most, at);
			await new Promise((resolve) => setImmediate(resolve));
			at -= 1;
			await lock.release();
		}),
	);
	assert.is(most, 1);
	assert.equal(await readdir(folder), []);
	assert.is(await hasEnded({ pid: process.pid, scope, startedAt: '1' }), true);
	assert.is(await hasEnded(await thisProcess()), false);
	assert.is(await hasEnded({ pid: 1, scope: 'elsewhere/1', startedAt: '1' }), undefined);
});

test('a lock that this process has left behind is taken over at once', async (t) => {
	const { pid, ...own } = await thisProcess();
	const { paths } = await place(t);
	await writeFile(paths.lock, lockText(pid, own));
	await take(t, paths);
	assert.match(await readFile(paths.lock, 'latin1'), seed.id);
});

test('a lock of another machine is waited for only as long as its file is touched', async (t) => {
	const { paths } = await place(t);
	await writeFile(paths.lock, lockText(1));
	let signs = 0;
	const onWait = (): void => {
		signs += 1;
		if (signs < 20) {
			utimesSync(paths.lock, signs, signs);
		}
	};
	const lock = await OutputLock.take(paths, seed, { onWait, silence: 500 });
	t.defer(() => lock.release());
	assert.ok(signs >= 20, `${signs} signs`);
	assert.not.match(await readFile(paths.lock, 'latin1'), 'some-token');
});

test('a lock of another content whose owner may be dead, as after a loss of power, is taken over unless a sign comes', async (t) => {
	const { paths } = await place(t);
	await writeFile(paths.lock, lockText(1, { id: other.id }));
	const lock = await OutputLock.take(paths, seed, { silence: 500 });
	await lock.release();
	await writeFile(paths.lock, lockText(1, { id: other.id }));
	let signs = 0;
	const onWait = (): void => {
		signs += 1;
		utimesSync(paths.lock, signs, signs);
	};
	const error = await rejects(OutputLock.take(paths, seed, { onWait }));
	assert.is(error.code, 'ERR_EXISTS');
	assert.match(error.message, 'process 1');
	assert.is(signs, 1);
});

test('release does not remove a lock that belongs to another holder meanwhile', async (t) => {
	const { paths } = await place(t);
	const lock = await take(t, paths);
	await writeFile(paths.lock, lockText(1));
	await lock.release();
	assert.match(await readFile(paths.lock, 'latin1'), 'some-token');
});

test('a folder or a link at the path of the lock is an error, and is left unchanged', async (t) => {
	for (const make of [mkdir, (path: string) => symlink('/dev/null', path)]) {
		const { folder, paths } = await place(t);
		await make(paths.lock);
		const error = await rejects(OutputLock.take(paths, seed));
		assert.is(error.code, 'ERR_EXISTS');
		assert.match(error.message, 'is in the way');
		assert.equal(await readdir(folder), ['file.bin.shoal-lock']);
	}
});

test('long names with the same beginning have different locks', async (t) => {
	const folder = await makeFolder(t);
	const [one, two] = ['a', 'b'].map((end) =>
		partPathsOf(join(folder, 'x'.repeat(254) + end), seed),
	) as [ReturnType<typeof partPathsOf>, ReturnType<typeof partPathsOf>];
	await take(t, one);
	await take(t, two, other);
	assert.is((await readdir(folder)).length, 2);
});

test.run();
