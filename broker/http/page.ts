import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import type { Route } from './http-server.ts';
import { chooseEncoding, matchesWeakly } from './negotiation.ts';

/** A file of the page, uncompressed and compressed. */
interface PageFile {
	readonly type: string;
	/** Bodies by content encoding. The uncompressed body is always present; its key is empty. */
	readonly bodies: ReadonlyMap<string, Buffer>;
	readonly etag: string;
}

const TYPES: Readonly<Record<string, string>> = {
	'.html': 'text/html; charset=utf-8',
	'.js': 'text/javascript; charset=utf-8',
	'.css': 'text/css; charset=utf-8',
	'.svg': 'image/svg+xml',
};
/** Suffixes of the compressed forms of a file, the smallest form first. */
const ENCODINGS = [
	['br', '.br'],
	['gzip', '.gz'],
] as const;

/**
 * The route for the files of a page, which may run only its own scripts and connect only to this
 * server. The files are read once, when the route is made: replacing a file while the broker runs
 * has no effect, and no request opens a file.
 *
 * @param folder folder of the page; the compressed forms of each file are beside it, as `.br` and
 *   `.gz`
 */
export function pageRoute(folder: string): Route {
	const files = readPage(folder);
	return ({ request, response, path, host }) => {
		const file = files.get(path === '/' ? '/index.html' : path);
		if (file === undefined) {
			return false;
		}
		response.setHeader('Content-Security-Policy', policyAt(host));
		// A file with a hash in its name never changes.
		const isFixed = path.startsWith('/assets/');
		response.setHeader(
			'Cache-Control',
			isFixed ? 'public, max-age=31536000, immutable' : 'no-cache',
		);
		response.setHeader('ETag', file.etag);
		response.setHeader('Vary', 'Accept-Encoding');
		const known = request.headers['if-none-match'];
		if (known !== undefined && matchesWeakly(known, file.etag)) {
			response.writeHead(304).end();
			return true;
		}
		const encodings = [...file.bodies.keys()].filter((each) => each !== '');
		const encoding = chooseEncoding(request.headers['accept-encoding']?.toString(), encodings);
		const body = file.bodies.get(encoding) as Buffer;
		if (encoding !== '') {
			response.setHeader('Content-Encoding', encoding);
		}
		response.setHeader('Content-Type', file.type);
		response.setHeader('Content-Length', body.length);
		response.end(request.method === 'HEAD' ? undefined : body);
		return true;
	};
}

function readPage(folder: string): ReadonlyMap<string, PageFile> {
	const files = new Map<string, PageFile>();
	for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
		const type = TYPES[extname(entry.name)];
		if (entry.isFile() && type !== undefined) {
			const path = join(entry.parentPath, entry.name);
			files.set(`/${relative(folder, path).split(sep).join('/')}`, readFile(path, type));
		}
	}
	return files;
}

function readFile(path: string, type: string): PageFile {
	const bodies = new Map<string, Buffer>();
	for (const [encoding, suffix] of ENCODINGS) {
		if (existsSync(path + suffix)) {
			bodies.set(encoding, readFileSync(path + suffix));
		}
	}
	const plain = readFileSync(path);
	bodies.set('', plain);
	const digest = createHash('sha256').update(plain).digest('base64url').slice(0, 22);
	return { type, bodies, etag: `W/"${digest}"` };
}

/**
 * The Content-Security-Policy. It names `host`, the requested host, as 'self' does not include
 * WebSockets in some browsers.
 */
function policyAt(host: string): string {
	return [
		"default-src 'none'",
		"script-src 'self' 'wasm-unsafe-eval'",
		"worker-src 'self'",
		"style-src 'self'",
		"img-src 'self'",
		`connect-src 'self' ws://${host} wss://${host}`,
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
	].join('; ');
}
