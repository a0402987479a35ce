import type { ServerResponse } from 'node:http';
import { needsToken, type Route, tellJson, tellProblem, type Visit } from '../../broker/index.ts';
import {
	type FolderEntry,
	isFile,
	isSeedId,
	isShoalError,
	quoted,
	type SeedListing,
	ShoalError,
	type TrackerReply,
} from '../../protocol/index.ts';
import type { ContentStream, StreamOptions } from '../streaming/content-stream.ts';
import type { KnownFolder } from '../streaming/folder-cache.ts';
import { type FilesPath, formatFolderPath, parseFilesPath } from './files-path.ts';
import { findInFolder } from './folder-level.ts';
import { seedsJson } from './listing.ts';
import { send, withFirst } from './send.ts';
import { serveFile } from './serve-file.ts';
import { serveListing, serveZip } from './serve-folder.ts';
import { whenOver } from './when-over.ts';

/** The part of a node that the gateway uses. Its methods throw ShoalErrors, as those of `ShoalNode` do. */
export interface GatewayNode {
	/** The seeds that the tracker lists, in the order of the ids; with `after`, those that follow that id. */
	seeds(after?: string): AsyncIterable<SeedListing>;
	/** The nodes that have a seed. */
	who(id: string): Promise<Extract<TrackerReply, { op: 'query' }>>;
	/**
	 * The seed id that `what` names; `what` is an id in another form, the start of an id, or a file
	 * name.
	 */
	resolve(what: string, options: { readonly patience: number }): Promise<string>;
	/** A folder with its entries. */
	openFolder(id: string, options: { readonly signal: AbortSignal }): Promise<KnownFolder>;
	/** The bytes of a range, fetched while they are read. */
	stream(id: string, options: StreamOptions): ContentStream;
}

/**
 * A route of an {@link HttpServer} that serves the swarm by HTTP: `/seeds`, `/seeds/<id>` and
 * `/files/<id>`. A folder has a listing at `/files/<id>/`, its files at the paths below, and a zip
 * file of all of it at `/files/<id>.zip`. In place of the id, a path may have the start of an id or
 * a name, if only one seed has it. A file is streamed while its chunks arrive, each chunk verified.
 * If a range is requested, only the chunks that contain its bytes are fetched.
 *
 * @param node returns the node to use; called at each request
 */
