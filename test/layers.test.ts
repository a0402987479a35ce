import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path/posix';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { suite } from './helpers/harness/suite.ts';

const test = suite('the layers of the sources');
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/**
 * The folders of the sources, lowest first: a file imports only from its own folder and from what stands before it.
 * A file that stands here by itself is not where its folder is.
 */
const LAYERS = [
	'protocol',
	'protocol/seed',
	'protocol/folder',
	'protocol/packets',
	'protocol/messages',
	'protocol/link',
	'protocol/fixed-limits.ts',
	'protocol/index.ts',

	'broker/aedes',
	'broker/net',
	'broker/access',
	'broker/tracker',
	'broker/metrics',
	'broker/http',
	'broker',
	'broker/index.ts',
	'broker/for-nodes.ts',

	'node/util',
	'node/storage',
	'node/storage/folder',
	'node/engine',
	'node/hashing',
	'node/hashing/folder',
	'node/chunk-writer',
	'node/lanes/transport',
	'node/lanes',
	'node/stats',
	'node/tracker',
	'node/peers',
	'node/seeding',
	'node/download/target',
	'node/download',
	'node/streaming',
	'node',
	'node/gateway',
	'node/index.ts',

	'node/web',
	'node/web/mqtt',
	'node/web/worker',
	'node/web/page',
	'node/web/index.ts',

	'node/cli',
	'node/cli/terminal',
	'node/cli/command.ts',
	'node/cli/parse',
	'node/cli/connect',
	'node/cli/broker',
	'node/cli/demo',
	'node/cli/commands',
	'node/cli/run.ts',
	'node/cli/program.ts',
	'node/cli/start',
	'node/cli/main.ts',
];

/** Files that may lie in a folder beside its own folders. */
const MOST_LOOSE_FILES = { node: 12, broker: 10, 'node/cli': 10, protocol: 14 };

const IMPORT =
	/^(?:import|export)\b[^;'"]*?\bfrom '(\.[^']+)'|^import '(\.[^']+)'|\bimport\('(\.[^']+)'\)/gm;

/** The TypeScript files below `folder`, by their paths from the project's folder. */
async function filesIn(folder: string): Promise<string[]> {
	const names = await readdir(join(ROOT, folder), { recursive: true });
	return names
		.map((name) => join(folder, name.replaceAll('\\', '/')))
		.filter((name) => /\.tsx?$/.test(name))
		.sort();
}

async function sourceFiles(): Promise<string[]> {
	return (await Promise.all(['protocol', 'broker', 'node'].map(filesIn))).flat();
}

/** The files of the project that `file` imports, types as well. */
async function importsOf(file: string): Promise<string[]> {
	const text = await readFile(join(ROOT, file), 'utf8');
	const paths = [...text.matchAll(IMPORT)].map(([, from, bare, late]) => from ?? bare ?? late);
	return paths.map((path) => normalize(join(dirname(file), path as string)));
}

/** @returns the place of `file` in {@link LAYERS}, -1 if it has none */
function layerOf(file: string): number {
	const own = LAYERS.indexOf(file);
	return own >= 0 ? own : LAYERS.indexOf(dirname(file));
}

test('every folder of sources has its layer, and every layer is there', async () => {
	const files = await sourceFiles();
	assert.equal(
		files.filter((file) => layerOf(file) < 0),
		[],
	);
	const known = new Set([...files, ...files.map(dirname)]);
	assert.equal(
		LAYERS.filter((layer) => !known.has(layer)),
		[],
	);
});

test('a file imports only what is below it', async () => {
	const upward: string[] = [];
	for (const file of await sourceFiles()) {
		for (const imported of await importsOf(file)) {
			if (layerOf(imported) > layerOf(file)) {
				upward.push(`${file} -> ${imported}`);
			}
		}
	}
	assert.equal(upward, [], 'imports that go upward');
});

test('few files lie beside the folders', async () => {
	for (const [folder, most] of Object.entries(MOST_LOOSE_FILES)) {
		const loose = (await filesIn(folder)).filter((file) => dirname(file) === folder);
		assert.ok(loose.length <= most, `${folder}: ${loose.length} files, ${most} at most`);
	}
});

test('every folder of unit tests mirrors a folder of sources', async () => {
	const folders = new Set((await sourceFiles()).map(dirname));
	for (const part of ['protocol', 'broker', 'node']) {
		const strays = (await filesIn(`test/${part}`)).filter((file) => {
			return !folders.has(dirname(file).slice('test/'.length));
		});
		assert.equal(strays, []);
	}
});

test.run();
