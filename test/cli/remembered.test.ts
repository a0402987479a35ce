import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { contentOf } from '../helpers/fixtures/seeds.ts';
import { type CliEvent, Shoal, spawnBroker } from '../helpers/harness/shoal.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';

const test = suite('remembered seeds');

interface Prepared {
	readonly path: string;
	readonly env: NodeJS.ProcessEnv;
}

/** A file that has not been changed for a while, and a folder for caches. */
async function prepared(t: Scope): Promise<Prepared> {
	const folder = await makeFolder(t);
	const path = join(folder, 'file.bin');
	writeFileSync(path, contentOf(3_000_000));
	mkdirSync(join(folder, 'cache'));
	await new Promise((resolve) => setTimeout(resolve, 2_600));
	return { path, env: { ...process.env, XDG_CACHE_HOME: join(folder, 'cache') } };
}

test('what seed has hashed share does not hash again, unless it is told to', async (t) => {
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

test('a file that has another name now gets a seed of that name', async (t) => {
	const { path, env } = await prepared(t);
	const seed = async (file: string): Promise<CliEvent> =>
		await new Shoal(t, ['seed', file], env).event('seed');
	const { id } = await seed(path);
	renameSync(path, `${path}.2`);
	const renamed = await seed(`${path}.2`);
	assert.equal([renamed.name, renamed.id], ['file.bin.2', id]);
});

test.run();
