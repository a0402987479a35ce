import { Socket, type SocketConstructorOpts } from 'node:net';
import type { Duplex, DuplexOptions } from 'node:stream';
import type { TLSSocket } from 'node:tls';

// All that is used of the sockets of Node 20 to 24 and not documented. A new version that changes any of it fails
// a test in test/broker/net/socket-internals.test.ts that has its name.

/** The part of a socket that is private: what it has of the system. */
interface SocketInternals {
	_handle?: Handle | null;
}

interface Handle {
	/** Bytes written, those that still wait in the queue of the system's library included. */
	readonly bytesWritten?: number;
	readonly writeQueueSize?: number;
}

/** Options of {@link adoptSocket}. */
export interface AdoptOptions
	extends Pick<DuplexOptions, 'readableHighWaterMark' | 'writableHighWaterMark'> {
	/** Where the next bytes are read to; the callback returns whether to go on reading. */
	readonly onread: { buffer(): Uint8Array; callback(count: number): boolean };
}

/** The streams below those that wrap another. */
const below = new WeakMap<Duplex, Duplex>();

/**
 * Moves the connection of `accepted`, a paused socket of a server, to a new socket. Node reads into buffers of one's
 * own only for sockets that one made oneself. `accepted` stays open, without a connection.
 */
export function adoptSocket(accepted: Socket, options: AdoptOptions): Socket {
	const { _handle: handle } = accepted as unknown as SocketInternals;
	(accepted as unknown as SocketInternals)._handle = null;
	return new Socket({ ...options, handle } as unknown as SocketConstructorOpts);
}

/**
 * Has `listener` called with the error that ends `socket`, one of a server, while TLS is agreed upon: with an alert of the
 * other side, for example. There is no `error` event of it.
 */
export function onHandshakeError(socket: TLSSocket, listener: (error: Error) => void): void {
	socket.once('_tlsError', listener);
}

/** Notes that what is written to `stream` goes out by `socket`, for {@link takenBytes}. */
export function goesOutBy(stream: Duplex, socket: Duplex): void {
	below.set(stream, socket);
}

/**
 * Bytes the system has taken of what was written to `stream`; undefined if it cannot be told. With TLS it is less by what
 * encryption adds to the bytes that are queued.
 */
export function takenBytes(stream: Duplex): number | undefined {
	const { _handle: handle } = (below.get(stream) ?? stream) as unknown as SocketInternals;
	return handle?.bytesWritten === undefined || handle.writeQueueSize === undefined
		? undefined
		: handle.bytesWritten - handle.writeQueueSize;
}
