import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import {
	matches,
	matchesWeakly,
	needsToken,
	type Route,
	tellJson,
	tellProblem,
	type Visit,
} from '../../broker/index.ts';
import {
	isSeedId,
	type Seed,
	type SeedListing,
	ShoalError,
	safeFileName,
	type TrackerReply,
} from '../../protocol/index.ts';
import type { RangeOptions } from '../streaming/content-range.ts';
import type { ContentStream } from '../streaming/content-stream.ts';
import { parseHttpRange } from './http-range.ts';

/** The part of a node that the gateway uses. Its methods throw ShoalErrors, as those of `ShoalNode` do. */
export interface GatewayNode {
	/** Every seed that the tracker lists. */
	seeds(): AsyncIterable<SeedListing>;
	/** The nodes that have a seed. */
	who(id: string): Promise<Extract<TrackerReply, { op: 'query' }>>;
	/**
	 * The seed id that `what` names; `what` is an id in another form, the start of an id, or a file
	 * name.
	 */
	resolve(what: string, options: { readonly patience: number }): Promise<string>;
	/** The bytes of a range, fetched while they are read. */
	stream(id: string, range: RangeOptions): ContentStream;
}

/**
 * A route of an {@link HttpServer} that serves the swarm by HTTP: `/seeds`, `/seeds/<id>` and
 * `/files/<id>`. In place of the id, a path may have the start of an id or a file name, if only one
 * seed has it. A file is streamed while its chunks arrive, each chunk verified. If a range is
 * requested, only the chunks that contain its bytes are fetched.
 *
 * @param node returns the node to use; called at each request
 */
export function gatewayRoute(node: () => Promise<GatewayNode>): Route {
	return async (visit) => {
		const [, what, id, ...rest] = visit.path.split('/');
		if ((what !== 'seeds' && what !== 'files') || rest.length > 0) {
			return false;
		}
		if (!needsToken(visit, what === 'seeds' ? 'watch' : 'node')) {
			await new Gateway(await node()).answer(visit, what, id);
		}
		return true;
	};
}

/**
 * `private`, because some caches give a public response to every later client, whatever token the
 * first request had (RFC 9111, 3.5).
 */
const CACHED = 'private, max-age=31536000, immutable';
/** A name may stand for another file later, so caches revalidate the response by its ETag. */
const ASKED_AGAIN = 'private, no-cache';

class Gateway {
	readonly #node: GatewayNode;

	constructor(node: GatewayNode) {
		this.#node = node;
	}

	/** @throws ShoalError the errors of the node */
	async answer(visit: Visit, what: 'seeds' | 'files', id: string | undefined): Promise<void> {
		if (what === 'files') {
			await this.#file(id ?? '', visit);
		} else if (id === undefined) {
			await this.#seeds(visit.response);
		} else {
			await this.#seed(id, visit.response);
		}
	}

	async #seed(named: string, response: ServerResponse): Promise<void> {
		const id = await this.#idOf(named);
		const { nodes, seeders, downloaders } = await this.#node.who(id);
		if (seeders + downloaders === 0) {
			throw new ShoalError('ERR_NOT_FOUND', `nobody has the seed ${id}`);
		}
		tellJson(response, { id, seeders, downloaders, nodes: nodes.map(withoutTicket) });
	}

	async #seeds(response: ServerResponse): Promise<void> {
		const seeds = [];
		for await (const { seed: id, ...about } of this.#node.seeds()) {
			seeds.push({ id, ...about });
		}
		tellJson(response, { seeds });
	}

	/** The id that a segment of a path names. @throws ShoalError ERR_ID, ERR_NOT_FOUND, ERR_AMBIGUOUS */
	async #idOf(segment: string): Promise<string> {
		if (isSeedId(segment)) {
			return segment;
		}
		let named: string;
		try {
			named = decodeURIComponent(segment);
		} catch {
			throw new ShoalError('ERR_ID', 'the seed id in the path is not valid URL encoding');
		}
		return await this.#node.resolve(named, { patience: 0 });
	}

	async #file(named: string, { request, response }: Visit): Promise<void> {
		const id = await this.#idOf(named);
		const { headers, method } = request;
		// The id identifies the content, whatever the name of the file is.
		const etag = `"${id}"`;
		response.setHeader('ETag', etag);
		response.setHeader('Cache-Control', id === named ? CACHED : ASKED_AGAIN);
		if (this.#answerCondition(headers, etag, response)) {
			return;
		}
		const ifRange = headers['if-range'];
		const isSame = ifRange === undefined || ifRange === etag;
		// A range is defined for GET only (RFC 9110, 14.2).
		const isForRange = isSame && method === 'GET';
		const asked = isForRange ? parseHttpRange(headers.range) : undefined;
		const content = this.#node.stream(id, asked ?? {});
		content.on('error', () => {});
		response.once('close', () => content.destroy());
		const { seed, start, length } = await this.#open(content, id, response);
		// An empty content has no byte to start at, so a range with a start is an error. A range of
		// the last bytes is answered with the whole content.
		const range = length === 0 ? undefined : asked;
		if (length === 0 && (asked?.start ?? -1) >= 0) {
			content.destroy();
			response.setHeader('Content-Range', 'bytes */0');
			throw new ShoalError('ERR_RANGE', 'the content is empty');
		}
		response.setHeader('Accept-Ranges', 'bytes');
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

	/**
	 * Checks If-Match and If-None-Match (RFC 9110, 13.2.2).
	 *
	 * @returns whether it has answered, with 412 or 304
	 */
	#answerCondition(headers: IncomingHttpHeaders, etag: string, response: ServerResponse): boolean {
		const { 'if-match': wanted, 'if-none-match': known } = headers;
		if (wanted !== undefined && !matches(wanted, etag)) {
			const detail = 'If-Match names another content; the content of a seed never changes';
			tellProblem(response, { status: 412, title: 'Another content', detail, code: 'ERR_CHANGED' });
			return true;
		}
		if (known !== undefined && matchesWeakly(known, etag)) {
			response.writeHead(304).end();
			return true;
		}
		return false;
	}

	/**
	 * The range that the stream sends. If no byte of the content is in the range, sets Content-Range
	 * to the length of the content and throws.
	 */
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

/**
 * A node without its ticket: the tickets of the gateway must not give its clients access to other
 * nodes.
 */
function withoutTicket<T extends { readonly ticket?: string | undefined }>({
	ticket: _,
	...rest
}: T) {
	return rest;
}

/**
 * The Content-Disposition: always an attachment, with a safe file name in UTF-8, and in ASCII for
 * old clients (RFC 6266, RFC 8187).
 */
function disposition({ name }: Seed): string {
	const safe = safeFileName(name);
	const encoded = encodeURIComponent(safe).replace(/['()*]/g, (sign) => {
		return `%${sign.charCodeAt(0).toString(16).toUpperCase()}`;
	});
	const plain = safe.replace(/[^A-Za-z0-9._ ()-]/g, '_');
	return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
