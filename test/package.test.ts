import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as assert from 'uvu/assert';
import { documents, linksOf, readDocument } from './docs/markdown.ts';
import { makeFolder } from './helpers/fixtures/folder.ts';
import { suite } from './helpers/harness/suite.ts';

const test = suite('the package');
const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const CONSUMER = `
import { readFileSync, writeFileSync } from 'node:fs';
import { ShoalNode, type DownloadResult, type Progress } from 'shoal';
import { Broker } from 'shoal/broker';
import { parseSeedId, type TrackerState } from 'shoal/protocol';

writeFileSync('hello.txt', 'hello from another folder');
const broker: Broker = await Broker.start({ port: 0 });
const seeder: ShoalNode = await ShoalNode.start({ broker: broker.url });
const { seed } = await seeder.share('hello.txt');
const id: string = parseSeedId(seed.id.toUpperCase());
const node = await ShoalNode.start({ broker: broker.url });
const onProgress = (progress: Progress): number => progress.have;
const result: DownloadResult = await node.get(id, { output: 'copy.txt', onProgress });
console.log(readFileSync(result.path, 'utf8'));
await node.close();
await seeder.close();
await broker.close();
export type State = TrackerState['state'];
// @ts-expect-error a path is no number, so this fails only if the types are found
export const wrong: number = result.path;
`;

test('the script of each worker thread is one file', async () => {
	const folder = join(ROOT, 'dist', 'node');
	const files = await readdir(folder, { recursive: true });
	// dist/node/web has the scripts of browsers, which are bundled with a page.
	const scripts = files.filter((file) => /-worker\.js$/.test(file) && !file.startsWith('web'));
	assert.ok(scripts.length > 0);
	for (const script of scripts) {
		const text = await readFile(join(folder, script), 'utf8');
		const imports = [...text.matchAll(/^import .* from ['"](.*)['"]/gm)].map(([, name]) => name);
		const others = imports.filter((name) => name?.startsWith('node:') !== true);
		assert.equal(others, [], script);
	}
});

test('the installed package has a command and typed exports that work', async (t) => {
	const folder = await makeFolder(t);
	await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
	// --install-links makes npm pack the project instead of linking it. Without scripts, the package
	// has the build that is tested here.
	const packed = ['--install-links', '--ignore-scripts', ROOT];
	const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', ...packed];
	await run('npm', install, { cwd: folder });

	const installed = join(folder, 'node_modules', 'shoal');
	const files = await readdir(installed, { recursive: true });
	assert.not(
		files.some((file) => /(^|\/)test(\/|$)|tsbuildinfo$/.test(file)),
		'no tests inside',
	);

	for (const file of ['Dockerfile', 'shoal-broker.service']) {
		assert.ok(files.includes(join('packaging', file)), file);
	}
	for (const document of await documents()) {
		for (const target of linksOf(await readDocument(document))) {
			const file = join(dirname(document), target.replace(/#.*/, ''));
			const isLocal = !/^([a-z]+:|#)/i.test(target);
			assert.ok(!isLocal || files.includes(file.replace(/\/$/, '')), `${document}: ${target}`);
		}
	}

	const shoal = join(folder, 'node_modules', '.bin', 'shoal');
	const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
	assert.is((await run(shoal, ['--version'])).stdout.trim(), version);
	await writeFile(join(folder, 'a file.txt'), 'abc');
	await run(shoal, ['seed', 'a file.txt'], { cwd: folder });
	const text = await readFile(join(folder, 'a file.txt.seed'), 'utf8');
	const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
	assert.is(text, `a file.txt\n3\n${abc}\n${abc}\n`);

	await writeFile(join(folder, 'consumer.ts'), CONSUMER);
	const types = ['--target', 'es2022', '--module', 'nodenext', '--strict', '--types', 'node'];
	const roots = ['--typeRoots', join(ROOT, 'node_modules', '@types')];
	const tsc = join(ROOT, 'node_modules', '.bin', 'tsc');
	await run(tsc, [...types, ...roots, '--skipLibCheck', 'false', 'consumer.ts'], { cwd: folder });
	const { stdout } = await run(process.execPath, ['consumer.js'], { cwd: folder });
	assert.is(stdout, 'hello from another folder\n');
});

test.run();
