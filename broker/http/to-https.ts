import { createServer, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** The first byte of a TLS connection: a record of a handshake (RFC 8446, 5.1). */
const TLS_HANDSHAKE = 0x16;
/** ms after which a connection without TLS, or one that has sent no byte yet, is closed. */
const MOST_TIME = 10_000;

/**
 * The URL to which a plain request is redirected; undefined if the request names no usable host.
 */
function secureLocation(host: string | undefined, path = ''): string | undefined {
	const url = `https://${host ?? ''}`;
	// Characters that a URL parser reads as a user, a path or a query are refused.
	const isHost = host !== undefined && /^[\w.:[\]-]+$/.test(host) && URL.canParse(url);
	return isHost && path.startsWith('/') ? `https://${new URL(url).host}${path}` : undefined;
}

const redirect: RequestListener = ({ headers, url }, response) => {
	const location = secureLocation(headers.host, url);
	response.setHeader('Connection', 'close');
	if (location === undefined) {
		response.setHeader('Content-Type', 'text/plain');
		response.writeHead(400).end('This port speaks HTTPS, and the request names no host.\n');
		return;
	}
	// The redirect must not be cached: the broker may be started without TLS next time.
	response.setHeader('Cache-Control', 'no-store');
	response.setHeader('Location', location);
	response.writeHead(308).end();
};

/**
 * Makes the port of the HTTPS server `secure` answer plain HTTP as well: with a redirect to the
 * same path over TLS (RFC 9110, 15.4.9), or with 400 if the request names no usable host.
 *
 * @param onClientError called with requests that are not HTTP, like the event `clientError` of a
 *   server
 * @returns the open connections that `secure` does not know
 */
export function redirectPlain(
	secure: Server,
	onClientError: (error: Error, socket: Duplex) => void,
): ReadonlySet<Socket> {
	const plain = createServer(redirect);
	plain.on('clientError', onClientError);
	const known = new Set<Socket>();
	const toTls = secure.listeners('connection');
	secure.removeAllListeners('connection');
	secure.on('connection', (socket: Socket) => {
		known.add(socket);
		const over = setTimeout(() => socket.destroy(), MOST_TIME);
		const forget = (): void => {
			clearTimeout(over);
			known.delete(socket);
		};
		socket.once('close', forget);
		// A client may disconnect before it has sent anything.
		socket.on('error', () => {});
		socket.once('data', (bytes: Buffer) => {
			socket.pause();
			socket.unshift(bytes);
			if (bytes[0] === TLS_HANDSHAKE) {
				socket.off('close', forget);
				forget();
				for (const listener of toTls) {
					listener.call(secure, socket);
				}
			} else {
				plain.emit('connection', socket);
				socket.resume();
			}
		});
	});
	return known;
}
