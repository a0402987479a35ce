import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import type { Scope } from '../helpers/harness/suite.ts';

const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript' };

/**
 * Serves the files of a folder on loopback until the test ends.
 *
 * @param headers of every response
 * @returns the origin
 */
export async function serveFolder(
	t: Scope,
	folder: string,
	headers: Readonly<Record<string, string>> = {},
): Promise<string> {
	const server = createServer(async ({ url = '/' }, response) => {
		const path = url === '/' ? '/index.html' : url;
		try {
			const bytes = await readFile(join(folder, path));
			for (const [name, value] of Object.entries(headers)) {
				response.setHeader(name, value);
			}
			response.setHeader('Content-Type', TYPES[extname(path)] ?? 'application/octet-stream');
			response.end(bytes);
		} catch {
			response.writeHead(404).end();
		}
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	t.defer(() => server.close());
	return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