export function gatewayRoute(node: () => Promise<GatewayNode>): Route {
	return async (visit) => {
		const [, what, id, ...rest] = visit.path.split('/');
		if (what === 'files') {
			if (!needsToken(visit, 'node')) {
				await new Gateway(await node(), visit).files();
			}
			return true;
		}
		if (what !== 'seeds' || rest.length > 0) {
			return false;
		}
		if (!needsToken(visit, 'watch')) {
			const gateway = new Gateway(await node(), visit);
			await (id === undefined ? gateway.seeds() : gateway.seed(id));
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

/** Answers one request. Its methods throw the errors of the node. */
class Gateway {
	readonly #node: GatewayNode;
	readonly #visit: Visit;
	readonly #response: ServerResponse;

	constructor(node: GatewayNode, visit: Visit) {
		this.#node = node;
		this.#visit = visit;
		this.#response = visit.response;
	}

	/** The list is sent while it arrives: it may have many megabytes, and a client may read slowly. */
	async seeds(): Promise<void> {
		const { request } = this.#visit;
		const list = seedsJson(this.#node.seeds());
		// The start is made before the head is sent, so that an error gets its own status.
		const { value: start = '' } = await list.next();
		this.#response.setHeader('Content-Type', 'application/json');
		await send(request.method, this.#response, withFirst(start, list));
	}

	/** @param segment the part of the path that names the seed, encoded */
	async seed(segment: string): Promise<void> {
		const id = await this.#idOf(decoded(segment));
		const { nodes, seeders, downloaders } = await this.#node.who(id);
		if (seeders + downloaders === 0) {
			throw new ShoalError('ERR_NOT_FOUND', `nobody has the seed ${id}`);
		}
		const { name, length, index, files } = (await this.#listed(id)) ?? {};
		const about = { id, name, length, index, files, seeders, downloaders };
		tellJson(this.#response, { ...about, nodes: nodes.map(withoutTicket) });
	}

	async files(): Promise<void> {
		const path = parseFilesPath(this.#visit.request.url ?? '');
		if (path === undefined) {
			this.#tellMissing(
				'no file has this path: it has an empty part, "." or "..", or is malformed',
			);
		} else if (path.parts.length > 0 || path.hasSlash) {
			await this.#inFolder(path);
		} else {
			await this.#content(path);
		}
	}

	/** A file, the archive of a folder, or the redirect from a folder to its listing. */
	async #content(asked: FilesPath): Promise<void> {
		const named = decoded(asked.content);
		const zipped = await this.#zipped(named);
		if (zipped !== undefined) {
			await this.#zip(zipped);
			return;
		}
		const id = await this.#idOf(named);
		const [etag, caching] = [`"${id}"`, cachingOf(id, named)];
		try {
			// The id identifies the content, whatever the name of the file is.
			const stream = (range: StreamOptions): ContentStream => this.#node.stream(id, range);
			await serveFile(this.#visit, { etag, caching, stream });
		} catch (error) {
			if (!isShoalError(error, 'ERR_FOLDER') || this.#response.headersSent) {
				throw error;
			}
			this.#response.removeHeader('ETag');
			this.#redirect(asked);
		}
	}

	/** The id of the folder whose archive `named` names; undefined if `named` names a content. */
	async #zipped(named: string): Promise<string | undefined> {
		const [, folder] = /^(.+)\.zip$/.exec(named) ?? [];
		if (folder === undefined || isSeedId(folder)) {
			return folder;
		}
		try {
			await this.#node.resolve(named, { patience: 0 });
			return undefined;
		} catch (error) {
			if (!isShoalError(error, 'ERR_NOT_FOUND')) {
				throw error;
			}
			return await this.#node.resolve(folder, { patience: 0 }).catch(() => {
				throw error;
			});
		}
	}

	async #zip(id: string): Promise<void> {
		const folder = await this.#open(id);
		if (folder === undefined) {
			this.#tellMissing(`${id} is a file, and only a folder has a zip file: leave out ".zip"`);
			return;
		}
		const stream = (range: StreamOptions): ContentStream =>
			this.#node.stream(id, { ...range, raw: true });
		await serveZip(this.#visit, folder, stream);
	}

	/** Something in a folder, which is looked up in its index. */
	async #inFolder(asked: FilesPath): Promise<void> {
		const named = decoded(asked.content);
		const id = await this.#idOf(named);
		const caching = cachingOf(id, named);
		const opened = await this.#open(id);
		if (opened === undefined) {
			this.#tellMissing(`${id} is a file, not a folder: leave out what follows the id`);
			return;
		}
		const path = asked.parts.join('/').normalize('NFC');
		const { seed, folder } = opened;
		const found = findInFolder(folder.entries, path);
		if (found === undefined) {
			this.#tellMissing(`${quoted(seed.name)} has no file or folder ${quoted(path)}`);
		} else if ('entry' in found) {
			await this.#entry(id, caching, found.entry, asked);
		} else if (asked.hasSlash) {
			await serveListing(this.#visit, opened, found.level);
		} else {
			this.#response.setHeader('Cache-Control', caching);
			this.#redirect(asked);
		}
	}

	async #entry(id: string, caching: string, entry: FolderEntry, asked: FilesPath): Promise<void> {
		const { path, digest } = entry;
		if (!isFile(entry)) {
			this.#tellMissing(`${quoted(path)} is a symbolic link, which is not followed by HTTP`);
			return;
		}
		if (asked.hasSlash) {
			this.#tellMissing(`${quoted(path)} is a file: leave out the slash at the end`);
			return;
		}
		await serveFile(this.#visit, {
			etag: `"${digest}"`,
			caching,
			name: asked.parts.at(-1),
			stream: (range) => this.#node.stream(id, { ...range, path }),
		});
	}

	/** The folder with the seed `id`; undefined if that content is a file. */
	async #open(id: string): Promise<KnownFolder | undefined> {
		const left = new AbortController();
		whenOver(this.#response, () => left.abort());
		try {
			return await this.#node.openFolder(id, { signal: left.signal });
		} catch (error) {
			if (isShoalError(error, 'ERR_FOLDER')) {
				return undefined;
			}
			throw error;
		}
	}

	/** The seed in the list of the tracker; undefined if it is not listed any more. */
	async #listed(id: string): Promise<SeedListing | undefined> {
		// The list begins with this seed, so one request to the tracker is enough.
		for await (const listing of this.#node.seeds(idBefore(id))) {
			return listing.seed === id ? listing : undefined;
		}
		return undefined;
	}

	/** The id that a text names. @throws ShoalError ERR_ID, ERR_NOT_FOUND, ERR_AMBIGUOUS */
	async #idOf(named: string): Promise<string> {
		return isSeedId(named) ? named : await this.#node.resolve(named, { patience: 0 });
	}

	/** Sends the client from a folder to the path with a slash, from which relative links work. */
	#redirect(folder: FilesPath): void {
		const location = formatFolderPath(folder);
		this.#response.setHeader('Location', location);
		this.#response.setHeader('Content-Type', 'text/plain; charset=utf-8');
		const text = `This is a folder. ${location} lists it (curl -L follows this redirect).\n`;
		this.#response.writeHead(301).end(text);
	}

	#tellMissing(detail: string): void {
		const title = 'No such file';
		tellProblem(this.#response, { status: 404, title, detail, code: 'ERR_NOT_FOUND' });
	}
}

/** The value of Cache-Control for the content `id` at a path that has the text `named`. */
function cachingOf(id: string, named: string): string {
	return id === named ? CACHED : ASKED_AGAIN;
}

/** The seed id right before `id` in the order of the ids; undefined if `id` is the first one. */
function idBefore(id: string): string | undefined {
	const number = BigInt(`0x${id}`);
	return number === 0n ? undefined : (number - 1n).toString(16).padStart(id.length, '0');
}

/** @throws ShoalError ERR_ID */
function decoded(segment: string): string {
	try {
		return decodeURIComponent(segment);
	} catch {
		throw new ShoalError('ERR_ID', 'the seed id in the path is not valid URL encoding');
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
