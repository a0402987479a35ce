import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { Limits } from '../../protocol/index.ts';
import type { TokenAuth } from '../access/token-auth.ts';
import { USUAL_PACKET } from '../net/large-packets.ts';
import type { OpenFramed } from '../net/packet-reader.ts';
import { acceptWebSocket } from '../net/web-socket-stream.ts';
import { HttpServer, type HttpServerOptions, type Route, refuseUpgrade } from './http-server.ts';
import { brokerMonitoring, type MonitoredBroker } from './monitoring.ts';
import { pageRoute } from './page.ts';
import { tellJson } from './problem.ts';

/** Options of {@link startWebFront}. */
export interface WebFrontOptions
	extends Pick<
		HttpServerOptions,
		'host' | 'port' | 'portFlag' | 'names' | 'origins' | 'tls' | 'onWarning'
	> {
	/** Folder of the page to serve. @default none: no page */
	readonly page?: string | undefined;
	/** Further fields of the JSON at `/about`, beside `needsToken` and `role`. @default none */
	readonly about?: Readonly<Record<string, unknown>> | undefined;
	/** Routes that are tried before all others. @default none */
	readonly routes?: readonly Route[] | undefined;
}

/** The part of a broker that a web front uses. */
export interface WebFrontBroker extends MonitoredBroker {
	readonly admission: TokenAuth;
	readonly limits: Limits;
	/** Counts a wrong token from the IP address `address`. */
	guessed(address: string): void;
	/** Serves the client on the byte stream that `open` opens. */
	serve(open: OpenFramed): void;
}

/** The path for MQTT over WebSocket. */
const MQTT_PATH = '/mqtt';
/** Bytes of a WebSocket message beyond the largest packet, for its fixed header. */
const OVERHEAD = 64;

/**
 * Starts the HTTP server of a broker: MQTT over WebSocket at `/mqtt`, `/about`, `/metrics`,
 * `/healthz`, `/readyz`, the page, and `routes`.
 *
 * @throws ShoalError ERR_PORT, ERR_USAGE if one of the origins is none
 */
export async function startWebFront(
	broker: WebFrontBroker,
	{ page, about, routes = [], ...options }: WebFrontOptions,
): Promise<HttpServer> {
	return await HttpServer.start({
		...options,
		admission: broker.admission,
		onGuess: (address) => broker.guessed(address),
		// The broker itself limits the clients that speak MQTT; other connections are short.
		mostConnections: 2 * broker.limits.clients,
		mostPerAddress: 2 * broker.limits.clientsPerAddress,
		routes: [
			...routes,
			brokerMonitoring(broker),
			aboutRoute(broker, about),
			...(page === undefined ? [] : [pageRoute(page)]),
		],
		upgrade: upgradeToMqtt(broker),
	});
}

/**
 * The route `/about`, which tells a page whether a token is required, and which role its token
 * grants.
 */
function aboutRoute(
	{ admission: tokenAuth }: WebFrontBroker,
	about: WebFrontOptions['about'],
): Route {
	return ({ path, response, role }) => {
		if (path !== '/about') {
			return false;
		}
		response.setHeader('Cache-Control', 'no-store');
		tellJson(response, { ...about, needsToken: tokenAuth.isClosed, role });
		return true;
	};
}

function upgradeToMqtt(broker: WebFrontBroker) {
	const server = new WebSocketServer({
		noServer: true,
		// A WebSocket message is held as a whole, so larger packets have to be sent in several.
		maxPayload: Math.min(broker.limits.packet, USUAL_PACKET) + OVERHEAD,
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
