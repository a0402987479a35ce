import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as assert from 'uvu/assert';
import { WebSocket } from 'ws';
import {
	HttpServer,
	makeCertificate,
	makeTokens,
	type Route,
	startWebFront,
} from '../../../broker/index.ts';
import { ShoalNode } from '../../../node/index.ts';
import { Link, Topics } from '../../../protocol/index.ts';
import { connectPacket, subscribePacket } from '../../helpers/adversaries/raw-client.ts';
import { makeFolder } from '../../helpers/fixtures/folder.ts';
import { startBroker } from '../../helpers/harness/broker.ts';
import { makeFile, startNode } from '../../helpers/harness/node.ts';
import { rejects } from '../../helpers/harness/rejects.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('web front');
const topics = new Topics();

async function start(t: Scope, options: Parameters<typeof startBroker>[1] = {}) {
	const broker = await startBroker(t, options);
	const page = await makeFolder(t);
	await writeFile(join(page, 'index.html'), '<!doctype html><title>page</title>');
	await mkdir(join(page, 'assets'));
	await writeFile(join(page, 'assets', 'some.js'), 'some();');
	await writeFile(join(page, 'assets', 'some.js.gz'), gzipSync('some();'));
	const front = await startWebFront(broker, { port: 0, names: ['lab.test'], page });
	t.defer(() => front.close());
	return {
		broker,
		front,
		folder: page,
		url: front.url,
		socketUrl: `${front.url.replace('http', 'ws')}/mqtt`,
	};
}

/** Sends an upgrade request with these headers. @returns the status of the response */
function upgrade(url: string, headers: Record<string, string>, path = '/mqtt'): Promise<number> {
	return new Promise((resolve, reject) => {
		const request = httpRequest(url, {
			path,
			headers: {
				Connection: 'Upgrade',
				Upgrade: 'websocket',
				'Sec-WebSocket-Version': '13',
				'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
				'Sec-WebSocket-Protocol': 'mqtt',
				...headers,
			},
		});
		request.once('upgrade', (response, socket) => {
			socket.destroy();
			resolve(response.statusCode as number);
		});
		request.once('response', (response) => {
			response.resume();
			resolve(response.statusCode as number);
		});
		request.once('error', reject);
		request.end();
	});
}

test('a node on WebSocket and a node on TCP get files from each other', async (t) => {
	const { broker, socketUrl } = await start(t);
	const content = randomBytes(3_000_001);
	const near = await startNode(t, broker.url);
	const far = await startNode(t, socketUrl, { lane: 'broker' });
	const folder = await makeFolder(t);
	const first = await near.share(await makeFile(t, content, 'first.bin'));
	const got = await far.get(first.seed.id, { output: folder });
	assert.is(got.seed.length, content.length);
	const second = await far.share(await makeFile(t, randomBytes(2_000_000), 'second.bin'));
	const back = await near.get(second.seed.id, { output: folder });
	assert.is(back.seed.digest, second.seed.digest);
});

test('the largest part goes both ways between WebSocket and TCP', async (t) => {
	const { broker, socketUrl } = await start(t);
	const part = randomBytes(broker.limits.part);
	const urls = { 'node-over-ws': socketUrl, 'node-over-tcp': broker.url };
	const arrived: Uint8Array[] = [];
	const links: Link[] = [];
	for (const [id, url] of Object.entries(urls)) {
		const link = await Link.open({ url, id });
		t.defer(() => link.close());
		link.on('message', ({ payload }) => arrived.push(Uint8Array.from(payload)));
		await link.subscribe(topics.inboxFilter(id));
		links.push(link);
	}
	for (const [index, sender] of links.entries()) {
		const receiver = links[1 - index] as Link;
		sender.send(topics.chunk(receiver.id, sender.id), [randomBytes(52), part]);
		await until('it arrives', () => arrived.length === index + 1);
		assert.ok(part.equals((arrived[index] as Uint8Array).subarray(52)));
	}
});

