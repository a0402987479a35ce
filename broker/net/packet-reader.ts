import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type SecureContext, TLSSocket } from 'node:tls';
import type { Client } from 'aedes';
import {
	type BufferPool,
	type Limits,
	PacketFramer,
	PLAIN_PUBLISH,
	plainAddress,
	ShoalError,
} from '../../protocol/index.ts';
import { keepAlive } from '../aedes/internals.ts';
import { type LargePackets, USUAL_PACKET } from './large-packets.ts';
import { adoptSocket } from './socket-internals.ts';
import { SecureStream } from './tls-stream.ts';
import { count, type Flow } from './traffic.ts';
import { UnreadAnswers } from './unread-answers.ts';
import { MQTT_PORT, type PortKind, tlsFailure, wrongProtocol } from './wrong-protocol.ts';

// MQTT 3.1.1, 2.2.1.
const CONNECT = 1;
const PUBLISH = 3;
/** CONNACK with return code 1, unacceptable protocol level. */
const UNKNOWN_LEVEL = Uint8Array.of(0x20, 2, 0, 1);
/** The same CONNACK in the form of MQTT 5 (MQTT 5.0, 3.2.2.2): reason code 0x84, no properties. */
const UNKNOWN_LEVEL_5 = Uint8Array.of(0x20, 3, 0, 0x84, 0);
const MQTT_5 = 5;
const ANSWERED_LEVELS: ReadonlySet<number> = new Set([3, 4]);
/** The bit that bridges of mosquitto set in the protocol level. */
const BRIDGE = 0x80;
/**
 * A plain message of at least this many bytes gets a buffer of the pool: only chunks are that large
 * and that frequent.
 */
const LARGE = 32 * 1024;
const TOO_MANY_LARGE =
	'too many large packets are arriving, and that of this client began first; see the limit incoming';
const TOO_MANY_UNREAD =
	'a client sends packets, and does not read the answers: its connection is cut';

/**
 * Bytes of packets that may wait for Aedes. Above this, reading pauses, because Aedes handles all
 * waiting packets in one turn of the event loop, and every other client waits for that turn. Chunks
 * do not wait for Aedes.
 */
export const READ_AHEAD = 4 * 1024;

/** Takes packets of a client out of its stream. */
export interface PacketTaker {
	/**
	 * Takes `packet`, a whole packet.
	 *
	 * @returns whether the packet was taken; if not, Aedes has to handle it
	 * @throws ShoalError
	 */
	relay(from: Client, packet: Uint8Array): boolean;
}

/** Options of a {@link packetReader}. */
export interface PacketReaderOptions {
	readonly limits: Limits;
	readonly pool: BufferPool;
	readonly taker: PacketTaker;
	/** @default large packets are not bounded together */
	readonly large?: LargePackets | undefined;
	/** @default unread answers are not bounded together */
	readonly unread?: UnreadAnswers | undefined;
	/** Bytes that a stream queues before a write returns false. */
	readonly highWaterMark: number;
	/**
	 * Called if a packet is too large, or the bytes are not MQTT. Then the stream is closed. Either
	 * this function gets the error, or the stream emits it.
	 */
	readonly onBad: (error?: ShoalError) => void;
	/** The kind of port, for the texts of errors. @default {@link MQTT_PORT} */
	readonly port?: PortKind | undefined;
	/** Counts the PUBLISH packets that are left to Aedes. @default they are not counted */
	readonly control?: Flow | undefined;
}

/** A stream whose bytes a framer splits into packets; `give` makes a packet readable from it. */
export interface Framed {
	readonly stream: Duplex;
	readonly give: (packet: Uint8Array) => void;
}

/** Opens the stream whose bytes go to `framer`. */
export type OpenFramed = (framer: PacketFramer, options: PacketReaderOptions) => Framed;

/**
 * Reads each packet of a client into a buffer of its own, in which the packet stays. If a packet is
 * too large, or the first packet is not CONNECT, the stream ends before that packet is buffered.
 * Plain chunk messages are passed to the taker; all other packets can be read from the stream as
 * usual.
 *
 * @returns the stream, and `serve`, which is to be called with the client of the stream
 */
export function packetReader(
	open: OpenFramed,
	options: PacketReaderOptions,
): { stream: Duplex; serve(client: Client): void } {
	const { limits, pool, taker, large, control, onBad, port = MQTT_PORT } = options;
	const { unread = new UnreadAnswers() } = options;
	let client: Client | undefined;
	let isFirst = true;
	const cut = (why: string): void => {
		onBad(new ShoalError('ERR_LIMIT', why));
		stream.destroy();
	};
	/**
	 * Answers a CONNECT of another MQTT version, and ends the connection.
	 *
	 * @returns whether `packet` was such a CONNECT
	 */
	const refuseVersion = (packet: Uint8Array): boolean => {
		const level = unknownLevel(packet);
		if (level !== undefined) {
			onBad(wrongVersion(level));
			stream.end(level === MQTT_5 ? UNKNOWN_LEVEL_5 : UNKNOWN_LEVEL);
		}
		return level !== undefined;
	};
	const framer = new PacketFramer({
		admit: (_type, length, first) => {
			if (isFirst) {
				checkFirst(first, addressOf(stream), port);
			}
			const most = mostLength(client, first, limits);
			if (length > most) {
				throw new ShoalError('ERR_LIMIT', `a packet of ${length} bytes is larger than ${most}`);
			}
			isFirst = false;
			large?.begin(framer, length, () => cut(TOO_MANY_LARGE));
		},
		// Only plain messages get a buffer of the pool. Aedes may keep other packets, such as one
		// with a will, and a whole buffer of the pool would be kept for each of them.
		allocate: (first, length) =>
			first === PLAIN_PUBLISH && length >= LARGE ? pool.take(length) : new Uint8Array(length),
		onPacket: (packet) => {
			large?.end(framer);
			if (client?.connected !== true && refuseVersion(packet)) {
				return;
			}
			if (client?.connected === true && taker.relay(client, packet)) {
				keepAlive(client);
				return;
			}
			const first = packet[0] as number;
			if (control !== undefined && first >> 4 === PUBLISH) {
				count(control, packet.length);
			}
			onAnswered(first);
			if (!stream.destroyed) {
				give(packet);
			}
		},
	});
	const { stream, give } = open(framer, options);
	const onAnswered = unread.begin(stream, () => cut(TOO_MANY_UNREAD));
	stream.once('close', () => large?.end(framer));
	return {
		stream,
		serve: (served) => {
			client = served;
		},
	};
}

