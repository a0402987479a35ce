import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import sirv from 'sirv';
import { WebSocketServer } from 'ws';
import type { Broker } from '../broker.ts';
import { acceptWebSocket } from '../web-socket-stream.ts';
import { HttpServer, type HttpServerOptions, type Route, refuseUpgrade } from './http-server.ts';
import { brokerMonitoring } from './monitoring.ts';
import { tellJson } from './problem.ts';

/** Options of {@link startWebFront}. */
export interface WebFrontOptions
	extends Pick<HttpServerOptions, 'host' | 'port' | 'portFlag' | 'names' | 'tls' | 'onWarning'> {
	/** Folder of the page that is served; without it there is none. */
	readonly page?: string | undefined;
	/** What a page is told of the broker, beside who it is to it. */
	readonly about?: Readonly<Record<string, unknown>> | undefined;
	/** Asked before the page. */
	readonly routes?: readonly Route[] | undefined;
}

/** Where MQTT is spoken over WebSocket. */
const MQTT_PATH = '/mqtt';
/** Room in a message for what is not content, as in a packet. */
const OVERHEAD = 64;

/**
 * The broker for browsers and for those who watch over it: MQTT over WebSocket at `/mqtt`, `/about`, metrics and
 * health, the page, and whatever else is given.
 *
 * @throws ShoalError ERR_PORT
 */
export async function startWebFront(
	broker: Broker,
	{ page, about, routes = [], ...options }: WebFrontOptions,
): Promise<HttpServer> {
	return await HttpServer.start({
		...options,
		admission: broker.admission,
		// Those who speak MQTT are counted by the broker; the rest come and go.
		mostConnections: 2 * broker.limits.clients,
		routes: [
			...routes,
			brokerMonitoring(broker),
			aboutRoute(broker, about),
			...(page === undefined ? [] : [pageRoute(page)]),
		],
		upgrade: upgradeToMqtt(broker),
	});
}

/** Tells a page what it has to ask for, and what its token makes of it. */
function aboutRoute({ admission }: Broker, about: WebFrontOptions['about']): Route {
	return ({ path, response, role }) => {
		if (path !== '/about') {
			return false;
		}
		response.setHeader('Cache-Control', 'no-store');
		tellJson(response, { ...about, needsToken: admission.isClosed, role });
		return true;
	};
}

/**
 * The files of a page, which is to have nothing but its own scripts, and to talk to nobody but us. Names with a
 * hash in them never change.
 */
function pageRoute(folder: string): Route {
	const serve = sirv(folder, { gzip: true, brotli: true, etag: true });
	return async ({ request, response, path }) => {
		const { host = '' } = request.headers;
		response.setHeader('Content-Security-Policy', policyAt(host));
		response.setHeader(
			'Cache-Control',
			path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
		);
		return await new Promise((resolve) => {
			response.once('close', () => resolve(true));
			serve(request, response, () => resolve(false));
		});
	};
}

/** @param host as it was asked for, already checked: 'self' leaves WebSockets out in some browsers */
function policyAt(host: string): string {
	return [
		"default-src 'none'",
		"script-src 'self' 'wasm-unsafe-eval'",
		"worker-src 'self'",
		"style-src 'self'",
		"img-src 'self' data:",
		`connect-src 'self' ws://${host} wss://${host}`,
		"manifest-src 'self'",
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
	].join('; ');
}

function upgradeToMqtt(broker: Broker) {
	const server = new WebSocketServer({
		noServer: true,
		maxPayload: broker.limits.packet + OVERHEAD,
		perMessageDeflate: false,
		handleProtocols: (protocols) => (protocols.has('mqtt') ? 'mqtt' : false),
	});
	return (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
		const offered = request.headers['sec-websocket-protocol'] ?? '';
		const isMqtt = offered.split(',').some((each) => each.trim() === 'mqtt');
		if (request.url !== MQTT_PATH || !isMqtt) {
			refuseUpgrade(socket, '400 Bad Request');
			return;
		}
		server.handleUpgrade(request, socket, head, (webSocket) => {
			broker.serve(acceptWebSocket(webSocket, socket));
		});
	};
}
