import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { matches, matchesWeakly, tellProblem, type Visit } from '../../broker/index.ts';
import { ShoalError } from '../../protocol/index.ts';
import type { ContentRange, RangeOptions } from '../streaming/content-range.ts';
import type { ContentStream } from '../streaming/content-stream.ts';
import { attachment } from './attachment.ts';
import { parseHttpRange } from './http-range.ts';
import { whenOver } from './when-over.ts';

/** A file that a gateway serves. */
export interface ServedFile {
	/** A strong validator (RFC 9110, 8.8.3). */
	readonly etag: string;
	/** The value of Cache-Control. */
	readonly caching: string;
	/** The name under which clients store it. @default the name of the content */
	readonly name?: string | undefined;
	/** The bytes of a range. */
	readonly stream: (range: RangeOptions) => ContentStream;
}

/**
 * Answers a request with a file, with a part of it, or with the outcome of a condition.
 *
 * @throws ShoalError ERR_RANGE, and the errors of the stream
 */
export async function serveFile({ request, response }: Visit, file: ServedFile): Promise<void> {
	const { headers, method } = request;
	const { etag } = file;
	response.setHeader('ETag', etag);
	response.setHeader('Cache-Control', file.caching);
	if (answerCondition(headers, etag, response)) {
		return;
	}
	const ifRange = headers['if-range'];
	const isSame = ifRange === undefined || ifRange === etag;
	// A range is defined for GET only (RFC 9110, 14.2).
	const isForRange = isSame && method === 'GET';
	const asked = isForRange ? parseHttpRange(headers.range) : undefined;
	const content = file.stream(asked ?? {});
	content.on('error', () => {});
	whenOver(response, () => content.destroy());
	const { seed, size, start, length } = await open(content, file, response);
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
	response.setHeader('Content-Disposition', attachment(file.name ?? seed.name));
	response.setHeader('Content-Length', length);
	if (range !== undefined) {
		response.setHeader('Content-Range', `bytes ${start}-${start + length - 1}/${size}`);
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
function answerCondition(
	headers: IncomingHttpHeaders,
	etag: string,
	response: ServerResponse,
): boolean {
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
 * The range that the stream sends. If no byte of the file is in the range, sets Content-Range to the
 * length of the file and throws.
 */
async function open(
	content: ContentStream,
	file: ServedFile,
	response: ServerResponse,
): Promise<ContentRange> {
	try {
		return await content.opened;
	} catch (error) {
		if (error instanceof ShoalError && error.code === 'ERR_RANGE') {
			const whole = file.stream({});
			whole.on('error', () => {});
			const { size } = await whole.opened.finally(() => whole.destroy());
			response.setHeader('Content-Range', `bytes */${size}`);
		}
		throw error;
	}
}
