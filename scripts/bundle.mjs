import { readFile, writeFile } from 'node:fs/promises';
import { build } from 'esbuild';

// One file for all commands instead of two hundred modules: a third of the time to start. In
// dist/bundle/cli, as deep as what it is made of, so that paths relative to a module still hold.
// CommonJS, as Node 20 can keep the compiled code of such a file only, and because the loader of ES
// modules takes 3 ms in each process.
const folder = 'dist/bundle/cli';
const workers = {
	'hash-worker': 'dist/node/hashing/hash-worker.js',
	'folder-worker': 'dist/node/hashing/folder/folder-worker.js',
	'content-worker': 'dist/node/chunk-writer/content-worker.js',
	'table-worker': 'dist/node/reuse/table-worker.js',
};
const node = { bundle: true, platform: 'node', target: 'node20.19', logLevel: 'warning' };

await build({
	...node,
	outdir: folder,
	entryPoints: {
		main: 'dist/node/cli/start/bundled-main.js',
		program: 'dist/node/cli/program.js',
		...workers,
	},
	minify: true,
	format: 'cjs',
	define: { 'import.meta.url': '__url' },
	banner: { js: "'use strict';const __url=require('node:url').pathToFileURL(__filename).href;" },
});

// The workers of the library as well, in place: a thread that loads fifty modules, MQTT.js among
// them, takes four times as much processor time to start.
await build({
	...node,
	outdir: 'dist/node',
	outbase: 'dist/node',
	entryPoints: Object.values(workers),
	allowOverwrite: true,
	sourcemap: true,
	format: 'esm',
});

await writeFile(`${folder}/package.json`, '{ "type": "commonjs" }\n');

// The program is ASCII only: with a single other character, V8 needs two bytes for each character of the file, and
// three times as long to read it. esbuild escapes such characters, except in regular expressions.
const program = `${folder}/program.js`;
const text = await readFile(program, 'utf8');
await writeFile(
	program,
	text.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
);
