import { chmodSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { makePhotos } from '../helpers/fixtures/photos.ts';
import { contentOf } from '../helpers/fixtures/seeds.ts';
import { runShoal } from '../helpers/harness/plain-shoal.ts';
import { type CliEvent, Shoal, spawnBroker } from '../helpers/harness/shoal.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';

const test = suite('remembered seeds');

interface Prepared {
	readonly path: string;
	readonly env: NodeJS.ProcessEnv;
}

/** A file that was last changed more than two seconds ago, and a folder for caches. */
async function prepared(t: Scope): Promise<Prepared> {
	const folder = await makeFolder(t);
	const path = join(folder, 'file.bin');
	writeFileSync(path, contentOf(3_000_000));
	mkdirSync(join(folder, 'cache'));
	await new Promise((resolve) => setTimeout(resolve, 2_600));
	return { path, env: { ...process.env, XDG_CACHE_HOME: join(folder, 'cache') } };
}

test('share does not hash a file again that seed has hashed, except with --no-cache', async (t) => {
	const { path, env } = await prepared(t);
	const { url } = await spawnBroker(t);
	const seeded = new Shoal(t, ['seed', path], env);
	assert.is(await seeded.exit(), 0);
	assert.is((await seeded.event('seed')).remembered, false);
	const share = async (...options: string[]): Promise<CliEvent> => {
		const sharing = new Shoal(t, ['share', path, '--broker', url, ...options], env);
		const event = await sharing.event('sharing');
		await sharing.end();
		return event;
	};
	const { id, name, remembered } = await share();
	assert.equal([id, name, remembered], [seeded.all('seed')[0]?.id, 'file.bin', true]);
	assert.is((await share('--no-cache')).remembered, false);
	assert.is((await share('--name', 'other')).name, 'other');
	assert.is(readdirSync(join(env.XDG_CACHE_HOME as string, 'shoal', 'seeds')).length, 1);
});

test('a renamed file gets a seed with the new name', async (t) => {
	const { path, env } = await prepared(t);
	const seed = async (file: string): Promise<CliEvent> =>
		await new Shoal(t, ['seed', file], env).event('seed');
	const { id } = await seed(path);
	renameSync(path, `${path}.2`);
	const renamed = await seed(`${path}.2`);
	assert.equal([renamed.name, renamed.id], ['file.bin.2', id]);
});

test('a folder that has not changed is shared again without reading its files', async (t) => {
	const { path, beside } = await makePhotos(t);
	const env = { ...process.env, XDG_CACHE_HOME: join(beside, 'cache') };
	const { url } = await spawnBroker(t);
	const share = async (...options: string[]): Promise<CliEvent> => {
		const sharing = new Shoal(t, ['share', path, '--broker', url, ...options], env);
		const event = await sharing.event('sharing');
		await sharing.end();
		return event;
	};
	await new Promise((resolve) => setTimeout(resolve, 2_600));
	const first = await share();
	assert.is(first.remembered, false);
	const again = await share();
	assert.equal([again.id, again.files, again.remembered], [first.id, 4, true]);
	assert.is((await share('--no-cache')).remembered, false);
	const { text } = await runShoal(t, ['seed', path], { env });
	assert.match(text, /4 files, 701 kB, 3 chunks, not hashed again: the folder has not changed\n/);
	chmodSync(join(path, 'empty'), 0o755);
	assert.is((await share()).remembered, false);
});

test('a folder that was got is shared without reading its files, unless it was got in part or with --check chunks', async (t) => {
	const { path, beside } = await makePhotos(t);
	const env = { ...process.env, XDG_CACHE_HOME: join(beside, 'cache'), XDG_STATE_HOME: beside };
	const { url } = await spawnBroker(t);
	const sharing = new Shoal(t, ['share', path, '--broker', url]);
	const { id } = await sharing.event('sharing');
	const get = async (to: string, ...options: string[]): Promise<CliEvent> => {
		const args = ['get', String(id), '-o', join(beside, to), '--broker', url, '--no-linger'];
		const getter = new Shoal(t, [...args, ...options], env);
		assert.is(await getter.exit(), 0);
		return await new Shoal(t, ['seed', join(beside, to), '--name', 'photos'], env).event('seed');
	};
	const whole = await get('whole');
	assert.equal([whole.id, whole.remembered], [id, true]);
	const part = await get('part', '--only', '*.txt');
	assert.is(part.remembered, false);
	assert.is.not(part.id, id);
	assert.is((await get('unchecked', '--check', 'chunks')).remembered, false);
});

test.run();