test('a WebSocket is closed if it carries text, malformed MQTT or a packet that is too large', async (t) => {
	const { broker, socketUrl } = await start(t);
	for (const sent of ['text', Buffer.from([0x30, 0, 0]), Buffer.alloc(300 * 1024, 0x10)]) {
		const socket = new WebSocket(socketUrl, 'mqtt');
		socket.on('error', () => {});
		await new Promise((resolve) => socket.once('open', resolve));
		socket.send(sent);
		await new Promise((resolve) => socket.once('close', resolve));
	}
	assert.is(broker.stats().refused.packet, 3);
	assert.is(broker.stats().clients, 0);
});

test('chunks for a browser that is closing its WebSocket are dropped without a warning', async (t) => {
	const { broker, socketUrl } = await start(t);
	const warnings: unknown[] = [];
	broker.on('warning', (error) => warnings.push(error));
	const socket = new WebSocket(socketUrl, 'mqtt');
	t.defer(() => socket.terminate());
	await new Promise((resolve) => socket.once('open', resolve));
	socket.send(connectPacket('browser-01'));
	socket.send(subscribePacket(topics.inboxFilter('browser-01')));
	let messages = 0;
	socket.on('message', () => {
		messages += 1;
	});
	const sender = await Link.open({ url: broker.url, id: 'sender-0001' });
	t.defer(() => sender.close());
	const chunk = topics.chunk('browser-01', 'sender-0001');
	const send = (): void => sender.send(chunk, new Uint8Array(70_000));
	await until('chunks come', () => {
		send();
		return messages > 3;
	});
	// The browser sends its close frame, but does not read the reply.
	socket.pause();
	socket.close();
	await until('it has left', () => {
		send();
		return broker.stats().clients === 1;
	});
	assert.equal(warnings, []);
});

test('a WebSocket message of text ends the connection, as MQTT has binary ones only (MQTT-6.0.0-1)', async (t) => {
	const { broker, socketUrl } = await start(t);
	const socket = new WebSocket(socketUrl, 'mqtt');
	t.defer(() => socket.terminate());
	await new Promise((resolve) => socket.once('open', resolve));
	const closed = new Promise((resolve) => socket.once('close', resolve));
	let messages = 0;
	socket.on('message', () => {
		messages += 1;
	});
	socket.send(connectPacket('browser-01').toString('latin1'));
	await closed;
	assert.is(messages, 0);
	assert.is(broker.stats().refused.packet, 1);
});

test('the server can be closed while a browser is connected', async (t) => {
	const { front, socketUrl } = await start(t);
	const socket = new WebSocket(socketUrl, 'mqtt');
	socket.on('error', () => {});
	await new Promise((resolve) => socket.once('open', resolve));
	const gone = new Promise((resolve) => socket.once('close', resolve));
	await front.close();
	await gone;
});

test('T20: the answer to a wrong token is delayed as long as at the MQTT port, and no other answer is', async (t) => {
	const delays: number[] = [];
	const admission = {
		roleOf: (token: string) => (token === 'right' ? ('node' as const) : undefined),
		wrong: () => {
			delays.push(60);
			return 60;
		},
	};
	const routes: Route[] = [
		({ response }) => {
			response.end();
			return true;
		},
	];
	const http = await HttpServer.start({ port: 0, routes, admission: admission as never });
	t.defer(() => http.close());
	const ask = async (token: string): Promise<number> => {
		const start = performance.now();
		await fetch(http.url, { headers: { Authorization: `Bearer ${token}` } });
		return performance.now() - start;
	};
	await ask('right');
	assert.equal(delays, []);
	const ms = await ask('wrong');
	assert.equal(delays, [60]);
	assert.ok(ms > 55, `${ms}`);
});

test('T19: pages of other origins cannot read what they load without an Origin', async (t) => {
	const { url } = await start(t);
	for (const path of ['/', '/about', '/nothing']) {
		const { headers } = await fetch(url + path);
		assert.is(headers.get('cross-origin-resource-policy'), 'same-origin', path);
	}
});

