import { connect, type Socket } from 'node:net';
import { type IPublishPacket, parser } from 'mqtt-packet';
import type { Scope } from '../harness/suite.ts';
import { until } from '../harness/until.ts';

/** A socket to which a test writes any bytes, as a client that is not shoal could. */
export interface RawClient {
	readonly socket: Socket;
	/** Bytes received. */
	readonly received: Buffer[];
	readonly isClosed: () => boolean;
}

/** Opens a socket that is destroyed when the test ends. */
export async function openRaw(t: Scope, port: number): Promise<RawClient> {
	const received: Buffer[] = [];
	let isClosed = false;
	const socket = connect(port, '127.0.0.1');
	t.defer(() => socket.destroy());
	socket.on('error', () => {});
	socket.on('close', () => {
		isClosed = true;
	});
	socket.on('data', (bytes) => received.push(bytes));
	await until('the socket is open', () => socket.readyState === 'open');
	return { socket, received, isClosed: () => isClosed };
}

/** Connects with CONNECT and waits for CONNACK. */
export async function connectRaw(
	t: Scope,
	port: number,
	id: string,
	will?: { topic: string; payload: string },
): Promise<RawClient> {
	const client = await openRaw(t, port);
	client.socket.write(connectPacket(id, will));
	await until('CONNACK', () => Buffer.concat(client.received).length >= 4);
	return client;
}

/** A CONNECT of MQTT 3.1.1 with a clean session; `keepalive` in seconds. */
export function connectPacket(
	id: string,
	will?: { topic: string; payload: string },
	keepalive = 600,
): Buffer {
	// Will retained with QoS 1, and clean session.
	const flags = will === undefined ? 0x02 : 0x2e;
	return packet(0x10, [
		text('MQTT'),
		Buffer.from([4, flags, keepalive >> 8, keepalive & 255]),
		text(id),
		...(will === undefined ? [] : [text(will.topic), text(will.payload)]),
	]);
}

/** A SUBSCRIBE to one filter. */
export function subscribePacket(filter: string, qos = 1): Buffer {
	return packet(0x82, [Buffer.from([0, 1]), text(filter), Buffer.from([qos])]);
}

/** An UNSUBSCRIBE of one filter. */
export function unsubscribePacket(filter: string): Buffer {
	return packet(0xa2, [Buffer.from([0, 1]), text(filter)]);
}

/** A PUBLISH. The QoS is in its first byte, `first`; the message id for QoS 1 is 1. */
export function publishPacket(topic: string, payload: Uint8Array, first = 0x30): Buffer {
	const id = (first & 0x06) === 0 ? [] : [Buffer.from([0, 1])];
	return packet(first, [text(topic), ...id, Buffer.from(payload)]);
}

/** The messages in what a client has received so far. */
export function messagesOf({ received }: Pick<RawClient, 'received'>): IPublishPacket[] {
	const messages: IPublishPacket[] = [];
	const reader = parser();
	reader.on('packet', (each) => {
		if (each.cmd === 'publish') {
			messages.push(each);
		}
	});
	reader.parse(Buffer.concat(received));
	return messages;
}

/** A packet of MQTT: first byte, length, body. */
export function packet(first: number, parts: readonly Buffer[]): Buffer {
	const body = Buffer.concat(parts);
	const length: number[] = [];
	let rest = body.length;
	do {
		length.push((rest % 128) + (rest >= 128 ? 128 : 0));
		rest = Math.floor(rest / 128);
	} while (rest > 0);
	return Buffer.concat([Buffer.from([first, ...length]), body]);
}

/** A string as MQTT writes it. */
export function text(value: string): Buffer {
	const bytes = Buffer.from(value);
	return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
}
