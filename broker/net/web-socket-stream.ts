import type { Socket } from 'node:net';
import { Duplex, type DuplexOptions } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import { type PacketFramer, ShoalError } from '../../protocol/index.ts';
import { type OpenFramed, READ_AHEAD } from './packet-reader.ts';
import { goesOutBy } from './socket-internals.ts';
import { failureOf } from './tls-stream.ts';

type Done = (error?: Error | null) => void;

/** Pieces below so many bytes go out as one message with others: Aedes writes a packet in up to five. */
const SMALL = 8 * 1024;

/** Takes over a WebSocket on which MQTT is spoken (MQTT 3.1.1, 6), and the socket it came on. */
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
 * The bytes of a WebSocket as a stream. Received bytes are cut into packets, and pushed packets can be read.
 * Written bytes count as queued until the socket below has taken them. The boundaries of WebSocket messages have
 * no meaning (MQTT 3.1.1, 6.0.0-4), but a packet that is written in one turn is sent as one message.
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
		// Messages that are too large, or none at all; the end of the socket below is no error.
		socket.on('error', onWrong);
		socket.once('close', () => {
			this.push(null);
			this.destroy();
		});
	}

	/** Address of the other side. */
	get remoteAddress(): string | undefined {
		return (this.#below as { readonly remoteAddress?: string }).remoteAddress;
	}

	/** Bytes received, also what only the WebSocket needs. */
	get bytesRead(): number {
		return (this.#below as Partial<Socket>).bytesRead ?? 0;
	}

	/** Bytes sent, or about to be. */
	get bytesWritten(): number {
		return (this.#below as Partial<Socket>).bytesWritten ?? 0;
	}

	/** Takes what was cut out of the stream. */
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

	/** Writes to a closing socket are dropped. */
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

/** @throws ShoalError ERR_MESSAGE for text, which is no MQTT (MQTT 3.1.1, 6.0.0-1) */
function bytesOf(data: RawData, isBinary: boolean): Uint8Array {
	if (!isBinary) {
		throw new ShoalError('ERR_MESSAGE', 'a text came where MQTT packets were expected');
	}
	return data as Buffer;
}

/** The same bytes in fewer pieces: neighbours that are small are copied into one. */
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
