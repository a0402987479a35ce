import { Socket, type SocketConstructorOpts } from 'node:net';
import type { Duplex, DuplexOptions } from 'node:stream';
import type { TLSSocket } from 'node:tls';

// The undocumented parts of the sockets of Node.js 20 to 24 that the broker uses. If a new version
// changes one of them, the test of that name in test/broker/net/socket-internals.test.ts fails.

/** The private part of a socket: its handle of the system. */
interface SocketInternals {
	_handle?: Handle | null;
}

interface Handle {
	/** Bytes written, including those that still wait in the queue of libuv. */
	readonly bytesWritten?: number;
	readonly writeQueueSize?: number;
}

/** Options of {@link adoptSocket}. */
export interface AdoptOptions
	extends Pick<DuplexOptions, 'readableHighWaterMark' | 'writableHighWaterMark'> {
	/**
	 * `buffer` returns the buffer for the next bytes; `callback` returns whether to go on reading.
	 */
	readonly onread: { buffer(): Uint8Array; callback(count: number): boolean };
}

/** For each stream that wraps a socket: that socket. */
const below = new WeakMap<Duplex, Duplex>();

/**
 * Moves the connection of `accepted`, a paused socket of a server, to a new socket. Node.js reads
 * into the caller's own buffers only for sockets that the caller has made. `accepted` stays open,
 * without a connection.
 */
export function adoptSocket(accepted: Socket, options: AdoptOptions): Socket {
	const { _handle: handle } = accepted as unknown as SocketInternals;
	(accepted as unknown as SocketInternals)._handle = null;
	return new Socket({ ...options, handle } as unknown as SocketConstructorOpts);
}

/**
 * Calls `listener` with the error that ends the server socket `socket` during the TLS handshake,
 * for example an alert of the client. Node.js emits no `error` event for such an error.
 */
export function onHandshakeError(socket: TLSSocket, listener: (error: Error) => void): void {
	socket.once('_tlsError', listener);
}

/** Records for {@link takenBytes} that bytes written to `stream` are sent by `socket`. */
export function goesOutBy(stream: Duplex, socket: Duplex): void {
	below.set(stream, socket);
}

/**
 * Bytes written to `stream` that the system has taken; undefined if unknown. With TLS the value is
 * too small: by as many bytes as encryption adds to the queued bytes.
 */
export function takenBytes(stream: Duplex): number | undefined {
	const { _handle: handle } = (below.get(stream) ?? stream) as unknown as SocketInternals;
	return handle?.bytesWritten === undefined || handle.writeQueueSize === undefined
		? undefined
		: handle.bytesWritten - handle.writeQueueSize;
}
