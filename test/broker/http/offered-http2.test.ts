import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as assert from 'uvu/assert';
import { HttpServer, type Route } from '../../../broker/index.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('requests that offer HTTP/2');

test('a long answer to a request that offers HTTP/2 is sent to its end', async (t) => {
	const piece = Buffer.alloc(256 * 1024);
	const routes: Route[] = [
		async ({ response }) => {
			await pipeline(Readable.from(new Array(8).fill(piece)), response);
			return true;
		},
	];
	const http = await HttpServer.start({ port: 0, routes, upgrade: () => {} });
	t.defer(() => http.close());
	const request = httpRequest(http.url, { headers: { Connection: 'Upgrade', Upgrade: 'h2c' } });
	request.end();
	const [response] = (await once(request, 'response')) as [IncomingMessage];
	let length = 0;
	response.on('data', (bytes: Uint8Array) => {
		length += bytes.length;
	});
	await until('all of it', () => response.complete);
	assert.is(length, 8 * piece.length);
});

test.run();
