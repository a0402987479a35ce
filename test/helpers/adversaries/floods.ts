import { encodeJson, Topics } from '../../../protocol/index.ts';
import { announce, seedId } from '../fixtures/registry.ts';
import { until } from '../harness/until.ts';
import { packet, publishPacket, type RawClient, text } from './raw-client.ts';

const topics = new Topics();
const PINGREQ = Buffer.from([0xc0, 0]);
const PINGRESP = Buffer.from([0xd0, 0]);

/** The id of the client that floods. */
export const EVIL = 'evil-0001';

/**
 * Filters of which a client may have only a few, and filters that a client may not subscribe to.
 */
export const FILTERS = {
	'its limit': (number: number) => topics.swarm(seedId(number), 'other-001'),
	'what is its own': (number: number) => topics.inboxFilter(`victim-${number}`),
};

/** The filter for all retained announces. */
export const ALL_ANNOUNCES = `${topics.root}/announce/+/+`;

/** Announces of `count` seeds, as packets. */
export function announces(count: number, node = EVIL): Buffer {
	const message = encodeJson(announce('evil-session'));
	return Buffer.concat(
		Array.from({ length: count }, (_, number) =>
			publishPacket(topics.announce(seedId(number + 0x10000), node), message, 0x33),
		),
	);
}

/** `count` subscriptions, each in its own packet. */
export function subscriptions(count: number, filterOf: (number: number) => string): Buffer {
	return Buffer.concat(
		Array.from({ length: count }, (_, number) => {
			const id = Buffer.from([number >> 8, number & 255]);
			return packet(0x82, [id, text(filterOf(number)), Buffer.from([1])]);
		}),
	);
}

/** Sends `bytes`, and waits until the broker has handled them or closed the connection. */
export async function pour(client: RawClient, bytes: Buffer): Promise<void> {
	const { socket, received, isClosed } = client;
	received.length = 0;
	socket.write(bytes);
	socket.write(PINGREQ);
	const isHandled = (): boolean => Buffer.concat(received).includes(PINGRESP);
	await until('it is handled', () => isClosed() || isHandled());
}
