import { ShoalError, type Will } from '../../../protocol/index.ts';

// The packets of MQTT 3.1.1 that a client needs. MQTT.js could be used instead, but has 105 kB of
// compressed script, more than all the rest of the page.

/** The fields of a CONNECT (MQTT 3.1.1, 3.1). */
export interface Connect {
	readonly clientId: string;
	readonly username?: string | undefined;
	readonly password?: string | undefined;
	readonly will?: Will | undefined;
	/** Seconds. */
	readonly keepalive: number;
}

/** A packet from a broker, decoded. */
export type Received =
	| { readonly kind: 'connack'; readonly code: number }
	| {
			readonly kind: 'publish';
			readonly topic: string;
			/** A view of the packet. */
			readonly payload: Uint8Array;
			readonly isRetained: boolean;
			/** The packet id to acknowledge; undefined with QoS 0. */
			readonly id: number | undefined;
	  }
	| { readonly kind: 'ack'; readonly id: number; readonly isRefused: boolean }
	| { readonly kind: 'pong' };

export const PING = new Uint8Array([0xc0, 0]);
export const DISCONNECT = new Uint8Array([0xe0, 0]);

const encoder = new TextEncoder();
// A byte order mark is a part of the topic.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A CONNECT (MQTT 3.1.1, 3.1) with a clean session; its will has QoS 1 and is retained. */
export function connectPacket({
	clientId,
	username,
	password,
	will,
	keepalive,
}: Connect): Uint8Array {
	const flags =
		0x02 |
		(will === undefined ? 0 : 0x04 | 0x08 | 0x20) |
		(username === undefined ? 0 : 0x80) |
		(password === undefined ? 0 : 0x40);
	return packet(0x10, [
		text('MQTT'),
		new Uint8Array([4, flags, ...twoBytes(keepalive)]),
		text(clientId),
		...(will === undefined ? [] : [text(will.topic), prefixed(will.payload)]),
		...(username === undefined ? [] : [text(username)]),
		...(password === undefined ? [] : [text(password)]),
	]);
}

/** A SUBSCRIBE (MQTT 3.1.1, 3.8). */
export function subscribePacket(id: number, filter: string, qos: 0 | 1): Uint8Array {
	return packet(0x82, [new Uint8Array(twoBytes(id)), text(filter), new Uint8Array([qos])]);
}

/** An UNSUBSCRIBE (MQTT 3.1.1, 3.10). */
export function unsubscribePacket(id: number, filter: string): Uint8Array {
	return packet(0xa2, [new Uint8Array(twoBytes(id)), text(filter)]);
}

/** A PUBLISH with QoS 1 (MQTT 3.1.1, 3.3). */
export function publishPacket(
	id: number,
	topic: string,
	payload: Uint8Array,
	retain: boolean,
): Uint8Array {
	const first = 0x32 | (retain ? 1 : 0);
	return packet(first, [text(topic), new Uint8Array(twoBytes(id)), payload]);
}

/** A PUBACK (MQTT 3.1.1, 3.4). */
export function pubackPacket(id: number): Uint8Array {
	return new Uint8Array([0x40, 2, ...twoBytes(id)]);
}

/** Decodes a whole packet. @throws ShoalError ERR_MESSAGE if a broker may not send such a packet */
export function readPacket(bytes: Uint8Array): Received {
	const first = bytes[0] as number;
	const at = bodyStart(bytes);
	switch (first >> 4) {
		case 2:
			return { kind: 'connack', code: byteAt(bytes, at + 1) };
		case 3:
			return readPublish(bytes, first, at);
		case 4:
		case 11:
			return { kind: 'ack', id: numberAt(bytes, at), isRefused: false };
		case 9:
			return { kind: 'ack', id: numberAt(bytes, at), isRefused: byteAt(bytes, at + 2) >= 128 };
		case 13:
			return { kind: 'pong' };
		default:
			throw new ShoalError('ERR_MESSAGE', `the broker sent a packet of type ${first >> 4}`);
	}
}

/**
 * Bytes of the packet that `bytes` starts with; undefined if its length field is not complete yet.
 */
export function packetLength(bytes: Uint8Array): number | undefined {
	let length = 0;
	for (let at = 1; at <= 4 && at < bytes.length; at += 1) {
		const byte = bytes[at] as number;
		length += (byte & 0x7f) * 128 ** (at - 1);
		if (byte < 128) {
			return at + 1 + length;
		}
	}
	return undefined;
}

function readPublish(bytes: Uint8Array, first: number, at: number): Received {
	const qos = (first >> 1) & 3;
	if (qos > 1) {
		throw new ShoalError('ERR_MESSAGE', 'the broker sent a message of another QoS than requested');
	}
	const topicEnd = at + 2 + numberAt(bytes, at);
	const payloadAt = topicEnd + 2 * qos;
	if (payloadAt > bytes.length) {
		throw new ShoalError('ERR_MESSAGE', 'a message is shorter than its topic');
	}
	return {
		kind: 'publish',
		topic: decodeTopic(bytes.subarray(at + 2, topicEnd)),
		payload: bytes.subarray(payloadAt),
		isRetained: (first & 1) === 1,
		id: qos === 0 ? undefined : numberAt(bytes, topicEnd),
	};
}

function decodeTopic(bytes: Uint8Array): string {
	try {
		return decoder.decode(bytes);
	} catch (cause) {
		throw new ShoalError('ERR_MESSAGE', 'the topic of a message is no UTF-8', { cause });
	}
}

/**
 * The position of the variable header. It follows the field Remaining Length, which has one to four
 * bytes (MQTT 3.1.1, 2.2.3).
 */
function bodyStart(bytes: Uint8Array): number {
	let at = 1;
	while (byteAt(bytes, at) >= 128) {
		at += 1;
	}
	return at + 1;
}

function numberAt(bytes: Uint8Array, at: number): number {
	return (byteAt(bytes, at) << 8) | byteAt(bytes, at + 1);
}

function byteAt(bytes: Uint8Array, at: number): number {
	const byte = bytes[at];
	if (byte === undefined) {
		throw new ShoalError('ERR_MESSAGE', 'a packet of the broker ends too early');
	}
	return byte;
}

function packet(first: number, parts: readonly Uint8Array[]): Uint8Array {
	const length = parts.reduce((sum, part) => sum + part.length, 0);
	const prefix: number[] = [first];
	let rest = length;
	do {
		prefix.push((rest % 128) + (rest >= 128 ? 128 : 0));
		rest = Math.floor(rest / 128);
	} while (rest > 0);
	const bytes = new Uint8Array(prefix.length + length);
	bytes.set(prefix);
	let at = prefix.length;
	for (const part of parts) {
		bytes.set(part, at);
		at += part.length;
	}
	return bytes;
}

function text(value: string): Uint8Array {
	return prefixed(encoder.encode(value));
}

function prefixed(value: Uint8Array): Uint8Array {
	const bytes = new Uint8Array(2 + value.length);
	bytes.set(twoBytes(value.length));
	bytes.set(value, 2);
	return bytes;
}

function twoBytes(value: number): [number, number] {
	return [value >> 8, value & 255];
}
