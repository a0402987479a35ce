import type { Socket } from 'node:net';
import { Duplex, type DuplexOptions } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import { type PacketFramer, ShoalError } from '../../protocol/index.ts';
import { type OpenFramed, READ_AHEAD } from './packet-reader.ts';
import { goesOutBy } from './socket-internals.ts';
import { failureOf } from './tls-stream.ts';

type Done = (error?: Error | null) => void;

/**
 * Bytes. Adjacent pieces below this size are sent as one message: Aedes writes a packet in up to
 * five pieces.
 */
const SMALL = 8 * 1024;

/** Takes over a WebSocket for MQTT (MQTT 3.1.1, 6), and the socket below it. */
export function acceptWebSocket(socket: WebSocket, below: Duplex): OpenFramed {
	return (framer, { highWaterMark, onBad }) => {
		const stream = new WebSocketStream(socket, below, {
			framer,
			onBad,
			readableHighWaterMark: READ_AHEAD,
			writableHighWaterMark: highWaterMark,
		});
		return { stream, give: (packet) => stream.give(packet) };
	};
}

interface Options extends Pick<DuplexOptions, 'readableHighWaterMark' | 'writableHighWaterMark'> {
	readonly framer: PacketFramer;
	readonly onBad: () => void;
}

/**
 * The bytes of a WebSocket as a stream. Received bytes are split into packets, which are read one
 * by one. Written bytes count as queued until the socket below has taken them. The boundaries of
 * WebSocket messages have no meaning (MQTT 3.1.1, 6.0.0-4), but small pieces that are written in
 * one turn are sent as one message.
 */
class WebSocketStream extends Duplex {
	readonly #socket: WebSocket;
	readonly #below: Duplex;

	constructor(socket: WebSocket, below: Duplex, { framer, onBad, ...marks }: Options) {
		super(marks);
		this.#socket = socket;
		this.#below = below;
		goesOutBy(this, below);
		socket.binaryType = 'nodebuffer';
		const onWrong = (error: Error): void => {
			onBad();
			this.destroy(error);
		};
		socket.on('message', (data: RawData, isBinary: boolean) => {
			if (this.destroyed) {
				return;
			}
			const error = failureOf(() => framer.fill(bytesOf(data, isBinary)));
			if (error !== null) {
				onWrong(error);
			}
		});
		// For example, a message is too large, or the bytes are not WebSocket frames. The end of the
		// socket below is no error.
		socket.on('error', onWrong);
		socket.once('close', () => {
			this.push(null);
			this.destroy();
		});
	}

	/** IP address of the client. */
	get remoteAddress(): string | undefined {
		return (this.#below as { readonly remoteAddress?: string }).remoteAddress;
	}

	/** Bytes received, including the framing of the WebSocket. */
	get bytesRead(): number {
		return (this.#below as Partial<Socket>).bytesRead ?? 0;
	}

	/** Bytes sent or queued. */
	get bytesWritten(): number {
		return (this.#below as Partial<Socket>).bytesWritten ?? 0;
	}

	/** Makes `packet`, which the framer has split off, readable from this stream. */
	give(packet: Uint8Array): void {
		if (!this.push(packet)) {
			this.#socket.pause();
		}
	}

	override _read(): void {
		this.#socket.resume();
	}

	override _write(bytes: Uint8Array, _encoding: BufferEncoding, done: Done): void {
		this.#send(bytes, done);
	}

	override _writev(parts: readonly { readonly chunk: Uint8Array }[], done: Done): void {
		const messages = joinSmall(parts.map(({ chunk }) => chunk));
		messages.forEach((message, index) => {
			this.#send(message, index === messages.length - 1 ? done : () => {});
		});
	}

	/** Sends `bytes` as one message; drops them if the socket is closing. */
	#send(bytes: Uint8Array, done: Done): void {
		this.#socket.send(bytes, (error) => {
			if (error) {
				this.destroy();
			}
			done();
		});
	}

	override _final(done: Done): void {
		this.#socket.close();
		done();
	}

	override _destroy(error: Error | null, done: Done): void {
		this.#socket.terminate();
		done(error);
	}
}

/**
 * The bytes of a binary message.
 *
 * @throws ShoalError ERR_MESSAGE for a text message, which cannot be MQTT (MQTT 3.1.1, 6.0.0-1)
 */
function bytesOf(data: RawData, isBinary: boolean): Uint8Array {
	if (!isBinary) {
		throw new ShoalError('ERR_MESSAGE', 'a text message arrived where MQTT packets were expected');
	}
	return data as Buffer;
}

/** The same bytes in fewer pieces: adjacent small pieces are copied into one. */
function joinSmall(pieces: readonly Uint8Array[]): Uint8Array[] {
	const joined: Uint8Array[] = [];
	let small: Uint8Array[] = [];
	const flush = (): void => {
		if (small.length > 0) {
			joined.push(small.length === 1 ? (small[0] as Uint8Array) : Buffer.concat(small));
			small = [];
		}
	};
	for (const piece of pieces) {
		if (piece.length < SMALL) {
			small.push(piece);
		} else {
			flush();
			joined.push(piece);
		}
	}
	flush();
	return joined;
}
