import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { isSeedId, type Seed, ShoalError, safeFileName } from '../../protocol/index.ts';
import type { ContentStream } from '../content-stream.ts';
import type { ShoalNode } from '../node.ts';
import { namesTag, parseHttpRange } from './http-range.ts';
import { type Problem, problemOf } from './problem.ts';

/** Options of {@link Gateway.start}. */
export interface GatewayOptions {
	/** Address to listen on. @default 127.0.0.1 */
	readonly host?: string | undefined;
	/** TCP port; 0 takes any that is free. @default 8080 */
	readonly port?: number | undefined;
	/** Names, beside addresses and localhost, by which it may be asked. @default none */
	readonly names?: readonly string[] | undefined;
	readonly onWarning?: ((error: unknown) => void) | undefined;
}

/** Connections at a time, and ms without a request after which one is closed. */
const MOST_CONNECTIONS = 256;
const IDLE = 60_000;

/**
 * Files of the swarm by HTTP, for whatever speaks it: `/seeds`, `/seeds/<id>` and `/files/<id>`. A file is
 * streamed while it comes from other nodes, each chunk verified, and nothing that is not asked for is fetched.
 */
export class Gateway {
	readonly #node: ShoalNode;
	readonly #server: Server;
	readonly #names: ReadonlySet<string>;
	readonly #warn: (error: unknown) => void;

