import { build } from 'esbuild';

// One file a command instead of two hundred modules: a third of the time to start. In
// dist/bundle/cli, as deep as what it is made of, so that paths relative to a module still hold.
await build({
	entryPoints: {
		main: 'dist/node/cli/main.js',
		'hash-worker': 'dist/node/hashing/hash-worker.js',
		'write-worker': 'dist/node/chunk-writer/write-worker.js',
	},
	outdir: 'dist/bundle/cli',
	bundle: true,
	splitting: true,
	minify: true,
	platform: 'node',
	format: 'esm',
	target: 'node20.19',
	// MQTT.js and others are CommonJS and ask for Node's modules with `require`.
	banner: {
		js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
	},
	logLevel: 'warning',
});
