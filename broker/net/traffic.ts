import type { PublishPacket } from 'aedes';

/** Messages (MQTT PUBLISH) one way, and the bytes of their packets. */
export interface Flow {
	messages: number;
	bytes: number;
}

/** What came in from clients, and what went out to them. */
export interface BothWays {
	readonly in: Flow;
	readonly out: Flow;
}

/** Chunks that were passed on as they came, and everything else. What stays in the process is not counted. */
export interface Traffic {
	readonly control: BothWays;
	readonly chunk: BothWays;
}

/** Nothing yet. */
export function noFlow(): Flow {
	return { messages: 0, bytes: 0 };
}

/** `times` packets of `bytes` more. */
export function count(flow: Flow, bytes: number, times = 1): void {
	flow.messages += times;
	flow.bytes += bytes * times;
}

/** Bytes of the packet that carries a message (MQTT 3.1.1, 3.3). */
export function publishLength({ topic, qos, payload }: PublishPacket): number {
	const number = qos > 0 ? 2 : 0;
	const body = 2 + Buffer.byteLength(topic) + number + Buffer.byteLength(payload);
	let length = 1 + body;
	// Its length stands there in digits of seven bits.
	for (let rest = body; rest > 0; rest = Math.floor(rest / 128)) {
		length += 1;
	}
	return length;
}