	private constructor(node: ShoalNode, { names = [], onWarning = () => {} }: GatewayOptions) {
		this.#node = node;
		this.#names = new Set(names.map((name) => name.toLowerCase()));
		this.#warn = onWarning;
		this.#server = createServer((request, response) => {
			this.#answer(request, response).catch((error: unknown) => {
				const problem = problemOf(error);
				const isLeft = response.destroyed;
				if (response.headersSent) {
					// The length was promised: to break off is the only way to say that it is not kept.
					response.destroy();
				} else {
					tell(response, problem);
				}
				if (problem.status >= 500 && !isLeft) {
					this.#warn(error);
				}
			});
		});
		this.#server.maxConnections = MOST_CONNECTIONS;
		this.#server.keepAliveTimeout = IDLE;
	}

	/** @throws ShoalError ERR_PORT if it cannot listen there */
	static async start(node: ShoalNode, options: GatewayOptions = {}): Promise<Gateway> {
		const { host = '127.0.0.1', port = 8080 } = options;
		const gateway = new Gateway(node, options);
		await new Promise<void>((resolve, reject) => {
			gateway.#server.once('error', (cause) => {
				const why = `cannot listen on port ${port} of ${host}: ${cause.message}`;
				reject(new ShoalError('ERR_PORT', why, { cause }));
			});
			gateway.#server.listen({ host, port }, resolve);
		});
		gateway.#server.on('error', gateway.#warn);
		return gateway;
	}

	/** Where it is asked. */
	get url(): string {
		const { address, family, port } = this.#server.address() as AddressInfo;
		return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
	}

	/** Ends every connection and listens no more. */
	async close(): Promise<void> {
		const isClosed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
		this.#server.closeAllConnections();
		await isClosed;
	}

	async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
		// What is handed out may be anything: no browser is to take it for a page of ours.
		response.setHeader('X-Content-Type-Options', 'nosniff');
		response.setHeader('Content-Security-Policy', "default-src 'none'; sandbox");
		const refusal = this.#whyNot(request);
		if (refusal !== undefined) {
			tell(response, refusal);
			return;
		}
		const { pathname } = new URL(request.url ?? '/', 'http://gateway');
		const [, what, id, ...rest] = pathname.split('/');
		if (what === 'seeds' && id === undefined) {
			await this.#seeds(response);
		} else if (what === 'seeds' && rest.length === 0) {
			const { nodes, seeders, downloaders } = await this.#node.who(id as string);
			if (seeders + downloaders === 0) {
				throw new ShoalError('ERR_NOT_FOUND', `nobody has the seed ${id}`);
			}
			json(response, { id, seeders, downloaders, nodes: nodes.map(withoutTicket) });
		} else if (what === 'files' && rest.length === 0) {
			await this.#file(id ?? '', request, response);
		} else {
			const detail = 'there are /seeds, /seeds/<id> and /files/<id>';
			tell(response, { status: 404, title: 'No such page', detail, code: 'ERR_NOT_FOUND' });
		}
	}

	/**
	 * A page of somebody else may not ask by a name that it has had pointed here, nor in the name of whoever
	 * looks at it: loopback is no defence against that.
	 */
	#whyNot({ method, headers, url = '/' }: IncomingMessage): Problem | undefined {
		const host = hostOf(`http://${headers.host ?? ''}`);
		const { origin } = headers;
		if (!this.#isOurs(host) || (origin !== undefined && hostOf(origin) !== host)) {
			const detail = 'it is asked by its address, or a name it was given, and by no other page';
			return { status: 403, title: 'Not from there', detail, code: 'ERR_REFUSED' };
		}
		if (!URL.canParse(url, 'http://gateway')) {
			const detail = 'the path of the request cannot be read';
			return { status: 400, title: 'No such path', detail, code: 'ERR_USAGE' };
		}
		if (method !== 'GET' && method !== 'HEAD') {
			const detail = 'there is GET and HEAD';
			return { status: 405, title: 'Not that way', detail, code: 'ERR_USAGE' };
		}
		return undefined;
	}

	#isOurs(host: string | undefined): boolean {
		const isAddress = isIP(host ?? '') !== 0;
		return isAddress || host === 'localhost' || this.#names.has(host ?? '');
	}

	async #seeds(response: ServerResponse): Promise<void> {
		const seeds = [];
		for await (const { seed: id, ...about } of this.#node.seeds()) {
			seeds.push({ id, ...about });
		}
		json(response, { seeds });
	}

	async #file(id: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
		if (!isSeedId(id)) {
			throw new ShoalError('ERR_ID', 'a seed id is 64 lower-case hex digits');
		}
		const { headers, method } = request;
		// The id names the content, whatever it is called.
		const etag = `"${id}"`;
		response.setHeader('ETag', etag);
		if (headers['if-match'] !== undefined && !namesTag(headers['if-match'], etag)) {
			const detail = 'the content of a seed never changes';
			tell(response, { status: 412, title: 'Another content', detail, code: 'ERR_CHANGED' });
			return;
		}
		if (headers['if-none-match'] !== undefined && namesTag(headers['if-none-match'], etag)) {
			response.writeHead(304).end();
			return;
		}
		const ifRange = headers['if-range'];
		const isSame = ifRange === undefined || ifRange === etag;
		const range = isSame ? parseHttpRange(headers.range) : undefined;
		const content = this.#node.stream(id, range ?? {});
		content.on('error', () => {});
		response.once('close', () => content.destroy());
		const { seed, start, length } = await this.#open(content, id, response);
		response.setHeader('Accept-Ranges', 'bytes');
		response.setHeader('Cache-Control', 'public, max-age=31536000, immutable');
		response.setHeader('Content-Type', 'application/octet-stream');
		response.setHeader('Content-Disposition', disposition(seed));
		response.setHeader('Content-Length', length);
		if (range !== undefined) {
			response.setHeader('Content-Range', `bytes ${start}-${start + length - 1}/${seed.length}`);
		}
		response.writeHead(range === undefined ? 200 : 206);
		if (method === 'HEAD') {
			response.end();
			content.destroy();
			return;
		}
		await pipeline(content, response);
	}

	/** Which bytes come. Of a range that is none, the length of the content is told. */
	async #open(content: ContentStream, id: string, response: ServerResponse) {
		try {
			return await content.opened;
		} catch (error) {
			if (error instanceof ShoalError && error.code === 'ERR_RANGE') {
				const whole = this.#node.stream(id, {});
				whole.on('error', () => {});
				const { seed } = await whole.opened.finally(() => whole.destroy());
				response.setHeader('Content-Range', `bytes */${seed.length}`);
			}
			throw error;
		}
	}
}

/** Who asks is not let in to other nodes by what the gateway was given for itself. */
function withoutTicket<T extends { readonly ticket?: string | undefined }>({
	ticket: _,
	...rest
}: T) {
	return rest;
}

/** Always to be saved, under a name that does no harm (RFC 6266, RFC 8187); for some in ASCII. */
function disposition({ name }: Seed): string {
	const safe = safeFileName(name);
	const encoded = encodeURIComponent(safe).replace(/['()*]/g, (sign) => {
		return `%${sign.charCodeAt(0).toString(16).toUpperCase()}`;
	});
	const plain = safe.replace(/[^A-Za-z0-9._ ()-]/g, '_');
	return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}

function hostOf(url: string): string | undefined {
	return URL.canParse(url)
		? new URL(url).hostname.replace(/^\[|\]$/g, '').toLowerCase()
		: undefined;
}

function json(response: ServerResponse, body: unknown): void {
	response.setHeader('Content-Type', 'application/json');
	response.end(`${JSON.stringify(body)}\n`);
}

function tell(response: ServerResponse, problem: Problem): void {
	if (problem.status === 405) {
		response.setHeader('Allow', 'GET, HEAD');
	}
	response.setHeader('Content-Type', 'application/problem+json');
	response.writeHead(problem.status).end(`${JSON.stringify(problem)}\n`);
}
