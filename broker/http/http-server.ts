import {
	createServer,
	type IncomingMessage,
	type RequestListener,
	type Server,
	ServerResponse,
} from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { hostAndPort, plainAddress } from '../../protocol/index.ts';
import type { Role, TokenAuth } from '../access/token-auth.ts';
import type { KeyPair } from '../net/certificate.ts';
import { portError } from '../net/port-error.ts';
import { PAGE_PORT, tlsFailure, wrongProtocol } from '../net/wrong-protocol.ts';
import { ConnectionLimit } from './connection-limit.ts';
import { tokenOf } from './credential.ts';
import { mayAsk, parseOrigin } from './origin.ts';
import { type Problem, problemOf, tellProblem } from './problem.ts';
import { redirectPlain } from './to-https.ts';

/** A GET or HEAD request whose host and origin were checked, and its response. */
export interface HttpExchange {
	/** The request object of Node.js. */
	readonly request: IncomingMessage;
	/** The response object of Node.js. */
	readonly response: ServerResponse;
	/** Path of the URL, as it was sent. */
	readonly path: string;
	/** Host and port from the request's Host header. */
	readonly host: string;
	/**
	 * The role of the client's token; undefined if a token is required, and the client sent none or a
	 * wrong one.
	 */
	readonly role: Role | undefined;
}

/** Answers a request if its path belongs to the route. @returns whether the path belongs to it */
export type Route = (exchange: HttpExchange) => boolean | Promise<boolean>;

/** Options of {@link HttpServer.start}. */
export interface HttpServerOptions {
	/** Address to listen on. @default 127.0.0.1 */
	readonly host?: string | undefined;
	/** TCP port; 0 takes any that is free. @default 8080 */
	readonly port?: number | undefined;
	/** Flag of the command line that chooses the port, for the message of ERR_PORT. @default --port */
	readonly portFlag?: string | undefined;
	/** Host names that requests may use, beside addresses and localhost. @default none */
	readonly names?: readonly string[] | undefined;
	/** Other origins whose pages may open a WebSocket. @default none */
	readonly origins?: readonly string[] | undefined;
	/**
	 * Certificate and private key; with them the server speaks HTTPS, and redirects plain HTTP
	 * requests to HTTPS.
	 *
	 * @default plain HTTP
	 */
	readonly tls?: KeyPair | undefined;
	/**
	 * Checks tokens, for example {@link Broker.admission}; without this option every client has the
	 * role `node`.
	 *
	 * @default none
	 */
	readonly admission?: TokenAuth | undefined;
	/** Called when a wrong token came from the IP address `address`. @default none */
	readonly onGuess?: ((address: string) => void) | undefined;
	/** The routes; they are tried in this order until one has answered. */
	readonly routes: readonly Route[];
	/** Takes over a connection whose client requests an upgrade. @default none: no upgrades */
	readonly upgrade?: ((request: IncomingMessage, socket: Duplex, head: Buffer) => void) | undefined;
	/** Most connections at a time. @default 256 */
	readonly mostConnections?: number | undefined;
	/** Most connections of one address at a time, loopback excepted. @default `mostConnections` */
	readonly mostPerAddress?: number | undefined;
	/** Called with errors that do not stop the server. @default none */
	readonly onWarning?: ((error: unknown) => void) | undefined;
}

const MOST_CONNECTIONS = 256;
/** ms without a request after which a connection is closed. */
const IDLE = 60_000;
/** ms without a byte sent or received after which a connection is closed. */
const STALL = 120_000;
/** ms that the head of a request may take to arrive. */
const HEAD = 10_000;
/** ms between two checks for request heads that have taken more than `HEAD` ms. */
const LOOK_EVERY = 1_000;

/** An error of the HTTP parser, as the event `clientError` passes it. */
type ClientError = Error & { readonly code?: string; readonly rawPacket?: Uint8Array };

