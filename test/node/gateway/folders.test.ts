import { request as httpRequest } from 'node:http';
import * as assert from 'uvu/assert';
import { HttpServer } from '../../../broker/index.ts';
import { type GatewayNode, gatewayRoute } from '../../../node/gateway/gateway.ts';
import type { ContentStream } from '../../../node/streaming/content-stream.ts';
import { contentOf } from '../../helpers/fixtures/seeds.ts';
import { d, l, makeTree, sha256, x } from '../../helpers/fixtures/trees.ts';
import { startBroker } from '../../helpers/harness/broker.ts';
import { makeFile, startNode } from '../../helpers/harness/node.ts';
import { rejects } from '../../helpers/harness/rejects.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';
import { readZip } from '../../helpers/harness/zip-files.ts';

const test = suite('folders by HTTP');
const LARGE = contentOf(600_000);
const TREE = {
	'größe & 100%.txt': 'text',
	'sub/run.sh': x('#!/bin/sh\n'),
	'sub/deep/large.bin': LARGE,
	'sub/empty.txt': '',
	'sub/link': l('run.sh'),
	'aux.h': 'header',
	empty: d,
};

async function start(t: Scope) {
	const { url: broker } = await startBroker(t);
	const seeder = await startNode(t, broker);
	const { seed } = await seeder.share(await makeTree(t, TREE, 'my "project"'));
	const node = await startNode(t, broker);
	const gateway = await HttpServer.start({ port: 0, routes: [gatewayRoute(async () => node)] });
	t.defer(() => gateway.close());
	const ask = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
		fetch(gateway.url + path, { headers, method, redirect: 'manual' });
	return { seed, seeder, node, url: gateway.url, ask, at: `/files/${seed.id}` };
}

/** Returns the status for a path that is sent unchanged: `fetch` would resolve `..`. */
function statusOf(url: string, path: string): Promise<number | undefined> {
	return new Promise((resolve, reject) => {
		const request = httpRequest(url, { path }, (response) => {
			response.resume();
			resolve(response.statusCode);
		});
		request.once('error', reject);
		request.end();
	});
}

test('a request for a folder is redirected to its listing, which is JSON for programs and HTML for browsers', async (t) => {
	const { seed, ask, at } = await start(t);
	for (const path of [at, `${at}/sub`, `${at}/empty`]) {
		const response = await ask(path);
		assert.equal([response.status, response.headers.get('location')], [301, `${path}/`]);
		assert.match(await response.text(), `${path}/ lists it`);
	}
	const plain = await ask(`${at}/`, { Accept: '*/*' });
	assert.equal(
		[plain.status, plain.headers.get('content-type'), plain.headers.get('cache-control')],
		[200, 'application/json; charset=utf-8', 'private, no-cache'],
	);
	const listing = (await plain.json()) as Record<string, unknown>;
	assert.equal([listing.id, listing.name, listing.path], [seed.id, 'my "project"', '']);
	const deep = { path: 'sub', length: LARGE.length + 10, kind: 'd', files: 3 };
	assert.equal(listing.entries, [
		{ path: 'empty', length: 0, kind: 'd', files: 0 },
		deep,
		{ path: 'aux.h', length: 6, kind: 'f', sha256: sha256('header') },
		{ path: 'größe & 100%.txt', length: 4, kind: 'f', sha256: sha256('text') },
	]);
	const sub = (await (await ask(`${at}/sub/`)).json()) as { entries: unknown[] };
	assert.equal(sub.entries, [
		{ path: 'sub/deep', length: LARGE.length, kind: 'd', files: 1 },
		{ path: 'sub/empty.txt', length: 0, kind: 'f', sha256: sha256('') },
		{ path: 'sub/link', length: 6, kind: 'l', sha256: sha256('run.sh') },
		{ path: 'sub/run.sh', length: 10, kind: 'x', sha256: sha256('#!/bin/sh\n') },
	]);
	const page = await ask(`${at}/`, { Accept: 'text/html,*/*;q=0.8' });
	assert.equal(
		[page.headers.get('content-type'), page.headers.get('vary')],
		['text/html; charset=utf-8', 'Accept'],
	);
	assert.is(page.headers.get('x-content-type-options'), 'nosniff');
	assert.match(page.headers.get('content-security-policy') ?? '', /^default-src 'none'; style-src/);
	assert.match(await page.text(), 'without 1 symbolic link');
	const head = await ask(`${at}/`, {}, 'HEAD');
	assert.equal([head.status, await head.text()], [200, '']);
});

