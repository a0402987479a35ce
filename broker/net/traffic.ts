import type { PublishPacket } from 'aedes';

/** MQTT PUBLISH messages in one direction. */
export interface Flow {
	/** Number of messages. */
	messages: number;
	/** Bytes of their packets. */
	bytes: number;
}

/** Messages in both directions. */
export interface BothWays {
	/** From clients. */
	readonly in: Flow;
	/** To clients. */
	readonly out: Flow;
}

/** The traffic of a broker with its clients. Messages inside the process are not counted. */
export interface Traffic {
	/** All messages that Aedes handled. */
	readonly control: BothWays;
	/** Chunks that were forwarded without Aedes. */
	readonly chunk: BothWays;
}

/** A flow of zero messages. */
export function noFlow(): Flow {
	return { messages: 0, bytes: 0 };
}

/** Adds `times` packets of `bytes` bytes each to `flow`. */
export function count(flow: Flow, bytes: number, times = 1): void {
	flow.messages += times;
	flow.bytes += bytes * times;
}

/** Bytes of the packet that carries a message (MQTT 3.1.1, 3.3). */
export function publishLength({ topic, qos, payload }: PublishPacket): number {
	const number = qos > 0 ? 2 : 0;
	const body = 2 + Buffer.byteLength(topic) + number + Buffer.byteLength(payload);
	let length = 1 + body;
	// The packet contains its remaining length, seven bits in each byte.
	for (let rest = body; rest > 0; rest = Math.floor(rest / 128)) {
		length += 1;
	}
	return length;
}
