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

// Or MQTT.js has a buffer made for every number there is before the first is written: 45 ms and 8 MB.
mqttPacket.writeToStream.cacheNumbers = false;

/** Room in a packet for what is not content: fixed header, topic, header of the chunk. */
const OVERHEAD = 1024;
/** Bytes of the largest packet that a node may send, as it does on a direct lane. */
const MOST_PACKET = MAX_RANGE + OVERHEAD;
/** Messages from here on are put into buffers that are used again. */
const LARGE = 32 * 1024;

/** Whether `url` leads to a broker over TCP without encryption. */
export function isPlainTcp(url: string): boolean {
	return URL.canParse(url) && new URL(url).protocol === 'mqtt:';
}

/**
 * Opens a byte stream to the broker at `url`, which is mqtt:, for MQTT.js to speak on. Messages of QoS 0 do
 * not go through it: they are read straight into buffers and handed to `onMessage`, and the buffers of large
 * ones are used again once they are released. A broker that sends a packet larger than any node may
 * send is cut.
 */
export function openTcpStream(url: string, onMessage: (message: Incoming) => void): Socket {
	let takesMore = true;
	const framer = makeFramer(onMessage, (packet) => {
		takesMore = socket.push(packet);
	});
	const socket = connect({
		...brokerAddress(url),
		onread: {
			// As a function: where the next bytes go depends on those before. The types know buffers only.
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

/** Cuts what a broker sends: messages of QoS 0 go to `onMessage`, other packets to `give`. */
export function makeFramer(
	onMessage: (message: Incoming) => void,
	give: (packet: Uint8Array) => void,
): PacketFramer {
	return new PacketFramer({
		admit: (_type, length) => {
			if (length > MOST_PACKET) {
				throw new ShoalError('ERR_LIMIT', `the broker sends a packet of ${length} bytes`);
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