const CLIENT_ERRORS: Readonly<Record<string, string>> = {
	HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
	HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
	ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/**
 * An HTTP server that refuses requests from pages of other origins, and checks the token of each
 * request.
 */
export class HttpServer {
	readonly #options: HttpServerOptions;
	readonly #names: ReadonlySet<string>;
	readonly #server: Server;
	readonly #warn: (error: unknown) => void;
	/** Upgraded connections; `close` of the server of Node.js does not end these. */
	readonly #upgraded = new Set<Duplex>();
	/**
	 * Connections on an HTTPS port whose first byte has not arrived yet, or that do not speak TLS.
	 */
	readonly #plain: ReadonlySet<Socket> = new Set();

	private constructor(options: HttpServerOptions) {
		const { names = [], tls, upgrade, onWarning = () => {} } = options;
		this.#options = options;
		this.#names = new Set(names.map((name) => name.toLowerCase()));
		this.#warn = onWarning;
		const onRequest: RequestListener = (request, response) => {
			this.#answer(request, response).catch((error: unknown) => this.#fail(response, error));
		};
		const settings = { headersTimeout: HEAD, connectionsCheckingInterval: LOOK_EVERY };
		this.#server =
			tls === undefined
				? createServer(settings, onRequest)
				: createSecureServer({ ...settings, ...tls }, onRequest);
		const onClientError = (error: Error, socket: Duplex): void => this.#noHttp(error, socket);
		this.#server.on('clientError', onClientError);
		if (tls !== undefined) {
			this.#server.on('tlsClientError', (error: Error, socket: Socket) => {
				this.#warn(tlsFailure(error, addressOf(socket), PAGE_PORT));
			});
			this.#plain = redirectPlain(this.#server, onClientError);
		}
		const { mostConnections = MOST_CONNECTIONS, mostPerAddress = mostConnections } = options;
		this.#server.maxConnections = mostConnections;
		const limit = new ConnectionLimit(mostPerAddress);
		this.#server.on('connection', (socket) => limit.add(socket));
		this.#server.keepAliveTimeout = IDLE;
		this.#server.timeout = STALL;
		if (upgrade !== undefined) {
			const origins = new Set(options.origins?.map(parseOrigin));
			this.#server.on('upgrade', (request, socket, head) => {
				this.#upgraded.add(socket);
				socket.once('close', () => this.#upgraded.delete(socket));
				if (request.headers.upgrade?.toLowerCase() !== 'websocket') {
					onRequest(request, responseOn(socket as Socket, request));
				} else if (mayAsk(request.headers, this.#names, origins)) {
					upgrade(request, socket, head);
				} else {
					refuseUpgrade(socket, '403 Forbidden');
				}
			});
		}
	}

	/**
	 * Starts a server.
	 *
	 * @throws ShoalError ERR_PORT if it cannot listen on `host` and `port`, ERR_USAGE if one of the
	 *   origins is none
	 */
	static async start(options: HttpServerOptions): Promise<HttpServer> {
		const { host = '127.0.0.1', port = 8080, portFlag } = options;
		const http = new HttpServer(options);
		await new Promise<void>((resolve, reject) => {
			http.#server.once('error', (cause) => reject(portError(cause, host, port, portFlag)));
			http.#server.listen({ host, port }, resolve);
		});
		http.#server.on('error', http.#warn);
		return http;
	}

	/** The URL of the server. */
	get url(): string {
		const { address, port } = this.#server.address() as AddressInfo;
		const scheme = this.#options.tls === undefined ? 'http' : 'https';
		return `${scheme}://${hostAndPort(address, port)}`;
	}

	/** Closes the server and every connection, also upgraded ones. */
	async close(): Promise<void> {
		const isClosed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
		this.#server.closeAllConnections();
		for (const socket of [...this.#upgraded, ...this.#plain]) {
			socket.destroy();
		}
		await isClosed;
	}

	async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
		// A served file may be anything: no browser may take it for a page of this origin.
		response.setHeader('X-Content-Type-Options', 'nosniff');
		response.setHeader('Content-Security-Policy', "default-src 'none'; sandbox");
		response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
		response.setHeader('Referrer-Policy', 'no-referrer');
		const refusal = this.#whyNot(request);
		if (refusal !== undefined) {
			tellProblem(response, refusal);
			return;
		}
		const role = await this.#roleOf(request);
		const { pathname: path } = new URL(request.url ?? '/', 'http://host');
		const { host } = new URL(`http://${request.headers.host}`);
		for (const route of this.#options.routes) {
			if (await route({ request, response, path, host, role })) {
				return;
			}
		}
		const detail = `there is nothing at ${path}`;
		tellProblem(response, { status: 404, title: 'No such page', detail, code: 'ERR_NOT_FOUND' });
	}

	#whyNot({ method, headers, url = '/' }: IncomingMessage): Problem | undefined {
		if (!mayAsk(headers, this.#names)) {
			const detail =
				'requests must name this server by its address or by a name from --http-name (of a gateway: --name), and must not come from another page';
			return { status: 403, title: 'Forbidden', detail, code: 'ERR_REFUSED' };
		}
		if (!URL.canParse(url, 'http://host')) {
			const detail = 'the path of the request cannot be read';
			return { status: 400, title: 'No such path', detail, code: 'ERR_USAGE' };
		}
		if (method !== 'GET' && method !== 'HEAD') {
			const detail = 'only GET and HEAD are supported';
			return { status: 405, title: 'Method not allowed', detail, code: 'ERR_USAGE' };
		}
		return undefined;
	}

	/**
	 * The role of the request's token; undefined if it grants none. Delays the answer after several
	 * wrong tokens.
	 */
	async #roleOf({ headers, socket }: IncomingMessage): Promise<Role | undefined> {
		const { admission: tokenAuth } = this.#options;
		if (tokenAuth === undefined) {
			return 'node';
		}
		const token = tokenOf(headers);
		const role = tokenAuth.roleOf(token);
		if (role === undefined && token !== '') {
			const address = addressOf(socket);
			this.#options.onGuess?.(address);
			await sleep(tokenAuth.wrong(address));
		}
		return role;
	}

	/**
	 * Handles a malformed or incomplete request: answers as Node.js does, and warns if the client
	 * speaks another protocol.
	 */
	#noHttp(error: ClientError, socket: Duplex): void {
		const { code = '', rawPacket } = error;
		const address = addressOf(socket as Socket);
		const wrong =
			code.startsWith('HPE_') && rawPacket !== undefined
				? wrongProtocol(rawPacket[0], address, PAGE_PORT)
				: undefined;
		if (wrong !== undefined) {
			this.#warn(wrong);
		}
		if (socket.writable) {
			refuseUpgrade(socket, CLIENT_ERRORS[code] ?? '400 Bad Request');
		} else {
			socket.destroy();
		}
	}

	#fail(response: ServerResponse, error: unknown): void {
		const problem = problemOf(error);
		const isLeft = response.destroyed;
		if (response.headersSent) {
			// The head is sent already: only closing the connection shows that the body is incomplete.
			response.destroy();
		} else {
			tellProblem(response, problem);
		}
		if (problem.status >= 500 && !isLeft) {
			this.#warn(error);
		}
	}
}