test('a file in a folder is served like any other file, with its own name and digest', async (t) => {
	const { ask, at } = await start(t);
	const path = `${at}/sub/deep/large.bin`;
	const whole = await ask(path);
	assert.is(whole.status, 200);
	const headers = Object.fromEntries(whole.headers);
	assert.is(headers.etag, `"${sha256(LARGE)}"`);
	assert.is(headers['content-length'], String(LARGE.length));
	assert.is(headers['cache-control'], 'private, max-age=31536000, immutable');
	assert.is(headers['x-content-type-options'], 'nosniff');
	assert.is(headers['content-security-policy'], "default-src 'none'; sandbox");
	assert.match(headers['content-disposition'] ?? '', 'attachment; filename="large.bin"');
	assert.ok(Buffer.from(await whole.arrayBuffer()).equals(LARGE));

	const part = await ask(path, { Range: 'bytes=300000-300009' });
	assert.equal(
		[part.status, part.headers.get('content-range')],
		[206, 'bytes 300000-300009/600000'],
	);
	assert.ok(Buffer.from(await part.arrayBuffer()).equals(LARGE.subarray(300_000, 300_010)));
	const end = await ask(path, { Range: 'bytes=-5' });
	assert.ok(Buffer.from(await end.arrayBuffer()).equals(LARGE.subarray(-5)));
	const behind = await ask(path, { Range: 'bytes=600000-' });
	assert.equal([behind.status, behind.headers.get('content-range')], [416, 'bytes */600000']);
	const head = await ask(path, {}, 'HEAD');
	assert.equal([head.status, head.headers.get('content-length')], [200, '600000']);
	assert.is((await ask(path, { 'If-None-Match': `W/"${sha256(LARGE)}"` })).status, 304);
	assert.is((await ask(path, { 'If-Match': '"other"' })).status, 412);
	const other = await ask(path, { Range: 'bytes=0-4', 'If-Range': '"other"' });
	assert.is(other.status, 200);
	await other.body?.cancel();

	const text = await ask(`${at}/${encodeURIComponent('größe & 100%.txt')}`);
	assert.is(await text.text(), 'text');
	assert.match(text.headers.get('content-disposition') ?? '', 'gr%C3%B6%C3%9Fe%20%26%20100%25.txt');
	const decomposed = await ask(`${at}/${encodeURIComponent('größe & 100%.txt'.normalize('NFD'))}`);
	assert.is(await decomposed.text(), 'text');
	const empty = await ask(`${at}/sub/empty.txt`);
	assert.equal([empty.status, await empty.text()], [200, '']);
	const reserved = await ask(`${at}/aux.h`);
	assert.match(reserved.headers.get('content-disposition') ?? '', 'filename="_aux.h"');
});

test('a path that is not in the folder is 404, with a message that says so', async (t) => {
	const { seeder, ask, at, url } = await start(t);
	const { seed: file } = await seeder.share(await makeFile(t, 'content', 'file.txt'));
	const cases: ReadonlyArray<readonly [path: string, detail: RegExp]> = [
		[`${at}/sub/link`, /"sub\/link" is a symbolic link, which is not followed by HTTP/],
		[`${at}/sub/link/`, /symbolic link/],
		[`${at}/sub/link/x`, /has no file or folder "sub\/link\/x"/],
		[`${at}/sub/run.sh/`, /"sub\/run.sh" is a file: leave out the slash at the end/],
		[`${at}/sub/run.sh/x`, /has no file or folder/],
		[`${at}/none`, /"my "project"" has no file or folder "none"/],
		[`${at}/SUB/`, /has no file or folder "SUB"/],
		[`${at}/sub%2Frun.sh`, /no file has this path/],
		[`${at}/sub/%00`, /no file has this path/],
		[`${at}//sub/run.sh`, /no file has this path/],
		[`${at}/sub//`, /no file has this path/],
		[`/files/${file.id}/`, /is a file, not a folder: leave out what follows the id/],
		[`/files/${file.id}/x`, /is a file, not a folder/],
		[`/files/${file.id}.zip`, /is a file, and only a folder has a zip file: leave out ".zip"/],
	];
	for (const [path, detail] of cases) {
		const response = await ask(path);
		assert.equal([response.status, response.headers.get('etag')], [404, null], path);
		const problem = (await response.json()) as { detail: string; code: string };
		assert.match(problem.detail, detail);
		assert.is(problem.code, 'ERR_NOT_FOUND');
	}
	for (const path of [
		`${at}/sub/../sub/run.sh`,
		`${at}/./aux.h`,
		`${at}/%2e%2e/${at}/aux.h`,
		`${at}/../../../../etc/passwd`,
		`${at}\\aux.h`,
		`/x/..${at}/aux.h`,
	]) {
		assert.is(await statusOf(url, path), 404, path);
	}
	assert.is(await statusOf(url, `${url}${at}/aux.h`), 200, 'a whole URL');
});

