import { readdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build } from 'vite';

// The web page of the broker, from node/web to dist/web, and each file compressed beside it, as it is served.

const root = fileURLToPath(new URL('../node/web', import.meta.url));
const outDir = fileURLToPath(new URL('../dist/web', import.meta.url));

// The chunk that verifies signatures needs SHA-512, which is in one module with SHA-256. With a copy of
// this module of its own, the code that every page loads first stays without SHA-512.
const ownHashes = {
	name: 'own-hashes',
	enforce: 'pre',
	async resolveId(source, importer, options) {
		if (source === '@noble/hashes/sha2.js' && importer?.includes('/@noble/curves/')) {
			const { id } = await this.resolve(source, importer, { ...options, skipSelf: true });
			return `${id}?signatures`;
		}
	},
};

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
	worker: { format: 'es', plugins: () => [ownHashes] },
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
