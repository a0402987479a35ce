import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import type { Scope } from '../helpers/harness/suite.ts';

// This file runs as dist/test/web/library-app.js.
const LIBRARY = fileURLToPath(new URL('../../node/web/index.js', import.meta.url));

/**
 * Builds the page of an application that uses the library in a worker. `ask({ url, get })`
 * downloads a file and returns its SHA-256, `ask({ url, share })` shares that number of bytes and
 * returns the id, `ask({ warnings: true })` returns the codes of all warnings.
 *
 * @returns the folder of the built page
 */
export async function buildApp(t: Scope): Promise<string> {
	const root = await makeFolder(t);
	await writeFile(
		join(root, 'index.html'),
		'<link rel="icon" href="data:,"><script type="module" src="./app.js"></script>',
	);
	await writeFile(
		join(root, 'app.js'),
		`const worker = new Worker(new URL('./work.js', import.meta.url), { type: 'module' });
		window.ask = (order) => new Promise((resolve) => {
			worker.onmessage = ({ data }) => resolve(data);
			worker.postMessage(order);
		});`,
	);
	await writeFile(
		join(root, 'work.js'),
		`import { BrowserNode } from ${JSON.stringify(LIBRARY)};
		const hex = async (blob) => [...new Uint8Array(await crypto.subtle.digest('SHA-256', await blob.arrayBuffer()))]
			.map((byte) => byte.toString(16).padStart(2, '0')).join('');
		let node;
		const warnings = [];
		onmessage = async ({ data }) => {
			try {
				if (node === undefined) {
					node = await BrowserNode.start({ url: data.url });
					node.on('warning', (error) => warnings.push(String(error.code ?? error)));
				}
				if (data.warnings === true) {
					postMessage(warnings);
				} else if (data.get !== undefined) {
					const { blob } = await node.get(data.get);
					postMessage(await hex(blob));
				} else {
					const seed = await node.share(new File([new Uint8Array(data.share).fill(7)], 'sevens.bin'));
					postMessage(seed.id);
				}
			} catch (error) {
				postMessage(String(error.code ?? error));
			}
		};`,
	);
	const outDir = join(root, 'out');
	const worker = { format: 'es' as const };
	await build({
		root,
		base: './',
		configFile: false,
		logLevel: 'silent',
		worker,
		build: { outDir },
	});
	return outDir;
}