/**
 * Takes over `accepted`, a paused socket of a server: a stream replaces it, and the bytes of this
 * stream go to a framer.
 *
 * @param secure the TLS context; undefined: the connection is plain TCP
 */
export function accept(accepted: Socket, secure: SecureContext | undefined): OpenFramed {
	return (framer, options) => {
		const framed =
			secure === undefined
				? plain(accepted, framer, options)
				: encrypted(accepted, framer, secure, options);
		// A closed socket returns its address only if the address was read while it was open.
		addressOf(framed.stream);
		// The server counts `accepted` as open until that socket itself is closed.
		framed.stream.once('close', () => accepted.destroy());
		return framed;
	};
}

function plain(
	accepted: Socket,
	framer: PacketFramer,
	{ highWaterMark, onBad }: PacketReaderOptions,
): Framed {
	let takesMore = true;
	const socket = adoptSocket(accepted, {
		readableHighWaterMark: READ_AHEAD,
		writableHighWaterMark: highWaterMark,
		onread: {
			buffer: () => framer.target,
			callback: (count) => {
				takesMore = true;
				try {
					framer.filled(count);
				} catch (error) {
					onBad();
					socket.destroy(error as Error);
				}
				return takesMore;
			},
		},
	});
	const give = (packet: Uint8Array): void => {
		takesMore = socket.push(packet);
	};
	return { stream: socket, give };
}

function encrypted(
	accepted: Socket,
	framer: PacketFramer,
	secure: SecureContext,
	{ highWaterMark, onBad, port = MQTT_PORT }: PacketReaderOptions,
): Framed {
	const address = addressOf(accepted);
	const inner = new TLSSocket(accepted, { isServer: true, secureContext: secure });
	const stream = new SecureStream(inner, {
		framer,
		onBad,
		failure: (error) => tlsFailure(error, address, port),
		readableHighWaterMark: READ_AHEAD,
		writableHighWaterMark: highWaterMark,
	});
	return { stream, give: (packet) => stream.give(packet) };
}

/** Bytes of the largest packet that `client` may send now. Only a chunk message may be large. */
function mostLength(client: Client | undefined, first: number, limits: Limits): number {
	if (client?.connected !== true) {
		return limits.connectPacket;
	}
	return first === PLAIN_PUBLISH ? limits.packet : Math.min(limits.packet, USUAL_PACKET);
}

/**
 * The protocol level of a CONNECT, if Aedes does not support this level; else undefined. Aedes
 * would end the connection without the CONNACK that MQTT 3.1.1, 3.1.2-2 requires, or answer in the
 * form of another version.
 */
function unknownLevel(packet: Uint8Array): number | undefined {
	if ((packet[0] as number) >> 4 !== CONNECT) {
		return undefined;
	}
	const head = 1 + packet.subarray(1).findIndex((byte) => byte < 0x80) + 1;
	const nameLength = ((packet[head] ?? 0) << 8) | (packet[head + 1] ?? 0);
	const level = packet[head + 2 + nameLength];
	const name = Buffer.from(packet.subarray(head + 2, head + 2 + nameLength)).toString('latin1');
	const isKnown = name !== 'MQTT' || level === undefined || ANSWERED_LEVELS.has(level & ~BRIDGE);
	return isKnown ? undefined : level;
}

function wrongVersion(level: number): ShoalError {
	const version = level === MQTT_5 ? 'MQTT 5' : `MQTT of protocol level ${level}`;
	const what = `a client speaks ${version}, but this broker speaks MQTT 3.1.1: choose 3.1.1 in the client`;
	return new ShoalError('ERR_MESSAGE', what);
}

/**
 * Checks that the first byte of a connection is that of a CONNECT.
 *
 * @throws ShoalError ERR_MESSAGE
 */
function checkFirst(first: number, address: string, port: PortKind): void {
	const wrong = wrongProtocol(first, address, port);
	if (wrong !== undefined) {
		throw wrong;
	}
	if (first >> 4 !== CONNECT) {
		throw new ShoalError('ERR_MESSAGE', `the first packet is of type ${first >> 4}, not CONNECT`);
	}
}

/** IP address of the client. */
function addressOf(stream: Duplex): string {
	return plainAddress((stream as Partial<Socket>).remoteAddress ?? '');
}
