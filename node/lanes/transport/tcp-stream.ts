import { connect, type Socket } from 'node:net';
import mqttPacket from 'mqtt-packet';
import {
	brokerAddress,
	type Incoming,
	MAX_RANGE,
	PacketFramer,
	PLAIN_PUBLISH,
	parsePlainPublish,
	ShoalError,
	sharedBuffers,
} from '../../../protocol/index.ts';

// Otherwise MQTT.js makes a buffer for each 16-bit number before the first packet: 45 ms and 8 MB.
mqttPacket.writeToStream.cacheNumbers = false;

/** Bytes of a packet besides those of the chunk, at most: fixed header, topic, chunk header. */
const OVERHEAD = 1024;
/** Bytes of the largest packet that a node may send; direct lanes carry packets of this size. */
const MOST_PACKET = MAX_RANGE + OVERHEAD;
/** Messages of this many bytes or more are read into buffers that are reused. */
const LARGE = 32 * 1024;

/** Whether `url` leads to a broker over TCP without encryption. */
export function isPlainTcp(url: string): boolean {
	return URL.canParse(url) && new URL(url).protocol === 'mqtt:';
}

/**
 * Opens the byte stream of MQTT.js to the broker at `url`, an mqtt: URL. Messages of QoS 0 bypass
 * MQTT.js: they are read directly into buffers and passed to `onMessage`. The buffers of large
 * messages are reused once they are released. If the broker sends a packet that is larger than any
 * node may send, the connection is closed.
 */
export function openTcpStream(url: string, onMessage: (message: Incoming) => void): Socket {
	let takesMore = true;
	const framer = makeFramer(onMessage, (packet) => {
		takesMore = socket.push(packet);
	});
	const socket = connect({
		...brokerAddress(url),
		onread: {
			// A function, because the target of the next bytes depends on those before. The types allow
			// only buffers.
			buffer: (() => framer.target) as unknown as Uint8Array,
			callback: (count) => {
				takesMore = true;
				try {
					framer.filled(count);
				} catch (error) {
					socket.destroy(error as Error);
				}
				return takesMore;
			},
		},
	});
	return socket;
}

/** Splits the bytes of a broker: messages of QoS 0 go to `onMessage`, other packets to `give`. */
export function makeFramer(
	onMessage: (message: Incoming) => void,
	give: (packet: Uint8Array) => void,
): PacketFramer {
	return new PacketFramer({
		admit: (_type, length) => {
			if (length > MOST_PACKET) {
				throw new ShoalError(
					'ERR_LIMIT',
					`the broker sent a packet of ${length} bytes, which is too large`,
				);
			}
		},
		allocate: (first, length) =>
			isLarge(first, length) ? sharedBuffers.take(length) : new Uint8Array(length),
		onPacket: (packet) => {
			if (packet[0] === PLAIN_PUBLISH) {
				const { topic, payload } = parsePlainPublish(packet);
				const release = (): void => sharedBuffers.give(packet);
				onMessage({ topic, payload, isRetained: false, release });
			} else {
				give(packet);
			}
		},
	});
}

function isLarge(first: number | undefined, length: number): boolean {
	return first === PLAIN_PUBLISH && length >= LARGE;
}
