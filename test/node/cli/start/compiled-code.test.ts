import { execFile } from 'node:child_process';
import { chmod, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import * as assert from 'uvu/assert';
import { codeFolder } from '../../../../node/cli/start/compiled-code.ts';
import { makeFolder } from '../../../helpers/fixtures/folder.ts';
import { type Scope, suite } from '../../../helpers/harness/suite.ts';

const test = suite('compiled code');
const run = promisify(execFile);
const MODULE = new URL('../../../../node/cli/start/compiled-code.js', import.meta.url);
/** The module with what it needs, as it is shipped. The files that it imports load a whole broker. */
const bundled = build({
	entryPoints: [fileURLToPath(MODULE)],
	bundle: true,
	write: false,
	platform: 'node',
	format: 'esm',
});
const LOAD = `
	const { requireWithCode } = await import(process.argv[1]);
	const { answer } = requireWithCode(...process.argv.slice(2));
	console.log(answer());
`;
/** Prints first whether V8 rejected stored code: undefined if there was none. */
const TELL = `
	import vm from 'node:vm';
	vm.Script = class extends vm.Script {
		constructor(...args) {
			super(...args);
			console.log(this.cachedDataRejected);
		}
	};
	${LOAD}
`;
/** Uses one more function, in a process that takes more than a second, or less. */
const USE_MORE = (isLong: boolean): string => `
	const { requireWithCode } = await import(process.argv[1]);
	const { more } = requireWithCode(...process.argv.slice(2));
	setTimeout(() => console.log(more(), process.uptime() > 1), ${isLong ? 1_100 : 0});
`;

async function setUp(t: Scope) {
	const folder = await makeFolder(t);
	const path = join(folder, 'module.cjs');
	const code = join(folder, 'below', 'code');
	const more = `() => [${Array.from({ length: 500 }, (_, n) => `'text ${n}'`)}].length`;
	await writeFile(
		path,
		`exports.answer = () => require('node:path').join('a', 'b'); exports.more = ${more};`,
	);
	const loader = join(folder, 'loader.mjs');
	await writeFile(loader, (await bundled).outputFiles[0]?.contents ?? '');
	/** Loads the module in a new process. @returns the answer of the module */
	const load = async (use = '', script = LOAD): Promise<string> => {
		const args = ['--input-type=module', '-e', script, pathToFileURL(loader).href, path, code, use];
		const { stdout, stderr } = await run(process.execPath, args);
		assert.is(stderr, '');
		return stdout.trim();
	};
	const kept = async (): Promise<string[]> => (await readdir(code)).map((name) => join(code, name));
	return { path, code, load, kept };
}

test('is stored by the first run, readable only by the user, and used by the next run', async (t) => {
	const { load, kept, code } = await setUp(t);
	assert.is(await load('get'), 'a/b');
	const [file, ...others] = await kept();
	assert.equal(others, []);
	assert.match(file as string, /-get$/);
	const before = await stat(file as string);
	assert.is(before.mode & 0o777, 0o600);
	assert.is((await stat(code)).mode & 0o777, 0o700);
	assert.is(await load('get'), 'a/b');
	assert.is((await stat(file as string)).mtimeMs, before.mtimeMs);
	assert.is(await load('../../share'), 'a/b');
	assert.is((await kept()).length, 2, 'each use has its own file, always in this folder');
});

test('is stored again by a process that took long and used more functions', async (t) => {
	const { load, kept } = await setUp(t);
	await load();
	const [file] = (await kept()) as [string];
	const { size } = await stat(file);
	// On a busy machine, the short process may take long too.
	if ((await load('', USE_MORE(false))) === '500 false') {
		assert.is((await stat(file)).size, size);
	}
	assert.is(await load('', USE_MORE(true)), '500 true');
	const { size: larger, mtimeMs } = await stat(file);
	assert.ok(larger > size + 1_000, `${size} to ${larger}`);
	assert.is(await load('', USE_MORE(true)), '500 true');
	assert.is((await stat(file)).mtimeMs, mtimeMs, 'the same functions are not stored again');
});

test('of no use is used by a use that has none, which then gets its own', async (t) => {
	const { load, kept } = await setUp(t);
	assert.is(await load('', TELL), 'undefined\na/b');
	assert.is(await load('get', TELL), 'false\na/b', 'the code of no use was not rejected');
	assert.is((await kept()).length, 2);
});

test('is not used if it is damaged or belongs to another version of the module', async (t) => {
	const { path, load, kept } = await setUp(t);
	await load();
	const [file] = (await kept()) as [string];
	const good = await readFile(file);
	const flipped = [0, 0.1, 0.3, 0.6, 0.9].map((share) => {
		const bytes = Buffer.from(good);
		const start = Math.floor(good.length * share);
		return bytes.fill(0x5a, start, start + 16);
	});
	for (const bad of [
		Buffer.alloc(0),
		good.subarray(0, 100),
		Buffer.alloc(good.length, 7),
		...flipped,
	]) {
		await writeFile(file, bad);
		assert.is(await load(), 'a/b');
		assert.ok((await readFile(file)).length > 100, 'the damaged file is replaced');
	}
	await writeFile(path, "exports.answer = () => require('node:path').join('x', 'y');");
	assert.is(await load(), 'x/y');
});

test('of other versions is removed after a week', async (t) => {
	const { path, load, kept } = await setUp(t);
	await load();
	const [old] = (await kept()) as [string];
	const before = Date.now() / 1_000 - 8 * 86_400;
	await utimes(old, before, before);
	await utimes(path, before, before);
	await load();
	assert.not.ok((await kept()).includes(old));
	assert.is((await kept()).length, 1);
});

test('is stored beside the program if the user owns that folder and no other user can write to it', async (t) => {
	const folder = await makeFolder(t);
	await chmod(folder, 0o755);
	assert.is(codeFolder(folder), join(folder, 'code'));
	await chmod(folder, 0o775);
	assert.is(codeFolder(folder), undefined);
	await chmod(folder, 0o757);
	assert.is(codeFolder(folder), undefined);
	assert.is(process.getuid?.() === 0 ? undefined : codeFolder('/usr'), undefined);
});

test('that cannot be stored is no error', async (t) => {
	const { path, load, code } = await setUp(t);
	await writeFile(join(path, '..', 'below'), '');
	assert.is(await load(), 'a/b');
	assert.is(await stat(code).catch(() => 'nothing'), 'nothing');
});

test.run();
