import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { inspect } from 'node:util';
import { Aedes } from 'aedes';
import * as assert from 'uvu/assert';
import { createWebSocketStream, WebSocketServer } from 'ws';
import { brokerAddress, Link, printableUrl } from '../../../protocol/index.ts';
import { rejects } from '../../helpers/harness/rejects.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';

const test = suite('forms of the URL of a broker');

interface Seen {
	readonly username: string | undefined;
	readonly password: string | undefined;
}

/** A broker at `host` over TCP and over WebSocket at `/mqtt`; undefined without such an address. */
async function start(t: Scope, host: string) {
	const seen: Seen[] = [];
	const aedes = await Aedes.createBroker();
	aedes.authenticate = (_, username, password, done) => {
		seen.push({ username, password: password?.toString() });
		done(null, true);
	};
	const tcp = createServer((socket) => aedes.handle(socket));
	const http = createHttpServer((_, response) => response.writeHead(404).end());
	const ws = new WebSocketServer({ noServer: true });
	http.on('upgrade', (request, socket, head) => {
		if (!request.url?.startsWith('/mqtt')) {
			socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
			return;
		}
		ws.handleUpgrade(request, socket, head, (client) => {
			aedes.handle(createWebSocketStream(client), request);
		});
	});
	t.defer(() => new Promise<void>((resolve) => aedes.close(resolve)));
	const ports: number[] = [];
	for (const server of [tcp, http] as Server[]) {
		const isThere = await new Promise<boolean>((resolve) => {
			server.once('error', () => resolve(false));
			server.listen(0, host, () => resolve(true));
		});
		if (!isThere) {
			console.log(`there is no ${host} here: this test did nothing`);
			return undefined;
		}
		t.defer(() => server.close());
		ports.push((server.address() as AddressInfo).port);
	}
	const [tcpPort, httpPort] = ports as [number, number];
	return { seen, tcpPort, httpPort };
}

const CREDENTIALS: ReadonlyArray<readonly [inUrl: string, seen: Seen]> = [
	['user:pass@', { username: 'user', password: 'pass' }],
	['user:p%40s%3As@', { username: 'user', password: 'p@s:s' }],
	['user:a:b@', { username: 'user', password: 'a:b' }],
	['user:p@ss@', { username: 'user', password: 'p@ss' }],
	['user:100%@', { username: 'user', password: '100%' }],
	['us%2Fer:p%25ss@', { username: 'us/er', password: 'p%ss' }],
];

for (const host of ['127.0.0.1', '::1']) {
	const inUrl = host.includes(':') ? `[${host}]` : host;

	test(`a link with each scheme reaches ${inUrl}, with a path and a query, and with any credentials`, async (t) => {
		const broker = await start(t, host);
		if (broker === undefined) {
			return;
		}
		const { seen, tcpPort, httpPort } = broker;
		for (const [credentials, expected] of CREDENTIALS) {
			for (const rest of [
				['mqtt', `${inUrl}:${tcpPort}`],
				['ws', `${inUrl}:${httpPort}/mqtt`],
				['ws', `${inUrl}:${httpPort}/mqtt?room=1`],
			] as const) {
				const url = `${rest[0]}://${credentials}${rest[1]}`;
				const link = await Link.open({ url, id: 'node-one' });
				await link.close();
				assert.equal(seen.pop(), expected, url);
				assert.is(link.url, printableUrl(url));
			}
		}
		const url = `ws://${inUrl}:${httpPort}/other`;
		const { code, message } = await rejects(Link.open({ url, id: 'node-one' }));
		assert.is(code, 'ERR_BROKER');
		assert.match(message, '/mqtt');
	});
}

test('a URL without a port means the default port of its scheme', () => {
	const ports = ['mqtt', 'mqtts', 'ws', 'wss'].map((scheme) => brokerAddress(`${scheme}://[::1]`));
	assert.equal(
		ports.map(({ host, port }) => `${host} ${port}`),
		['::1 1883', '::1 8883', '::1 80', '::1 443'],
	);
});

test('a URL that names no broker leads to none: not to one on this machine either', async () => {
	for (const url of ['', 'mqtt://', 'mqtt:///path', 'mqtt:broker.example', 'http://127.0.0.1:1']) {
		const { code, message } = await rejects(Link.open({ url, id: 'node-one' }));
		assert.is(code, 'ERR_BROKER');
		assert.match(message, 'is no URL of a broker');
	}
});

test('no part of the error for a malformed URL has its password', async () => {
	for (const rest of ['127.0.0.1:99999', '127.0.0.1:1', 'a b', '[::1', '']) {
		for (const scheme of ['mqtt', 'mqtts', 'ws', 'wss', 'http']) {
			const url = `${scheme}://me:hunter2@${rest}`;
			const error = await rejects(Link.open({ url, id: 'node-one' }));
			assert.not.match(inspect(error, { depth: 9 }), 'hunter2', url);
			// MQTT.js would connect to localhost in place of some of them.
			assert.ok(URL.canParse(url) || error.message.includes('is no URL of a broker'), url);
		}
	}
});

test.run();
