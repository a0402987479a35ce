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
	useUserBuffer?(buffer: Uint8Array): void;
}

/** The option `onread` of `net.Socket`: the buffers that a socket reads into. */
export interface OnRead {
	/** Returns the buffer for the next bytes. */
	buffer(): Uint8Array;
	/** Called when so many bytes are in that buffer. @returns whether to go on reading */
	callback(count: number): boolean;
}

/** Options of {@link adoptSocket}. */
export interface AdoptOptions
	extends Pick<DuplexOptions, 'readableHighWaterMark' | 'writableHighWaterMark'> {
	readonly onread: OnRead;
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
 * Makes a TLS socket that has not read anything yet read as `onread` says, instead of emitting
 * `data`. Node.js offers this only for sockets that it connects itself.
 *
 * @returns false if this version of Node.js does not allow it: then the socket emits `data`
 */
export function readInto(socket: TLSSocket, { buffer, callback }: OnRead): boolean {
	const { _handle: handle } = socket as unknown as SocketInternals;
	const symbols = Object.getOwnPropertySymbols(socket);
	const [first, generate, read] = ['kBuffer', 'kBufferGen', 'kBufferCb'].map((name) =>
		symbols.find(({ description }) => description === name),
	);
	if (!handle?.useUserBuffer || !first || !generate || !read) {
		return false;
	}
	const target = buffer();
	Object.assign(socket, { [first]: target, [generate]: buffer, [read]: callback });
	handle.useUserBuffer(target);
	return true;
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
