import { Readable } from 'node:stream';
import { chooseType, type Visit } from '../../broker/index.ts';
import type { Folder } from '../../protocol/index.ts';
import type { RangeOptions } from '../streaming/content-range.ts';
import type { ContentStream } from '../streaming/content-stream.ts';
import type { KnownFolder } from '../streaming/folder-cache.ts';
import { zipName } from '../util/zip-name.ts';
import { attachment } from './attachment.ts';
import type { FolderLevel } from './folder-level.ts';
import { zipFolder, zipLength } from './folder-zip.ts';
import { type Listing, listingJson } from './listing.ts';
import { LISTING_POLICY, listingPage } from './listing-page.ts';
import { send, withFirst } from './send.ts';
import { whenOver } from './when-over.ts';

/** The form of a listing may change with the version of shoal, so caches ask again. */
const GENERATED = 'private, no-cache';
/** Characters of a listing that are sent at a time. */
const BATCH = 64 * 1024;

/** Answers with a listing of `level`: HTML for browsers, JSON for clients that do not prefer HTML. */
export async function serveListing(
	{ request, response }: Visit,
	{ seed, folder }: KnownFolder,
	level: FolderLevel,
): Promise<void> {
	const type = chooseType(request.headers.accept, ['application/json', 'text/html']);
	const listing: Listing = { id: seed.id, name: seed.name, level, links: linksIn(folder) };
	response.setHeader('Cache-Control', GENERATED);
	response.setHeader('Vary', 'Accept');
	response.setHeader('Content-Type', `${type}; charset=utf-8`);
	if (type === 'text/html') {
		response.setHeader('Content-Security-Policy', LISTING_POLICY);
	}
	const texts = type === 'text/html' ? listingPage(listing) : listingJson(listing);
	await send(request.method, response, gathered(texts));
}

/**
 * Answers with a zip file of a folder. If its content cannot be read to the end, the connection is
 * cut, so that the client does not take the file for complete.
 *
 * @param stream the bytes of a range of the content
 * @throws ShoalError the errors of the stream, and ERR_SEED_LIES
 */
export async function serveZip(
	{ request, response }: Visit,
	{ seed, folder }: KnownFolder,
	stream: (range: RangeOptions) => ContentStream,
): Promise<void> {
	const { index = 0, length } = seed;
	const hasContent = request.method !== 'HEAD' && length > index;
	const content = hasContent ? stream({ start: index }) : Readable.from([]);
	content.on('error', () => {});
	whenOver(response, () => content.destroy());
	const zip = zipFolder(seed, folder, content);
	// The first bytes are made before the head is sent, so that an error in them gets its own
	// status.
	const first = request.method === 'HEAD' ? undefined : await zip.next();
	response.setHeader('Cache-Control', GENERATED);
	response.setHeader('Accept-Ranges', 'none');
	response.setHeader('Content-Type', 'application/zip');
	response.setHeader('Content-Disposition', attachment(zipName(seed.name)));
	response.setHeader('Content-Length', zipLength(seed, folder));
	const links = linksIn(folder);
	if (links > 0) {
		response.setHeader('Shoal-Links-Left-Out', links);
	}
	// A wrong length would make the next response on this connection unreadable.
	response.strictContentLength = true;
	await send(request.method, response, withFirst(first?.value, zip));
}

function* gathered(texts: Iterable<string>): Generator<string> {
	let batch = '';
	for (const text of texts) {
		batch += text;
		if (batch.length >= BATCH) {
			yield batch;
			batch = '';
		}
	}
	yield batch;
}

function linksIn({ entries }: Folder): number {
	return entries.filter(({ kind }) => kind === 'l').length;
}
