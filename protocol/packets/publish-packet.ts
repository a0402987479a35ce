import { ShoalError } from '../errors.ts';

/** First byte of a PUBLISH with QoS 0, without the flags DUP and RETAIN (MQTT 3.1.1, 3.3.1). */
export const PLAIN_PUBLISH = 0x30;
/** Bytes of the largest fixed header: one byte, and a length in at most four (MQTT 3.1.1, 2.2.3). */
const MOST_FIXED_HEADER = 5;

const encoder = new TextEncoder();
// A byte order mark at the start is a part of the topic.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A PUBLISH packet with QoS 0. */
export interface PlainPublish {
	/** Its topic. */
	readonly topic: string;
	/** Its bytes, a view of the packet. */
	readonly payload: Uint8Array;
}

/** The payload of a message: its bytes, or several buffers one after the other. */
export type Payload = Uint8Array | readonly Uint8Array[];

/** The buffers of a payload. */
export function partsOf(payload: Payload): readonly Uint8Array[] {
	return payload instanceof Uint8Array ? [payload] : payload;
}

/** The same bytes in buffers of at most `most` bytes. */
export function piecesOf(payload: Payload, most: number): Uint8Array[] {
	return partsOf(payload).flatMap((part) =>
		Array.from({ length: Math.ceil(part.length / most) }, (_, index) =>
			part.subarray(index * most, (index + 1) * most),
		),
	);
}

/**
 * Writes a plain PUBLISH to `stream` at once, and calls `released` when its last byte has been
 * sent.
 */
export function writePublish(
	stream: PublishSink,
	topic: string,
	payload: Payload,
	released: () => void,
): void {
	const parts = partsOf(payload);
	const bytes = parts.reduce((sum, { length }) => sum + length, 0);
	stream.cork();
	stream.write(plainPublishHeader(topic, bytes));
	for (const part of parts.slice(0, -1)) {
		stream.write(part);
	}
	stream.write(parts.at(-1) ?? new Uint8Array(), () => released());
	stream.uncork();
}

/** A stream of Node.js that gathers written bytes while it is corked. */
export interface PublishSink {
	/** Gathers written bytes until `uncork`. */
	cork(): void;
	/** Writes `bytes`, and calls `done` when they have been sent. */
	write(bytes: Uint8Array, done?: () => void): unknown;
	/** Sends the gathered bytes. */
	uncork(): void;
}

/** The bytes of a PUBLISH packet with QoS 0 that come before its payload of `bytes` bytes. */
export function plainPublishHeader(topic: string, bytes: number): Uint8Array {
	const name = encoder.encode(topic);
	const header = new Uint8Array(MOST_FIXED_HEADER + 2 + name.length);
	header[0] = PLAIN_PUBLISH;
	let at = 1;
	for (let rest = 2 + name.length + bytes; rest > 0; rest = Math.floor(rest / 128)) {
		header[at] = (rest % 128) + (rest >= 128 ? 128 : 0);
		at += 1;
	}
	header[at] = name.length >> 8;
	header[at + 1] = name.length & 255;
	header.set(name, at + 2);
	return header.subarray(0, at + 2 + name.length);
}

/** Reads a whole packet that starts with {@link PLAIN_PUBLISH}. @throws ShoalError ERR_MESSAGE */
export function parsePlainPublish(packet: Uint8Array): PlainPublish {
	let at = 1;
	while ((packet[at] as number) >= 128) {
		at += 1;
	}
	at += 1;
	const end = at + 2 + (((packet[at] as number) << 8) | (packet[at + 1] as number));
	if (!(end <= packet.length)) {
		throw new ShoalError('ERR_MESSAGE', 'a message is shorter than its topic');
	}
	return { topic: decodeTopic(packet.subarray(at + 2, end)), payload: packet.subarray(end) };
}

function decodeTopic(bytes: Uint8Array): string {
	try {
		return decoder.decode(bytes);
	} catch (cause) {
		throw new ShoalError('ERR_MESSAGE', 'the topic of a message is no UTF-8', { cause });
	}
}
