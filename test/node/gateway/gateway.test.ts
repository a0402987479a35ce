import { randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import * as assert from 'uvu/assert';
import { HttpServer } from '../../../broker/index.ts';
import { type GatewayNode, gatewayRoute } from '../../../node/gateway/gateway.ts';
import { parseHttpRange } from '../../../node/gateway/http-range.ts';
import { startBroker } from '../../helpers/harness/broker.ts';
import { makeFile, startNode } from '../../helpers/harness/node.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('gateway');
const content = randomBytes(3_000_001);

async function start(t: Scope) {
	const { url: broker } = await startBroker(t);
	const seeder = await startNode(t, broker);
	const { seed } = await seeder.share(await makeFile(t, content, 'a "name" (1).bin'));
	const node = await startNode(t, broker);
	const routes = [gatewayRoute(async () => node)];
	const gateway = await HttpServer.start({ port: 0, names: ['files.lab'], routes });
	t.defer(() => gateway.close());
	const { url } = gateway;
	const ask = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
		fetch(`${url}${path}`, { headers, method });
	return { seed, seeder, node, url, ask };
}

/**
 * Sends a request with headers that `fetch` does not let a program set.
 *
 * @returns the status of the response
 */
function statusOf(
	url: string,
	headers: Record<string, string>,
	path = '/seeds',
): Promise<number | undefined> {
	return new Promise((resolve, reject) => {
		const request = httpRequest(url, { headers, path }, (response) => {
			response.resume();
			resolve(response.statusCode);
		});
		request.once('error', reject);
		request.end();
	});
}

test('T21: invisible characters of names are escaped in JSON, as curl prints it on a terminal', async (t) => {
	const name = 'evil\u202egnp.exe';
	const listing = { seed: 'a'.repeat(64), name, length: 1, chunks: 1, seeders: 1, downloaders: 0 };
	const node = {
		seeds: async function* () {
			yield listing;
		},
	};
	const routes = [gatewayRoute(async () => node as unknown as GatewayNode)];
	const gateway = await HttpServer.start({ port: 0, routes });
	t.defer(() => gateway.close());
	const text = await (await fetch(`${gateway.url}/seeds`)).text();
	assert.match(text, 'evil\\u202egnp.exe');
	assert.is(JSON.parse(text).seeds[0].name, name);
});

test('the list of seeds is sent while it arrives, and is read no further when the client leaves', async (t) => {
	let isOver = false;
	const node = {
		seeds: async function* () {
			try {
				for (;;) {
					yield {
						seed: 'a'.repeat(64),
						name: 'a',
						length: 1,
						chunks: 1,
						seeders: 1,
						downloaders: 0,
					};
				}
			} finally {
				isOver = true;
			}
		},
	};
	const routes = [gatewayRoute(async () => node as unknown as GatewayNode)];
	const gateway = await HttpServer.start({ port: 0, routes });
	t.defer(() => gateway.close());
	const stop = new AbortController();
	const { body } = await fetch(`${gateway.url}/seeds`, { signal: stop.signal });
	const { value } = (await body?.getReader().read()) ?? {};
	assert.match(Buffer.from(value ?? []).toString(), /^\{"seeds":\[\n\{"id":"a/);
	stop.abort();
	await until('the list is left', () => isOver);
});

test('one seed is looked up in the list, without the seeds before it and after it', async (t) => {
	const ids = ['0'.repeat(64), `${'a'.repeat(63)}0`, `${'a'.repeat(63)}1`, 'f'.repeat(64)];
	let looked = 0;
	const node = {
		who: async () => ({ seeders: 1, downloaders: 0, nodes: [] }),
		seeds: async function* (after = '') {
			for (const seed of ids.filter((id) => id > after)) {
				looked += 1;
				yield { seed, name: `name of ${seed}`, length: 1, chunks: 1 };
			}
		},
	};
	const routes = [gatewayRoute(async () => node as unknown as GatewayNode)];
	const gateway = await HttpServer.start({ port: 0, routes });
	t.defer(() => gateway.close());
	const nameOf = async (id: string) => {
		const about = await (await fetch(`${gateway.url}/seeds/${id}`)).json();
		return (about as { name?: string }).name;
	};
	for (const id of ids) {
		assert.is(await nameOf(id), `name of ${id}`);
	}
	assert.is(await nameOf('b'.repeat(64)), undefined, 'it has gone meanwhile');
	assert.is(looked, 5);
});

test('the gateway lists the seeds, describes one seed, and serves its file, verified and cacheable for ever', async (t) => {
	const { seed, ask } = await start(t);
	const { seeds } = (await (await ask('/seeds')).json()) as { seeds: Array<{ id: string }> };
	assert.equal(
		seeds.map(({ id }) => id),
		[seed.id],
	);
	const about = (await (await ask(`/seeds/${seed.id}`)).json()) as Record<string, unknown>;
	assert.equal([about.id, about.seeders], [seed.id, 1]);
	assert.not.match(JSON.stringify(about), 'ticket');
	const response = await ask(`/files/${seed.id}`);
	assert.is(response.status, 200);
	assert.is(response.headers.get('etag'), `"${seed.id}"`);
	assert.is(response.headers.get('content-length'), String(content.length));
	assert.is(
		response.headers.get('content-disposition'),
		`attachment; filename="a _name_ (1).bin"; filename*=UTF-8''a%20%22name%22%20%281%29.bin`,
	);
	assert.is(response.headers.get('x-content-type-options'), 'nosniff');
	assert.ok(Buffer.from(await response.arrayBuffer()).equals(content));
});

test('for a range only its chunks are fetched; HEAD and a condition that fails fetch nothing', async (t) => {
	const { seed, node, ask } = await start(t);
	const path = `/files/${seed.id}`;
	const head = await ask(path, {}, 'HEAD');
	assert.equal([head.status, head.headers.get('content-length')], [200, String(content.length)]);
	assert.is((await ask(path, { 'If-None-Match': `"other", "${seed.id}"` })).status, 304);
	assert.is((await ask(path, { 'If-Match': '"other"' })).status, 412);
	const part = await ask(path, { Range: 'bytes=1000000-1000009' });
	assert.is(part.status, 206);
	assert.is(part.headers.get('content-range'), `bytes 1000000-1000009/${content.length}`);
	const bytes = Buffer.from(await part.arrayBuffer());
	assert.ok(bytes.equals(content.subarray(1_000_000, 1_000_010)));
	assert.ok(node.received.total < content.length, 'only some chunks were fetched');
	const end = await ask(path, { Range: 'bytes=-5' });
	assert.ok(Buffer.from(await end.arrayBuffer()).equals(content.subarray(-5)));
	const other = await ask(path, { Range: 'bytes=0-4', 'If-Range': '"other"' });
	assert.is(other.status, 200);
	await other.body?.cancel();
	const behind = await ask(path, { Range: 'bytes=3000001-' });
	assert.is(behind.status, 416);
	assert.is(behind.headers.get('content-range'), `bytes */${content.length}`);
});

test('a file can be requested by its name or the start of its id; caches must then revalidate the response', async (t) => {
	const { seed, seeder, ask } = await start(t);
	const name = encodeURIComponent('a "name" (1).bin');
	for (const named of [name, seed.id.slice(0, 8), seed.id.toUpperCase()]) {
		const response = await ask(`/files/${named}`);
		assert.is(response.status, 200);
		assert.is(response.headers.get('cache-control'), 'private, no-cache');
		assert.is(response.headers.get('etag'), `"${seed.id}"`);
		assert.ok(Buffer.from(await response.arrayBuffer()).equals(content));
		const about = (await (await ask(`/seeds/${named}`)).json()) as Record<string, unknown>;
		assert.is(about.id, seed.id);
	}
	await seeder.share(await makeFile(t, 'another', 'a "name" (1).bin'));
	const response = await ask(`/files/${name}`);
	assert.is(response.status, 409);
	assert.is(((await response.json()) as { code: string }).code, 'ERR_AMBIGUOUS');
});

test('an error response is application/problem+json with the code of the error', async (t) => {
	const { ask, url } = await start(t);
	const cases = [
		['/files/nonsense', 404, 'ERR_NOT_FOUND'],
		[`/files/${'0'.repeat(65)}`, 400, 'ERR_ID'],
		['/files/%ff', 400, 'ERR_ID'],
		[`/seeds/${'0'.repeat(64)}`, 404, 'ERR_NOT_FOUND'],
		['/other', 404, 'ERR_NOT_FOUND'],
		['/files', 400, 'ERR_ID'],
	] as const;
	for (const [path, status, code] of cases) {
		const response = await ask(path);
		assert.is(response.status, status, path);
		assert.is(response.headers.get('content-type'), 'application/problem+json');
		assert.is(((await response.json()) as { code: string }).code, code);
	}
	assert.is(await statusOf(url, { Host: '127.0.0.1' }, 'http://['), 400);
	const post = await ask('/seeds', {}, 'POST');
	assert.equal([post.status, post.headers.get('allow')], [405, 'GET, HEAD']);
});

test('T19: a request must name the address or a configured name of the gateway, and must not come from a page of another origin', async (t) => {
	const { url } = await start(t);
	const { port } = new URL(url);
	assert.is(await statusOf(url, { Host: `localhost:${port}` }), 200);
	assert.is(await statusOf(url, { Host: `files.lab:${port}` }), 200);
	assert.is(await statusOf(url, { Host: `127.0.0.1:${port}`, Origin: url }), 200);
	for (const headers of [
		{ Host: `evil.example:${port}` },
		{ Host: `127.0.0.1.evil.example:${port}` },
		{ Host: `127.0.0.1:${port}`, Origin: 'http://evil.example' },
		{ Host: `127.0.0.1:${port}`, Origin: 'http://127.0.0.1:1' },
		{ Host: `127.0.0.1:${port}`, Origin: 'null' },
		{ Host: `127.0.0.1:${port}`, 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors' },
	]) {
		assert.is(await statusOf(url, headers), 403, JSON.stringify(headers));
	}
});

test('a Range header is parsed as RFC 9110 defines it, and ignored if it is invalid', () => {
	assert.equal(parseHttpRange('bytes=0-0'), { start: 0, end: 0 });
	assert.equal(parseHttpRange('bytes=5-'), { start: 5, end: undefined });
	assert.equal(parseHttpRange('bytes=-5'), { start: -5 });
	for (const ignored of [
		undefined,
		'',
		'bytes=',
		'bytes=-',
		'bytes=5-4',
		'lines=0-1',
		'bytes=0-1,4-5',
		'bytes=a-b',
		'bytes=1-2x',
		`bytes=${HUGE}1-${HUGE}0`,
	]) {
		assert.is(parseHttpRange(ignored), undefined);
	}
	assert.equal(parseHttpRange('Bytes=0-0'), { start: 0, end: 0 });
	assert.equal(parseHttpRange('bytes= 0-0 ,'), { start: 0, end: 0 });
});

/** Digits of a number that is larger than the largest safe integer. */
const HUGE = '9'.repeat(20);

test('a position above the largest safe integer counts as beyond the end', () => {
	const most = Number.MAX_SAFE_INTEGER;
	assert.equal(parseHttpRange(`bytes=5-${HUGE}`), { start: 5, end: undefined });
	assert.equal(parseHttpRange(`bytes=${HUGE}-`), { start: most, end: undefined });
	assert.equal(parseHttpRange(`bytes=-${HUGE}`), { start: -most });
	assert.equal(parseHttpRange('bytes=-0'), { start: most });
});

test('ranges and conditional requests are answered as RFC 9110 defines', async (t) => {
	const { seed, ask } = await start(t);
	const path = `/files/${seed.id}`;
	const etag = `"${seed.id}"`;
	const all = String(content.length);
	const cases: ReadonlyArray<[headers: Record<string, string>, status: number, length?: string]> = [
		[{ Range: `bytes=0-${HUGE}` }, 206, all],
		[{ Range: `bytes=-${HUGE}` }, 206, all],
		[{ Range: `bytes=${HUGE}-` }, 416],
		[{ Range: 'bytes=-0' }, 416],
		[{ Range: 'bytes=9-3' }, 200, all],
		[{ Range: 'bytes=0-1,4-5' }, 200, all],
		[{ Range: 'bytes=0-4', 'If-Range': etag }, 206, '5'],
		[{ Range: 'bytes=0-4', 'If-Range': `W/${etag}` }, 200, all],
		[{ 'If-Match': etag, Range: 'bytes=0-4' }, 206, '5'],
		[{ 'If-Match': `W/${etag}` }, 412],
		[{ 'If-Match': '*', Range: 'bytes=0-4' }, 206, '5'],
		[{ 'If-None-Match': '*' }, 304],
		[{ 'If-None-Match': `W/${etag}` }, 304],
		[{ 'If-None-Match': '"a,b", "c"', Range: 'bytes=0-4' }, 206, '5'],
		[{ 'If-None-Match': etag, Range: 'bytes=0-4' }, 304],
	];
	for (const [headers, status, length] of cases) {
		const response = await ask(path, headers);
		const about = JSON.stringify(headers);
		assert.is(response.status, status, about);
		if (length !== undefined) {
			assert.is(response.headers.get('content-length'), length, about);
		}
		const isKept = response.headers.get('cache-control')?.includes('immutable') === true;
		assert.is(isKept, status < 400, `kept: ${about}`);
		await response.body?.cancel();
	}
	const head = await ask(path, { Range: 'bytes=0-4' }, 'HEAD');
	assert.equal([head.status, head.headers.get('content-length')], [200, all]);
});

test('for an empty content, a range from a position is 416; a request without a range and a suffix range are 200', async (t) => {
	const { seeder, ask } = await start(t);
	const { seed } = await seeder.share(await makeFile(t, '', 'empty.bin'));
	const path = `/files/${seed.id}`;
	for (const headers of [{}, { Range: 'bytes=-5' }] as Array<Record<string, string>>) {
		const whole = await ask(path, headers);
		assert.equal([whole.status, whole.headers.get('content-length')], [200, '0']);
		assert.is(whole.headers.get('content-range'), null);
	}
	for (const range of ['bytes=0-', 'bytes=0-0', 'bytes=5-9']) {
		const none = await ask(path, { Range: range });
		assert.equal([none.status, none.headers.get('content-range')], [416, 'bytes */0'], range);
	}
});

test.run();
