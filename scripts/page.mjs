import { readdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build } from 'vite';

// The web page of the broker, from node/web to dist/web, and each file compressed beside it, as it is served.

const root = fileURLToPath(new URL('../node/web', import.meta.url));
const outDir = fileURLToPath(new URL('../dist/web', import.meta.url));

await build({
	root,
	base: './',
	configFile: false,
	logLevel: 'warn',
	build: {
		outDir,
		emptyOutDir: true,
		target: 'es2022',
		// Whatever is a file of its own is allowed by the content security policy; a data: URL is not.
		assetsInlineLimit: 0,
		modulePreload: { polyfill: false },
		reportCompressedSize: false,
	},
	worker: { format: 'es' },
	oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
});

for (const file of await readdir(outDir, { recursive: true, withFileTypes: true })) {
	if (/\.(js|css|html|svg)$/.test(file.name)) {
		const path = `${file.parentPath}/${file.name}`;
		const bytes = await readFile(path);
		await writeFile(`${path}.gz`, gzipSync(bytes, { level: 9 }));
		await writeFile(`${path}.br`, brotliCompressSync(bytes));
	}
}