test('a request that offers HTTP/2, as those of Java do, is answered in HTTP/1.1', async (t) => {
	const { url } = await start(t);
	const ask = (path: string, headers: Record<string, string>) =>
		upgrade(
			url,
			{ Upgrade: 'h2c', 'HTTP2-Settings': 'AAMAAABkAAQAoAAAAAIAAAAA', ...headers },
			path,
		);
	assert.is(await ask('/about', {}), 200);
	assert.is(await ask('/', {}), 200);
	assert.is(await ask('/nothing', {}), 404);
	assert.is(await ask('/about', { Host: 'evil.example' }), 403);
});

test('T19: an upgrade is accepted only with a known Host, and from the page itself or without an Origin', async (t) => {
	const { url } = await start(t);
	const { host, port } = new URL(url);
	const origin = url;
	const good = [
		{},
		{ Origin: origin },
		{ Host: `localhost:${port}` },
		{ Host: `lab.test:${port}` },
	];
	for (const headers of good) {
		assert.is(await upgrade(url, headers), 101, JSON.stringify(headers));
	}
	const bad: Array<Record<string, string>> = [
		{ Origin: 'http://evil.example' },
		{ Origin: `http://${host}.evil.example` },
		{ Origin: 'http://127.0.0.1:1' },
		{ Origin: 'null' },
		{ Host: 'evil.example' },
		{ Host: `evil.example:${port}`, Origin: `http://evil.example:${port}` },
	];
	for (const headers of bad) {
		assert.is(await upgrade(url, headers), 403, JSON.stringify(headers));
	}
	// A refused client that keeps its side open does not keep the server from closing.
	const half = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true });
	t.defer(() => half.destroy());
	half.write(
		'GET /mqtt HTTP/1.1\r\nHost: evil\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
	);
	await new Promise((resolve) => half.once('data', resolve));
	assert.is(await upgrade(url, {}, '/other'), 400);
	assert.is(await upgrade(url, { 'Sec-WebSocket-Protocol': 'chat' }), 400);
});

/** Sends `head` to the port of `url` without TLS. @returns the answer */
async function askPlain(t: Scope, url: string, head: string | Uint8Array): Promise<string> {
	const { port, hostname } = new URL(url);
	const socket = connect(Number(port), hostname);
	t.defer(() => socket.destroy());
	socket.on('error', () => {});
	socket.write(head);
	let text = '';
	socket.on('data', (bytes) => {
		text += bytes;
	});
	await new Promise((resolve) => socket.once('close', resolve));
	return text;
}

