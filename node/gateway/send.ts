import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Sends the head of an answer, and `body` as fast as the client reads it, unless the client asked for the head only. */
export async function send(
	method: string | undefined,
	response: ServerResponse,
	body: Iterable<string> | AsyncIterable<string | Uint8Array>,
): Promise<void> {
	response.writeHead(200);
	if (method === 'HEAD') {
		response.end();
	} else {
		await pipeline(Readable.from(body, { objectMode: false }), response);
	}
}

/** `rest` after `first`, which was read from it before. */
export async function* withFirst<T>(first: T, rest: AsyncIterable<T>): AsyncGenerator<T> {
	yield first;
	yield* rest;
}
