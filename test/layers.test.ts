import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path/posix';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { suite } from './helpers/harness/suite.ts';

const test = suite('the layers of the sources');
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/**
 * The layers of the sources, lowest first: a file imports only from its own layer and lower ones.
 * A layer is a folder, or a single file that is in another layer than the rest of its folder.
 */
const LAYERS = [
	'protocol',
	'protocol/seed',
	'protocol/folder',
	'protocol/packets',
	'protocol/messages',
	'protocol/channel',
	'protocol/link',
	'protocol/fixed-limits.ts',
	'protocol/index.ts',

	'broker/aedes',
	'broker/net',
	'broker/access',
	'broker/channels',
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
	'node/reuse',
	'node/chunk-writer',
	'node/lanes/transport',
	'node/lanes',
	'node/stats',
	'node/tracker',
	'node/channel',
	'node/peers',
	'node/seeding',
	'node/download/target',
	'node/download',
	'node/channel/place',
	'node/publish',
	'node/follow',
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
	'node/cli/start/late-optimization.ts',
	'node/cli/run.ts',
	'node/cli/definitions',
	'node/cli/program.ts',
	'node/cli/start',
	'node/cli/main.ts',
];

/** The most files that may lie directly in a folder, beside its subfolders. */
const MOST_LOOSE_FILES = { node: 12, broker: 10, 'node/cli': 10, protocol: 14 };

const IMPORT =
	/^(?:import|export)\b[^;'"]*?\bfrom '(\.[^']+)'|^import '(\.[^']+)'|\bimport\('(\.[^']+)'\)/gm;

/** The TypeScript files below `folder`, as paths relative to the folder of the project. */
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

/** The files of the project that `file` imports, including imports of types. */
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

test('every folder of sources has a layer, and every layer exists', async () => {
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

test('a file imports only from its own layer and from lower layers', async () => {
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

test('only a few files lie directly in a folder with subfolders', async () => {
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