test('plain HTTP at a TLS port is redirected to https: with the same host and path, and nowhere else', async (t) => {
	const broker = await startBroker(t);
	const warnings: string[] = [];
	const onWarning = (error: unknown) => warnings.push((error as Error).message);
	const front = await startWebFront(broker, { port: 0, tls: makeCertificate(), onWarning });
	t.defer(() => front.close());
	const { url } = front;
	const ask = (path: string, headers: string) =>
		askPlain(t, url, `GET ${path} HTTP/1.1\r\n${headers}\r\n\r\n`);
	const sent = await ask('/files/1?x=2', 'Host: lab.example:8080');
	assert.match(sent, /^HTTP\/1\.1 308 /);
	assert.match(sent, '\r\nLocation: https://lab.example:8080/files/1?x=2\r\n');
	assert.match(sent, '\r\nCache-Control: no-store\r\n');
	assert.not.match(sent, /strict-transport-security/i);
	assert.match(await ask('/', 'Host: [fd00::2]:8080'), '\r\nLocation: https://[fd00::2]:8080/\r\n');
	assert.match(await ask('//evil.example', 'Host: lab'), 'Location: https://lab//evil.example\r\n');
	for (const host of [
		'',
		'a b',
		'user@lab',
		'lab/path',
		'lab?x',
		'lab#x',
		'lab:port',
		'\u00e4',
		'%0d%0a',
	]) {
		assert.match(await ask('/', `Host: ${host}`), /^HTTP\/1\.1 400 /, host);
	}
	assert.match(await ask('http://evil.example/', 'Host: lab'), /^HTTP\/1\.1 400 /);
	const upgrade = 'Host: lab\r\nConnection: Upgrade\r\nUpgrade: websocket';
	assert.match(await ask('/mqtt', upgrade), /^HTTP\/1\.1 308 /);
	assert.match(await askPlain(t, url, connectPacket('client-001')), /^HTTP\/1\.1 400 /);
	assert.match(warnings.join(), /^a client at 127\.0\.0\.1 spoke plain MQTT to the page's port/);
	const secure = await new Promise<number>((resolve, reject) => {
		const options = { rejectUnauthorized: false, agent: false } as const;
		const request = httpsRequest(`${url}/healthz`, options, (response) => {
			response.resume();
			resolve(response.statusCode as number);
		});
		request.once('error', reject);
		request.end();
	});
	assert.is(secure, 200);
});

test('TLS at a port without TLS is a warning, and a silent connection does not keep a server from closing', async (t) => {
	const broker = await startBroker(t);
	const warnings: string[] = [];
	const onWarning = (error: unknown) => warnings.push((error as Error).message);
	const front = await startWebFront(broker, { port: 0, onWarning });
	t.defer(() => front.close());
	const hello = Uint8Array.of(0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0);
	assert.match(await askPlain(t, front.url, hello), /^HTTP\/1\.1 400 /);
	assert.match(warnings.join(), /^a client at 127\.0\.0\.1 spoke TLS to the page's port/);
	const secure = await startWebFront(broker, { port: 0, tls: makeCertificate() });
	const { port } = new URL(secure.url);
	const silent = connect(Number(port), '127.0.0.1');
	t.defer(() => silent.destroy());
	await new Promise((resolve) => silent.once('connect', resolve));
	await secure.close();
});

test('the page has a content security policy, and /about tells the role of a token', async (t) => {
	const tokens = makeTokens();
	const { broker, url, folder } = await start(t, { tokens });
	const page = await fetch(url);
	assert.is(page.headers.get('cache-control'), 'no-cache');
	const etag = page.headers.get('etag') as string;
	assert.is((await fetch(url, { headers: { 'If-None-Match': etag } })).status, 304);
	assert.is((await fetch(`${url}/assets/none.js`)).headers.get('cache-control'), null);
	const packed = await fetch(`${url}/assets/some.js`, { headers: { 'Accept-Encoding': 'gzip' } });
	assert.is(packed.headers.get('content-encoding'), 'gzip');
	assert.is(await packed.text(), 'some();');
	// The page stays as it was when the server was started, even if its files are removed.
	await rm(folder, { recursive: true });
	assert.is((await fetch(url)).status, 200);
	assert.match(await page.text(), '<title>page</title>');
	const policy = page.headers.get('content-security-policy') ?? '';
	assert.match(policy, "default-src 'none'; script-src 'self'");
	assert.match(policy, "frame-ancestors 'none'");
	assert.not.match(policy, 'unsafe-inline');
	const about = async (token: string) => {
		const headers = token === '' ? {} : { Authorization: `Bearer ${token}` };
		return await (await fetch(`${url}/about`, { headers })).json();
	};
	assert.equal(await about(''), { needsToken: true });
	assert.equal(await about('guess'), { needsToken: true });
	assert.is(broker.stats().refused.token, 1);
	assert.equal(await about(tokens.watch), { needsToken: true, role: 'watch' });
	assert.equal(await about(tokens.node), { needsToken: true, role: 'node' });
	assert.is((await fetch(`${url}/../../package.json`)).status, 404);
	assert.is((await fetch(`${url}/%2e%2e/package.json`)).status, 404);
});

test('a WebSocket needs a token, like any other connection', async (t) => {
	const tokens = makeTokens();
	const { socketUrl } = await start(t, { tokens });
	const refused = await rejects(ShoalNode.start({ broker: socketUrl, token: 'guess' }));
	assert.is(refused.code, 'ERR_REFUSED');
	const node = await ShoalNode.start({ broker: socketUrl, token: tokens.node });
	await node.close();
});

test.run();