/** Answers with 401 unless the client has the role `least`, or `node`. @returns whether it has answered */
export function needsToken({ role, response }: HttpExchange, least: Role): boolean {
	if (role === 'node' || role === least) {
		return false;
	}
	const detail =
		role === undefined
			? 'send the token of the broker, as a bearer token or as the password with any user name'
			: "the watchers' token is not enough here; send the token for nodes";
	tellProblem(response, { status: 401, title: 'A token is needed', detail, code: 'ERR_REFUSED' });
	return true;
}

function addressOf({ remoteAddress = '' }: Socket): string {
	return plainAddress(remoteAddress);
}

/**
 * The response to a request whose client offers another protocol than WebSocket, such as HTTP/2. It
 * is in HTTP/1.1 (RFC 9110, 7.8), and ends the connection, from which Node.js reads no further
 * request.
 */
function responseOn(
	socket: Socket,
	request: IncomingMessage,
): ServerResponse<IncomingMessage> & { req: IncomingMessage } {
	const response = new ServerResponse(request);
	response.shouldKeepAlive = false;
	response.assignSocket(socket);
	response.once('finish', () => socket.end());
	// Node.js has removed its own handler of this event.
	socket.on('drain', () => response.emit('drain'));
	socket.setTimeout(STALL, () => socket.destroy());
	socket.on('error', () => {});
	return response;
}

/** Refuses an upgrade and ends the connection. */
export function refuseUpgrade(socket: Duplex, status: string): void {
	socket.on('error', () => {});
	// The client may keep its half of the connection open.
	socket.once('finish', () => socket.destroy());
	socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