test('the zip file of a folder has a Content-Length, and ranges of it are not supported', async (t) => {
	const { node, ask, at } = await start(t);
	const head = await ask(`${at}.zip`, {}, 'HEAD');
	assert.is(head.status, 200);
	assert.equal(node.stats().downloads.complete + node.stats().downloads.failed, 1, 'the index');
	const response = await ask(`${at}.zip`, { Range: 'bytes=5-' });
	const headers = Object.fromEntries(response.headers);
	assert.is(response.status, 200);
	assert.equal(
		[headers['content-type'], headers['accept-ranges'], headers['shoal-links-left-out']],
		['application/zip', 'none', '1'],
	);
	assert.match(headers['content-disposition'] ?? '', `attachment; filename="my _project_.zip"`);
	const zip = Buffer.from(await response.arrayBuffer());
	assert.is(headers['content-length'], String(zip.length));
	assert.is(head.headers.get('content-length'), String(zip.length));
	const names = readZip(zip).map(({ name }) => name);
	assert.equal(names, [
		'my "project"/aux.h',
		'my "project"/empty/',
		'my "project"/größe & 100%.txt',
		'my "project"/sub/deep/large.bin',
		'my "project"/sub/empty.txt',
		'my "project"/sub/run.sh',
	]);
	const { complete, failed } = node.stats().downloads;
	assert.is(complete + failed, 2, 'one download for all files');
});

test('a folder can be requested by its name or the start of its id', async (t) => {
	const { seed, seeder, ask } = await start(t);
	const name = encodeURIComponent('my "project"');
	for (const named of [name, seed.id.slice(0, 8), seed.id.toUpperCase()]) {
		const redirect = await ask(`/files/${named}`);
		assert.equal(
			[redirect.status, redirect.headers.get('location'), redirect.headers.get('cache-control')],
			[301, `/files/${named}/`, 'private, no-cache'],
		);
		const { id } = (await (await ask(`/files/${named}/`)).json()) as { id: string };
		assert.is(id, seed.id);
		const file = await ask(`/files/${named}/aux.h`);
		assert.equal(
			[await file.text(), file.headers.get('cache-control')],
			['header', 'private, no-cache'],
		);
		const zip = await ask(`/files/${named}.zip`);
		assert.is(zip.headers.get('content-type'), 'application/zip');
		await zip.body?.cancel();
	}
	const none = await ask('/files/none.zip');
	assert.is(none.status, 404);
	assert.match(((await none.json()) as { detail: string }).detail, '"none.zip"');
	// A content with that name has precedence over the start of an id.
	await seeder.share(await makeFile(t, 'no archive', 'my "project".zip'));
	assert.is(await (await ask(`/files/${name}.zip`)).text(), 'no archive');
});

test('the list of seeds contains the number of files of a folder, and the length of its index', async (t) => {
	const { seed, seeder, ask, at } = await start(t);
	const { seeds } = (await (await ask('/seeds')).json()) as {
		seeds: Array<Record<string, unknown>>;
	};
	assert.equal([seeds[0]?.files, seeds[0]?.index, seeds[0]?.length], [5, seed.index, seed.length]);
	const about = (await (await ask(at.replace('files', 'seeds'))).json()) as Record<string, unknown>;
	assert.equal([about.name, about.files, about.index], ['my "project"', 5, seed.index]);
	const { seed: file } = await seeder.share(await makeFile(t, 'content', 'file.txt'));
	const plain = (await (await ask(`/seeds/${file.id}`)).json()) as Record<string, unknown>;
	assert.equal([plain.name, plain.length, 'files' in plain], ['file.txt', 7, false]);
});

test('a client that leaves while the name of a folder is looked up leaves no download behind', async (t) => {
	const { node } = await start(t);
	const left = new AbortController();
	const asked: ContentStream[] = [];
	const slow: GatewayNode = {
		seeds: () => node.seeds(),
		who: (id) => node.who(id),
		openFolder: (id, options) => node.openFolder(id, options),
		resolve: async (what, options) => {
			const id = await node.resolve(what, options);
			left.abort();
			await until('the client has left', () => isLeft);
			return id;
		},
		stream: (id, options) => {
			const stream = node.stream(id, options);
			asked.push(stream);
			return stream;
		},
	};
	let isLeft = false;
	let isOver = false;
	const route = gatewayRoute(async () => slow);
	const gateway = await HttpServer.start({
		port: 0,
		routes: [
			async (visit) => {
				visit.response.once('close', () => {
					isLeft = true;
				});
				return await Promise.resolve(route(visit)).finally(() => {
					isOver = true;
				});
			},
		],
	});
	t.defer(() => gateway.close());
	await rejects(fetch(`${gateway.url}/files/my%20%22project%22.zip`, { signal: left.signal }));
	await until('the request is over', () => isOver);
	await until('nothing is read any more', () => asked.every(({ closed }) => closed), 20_000);
	assert.is(node.stats().downloads.running, 0);
});

test.run();
