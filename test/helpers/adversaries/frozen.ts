import type { Broker } from '../../../broker/index.ts';
import { Link, makeNodeId, Topics } from '../../../protocol/index.ts';
import type { Scope } from '../harness/suite.ts';
import { until } from '../harness/until.ts';
import { connectRaw, type RawClient, subscribePacket } from './raw-client.ts';

const topics = new Topics();
const MIB = 1024 * 1024;

/** The id of the client that reads nothing. */
export const FROZEN = 'frozen-01';

/** Connects a client that sends. */
export async function joinSender(t: Scope, broker: Broker): Promise<Link> {
	const link = await Link.open({ url: broker.url, id: makeNodeId() });
	t.defer(() => link.close());
	return link;
}

/** Connects a client that subscribes to its inbox and then reads no more bytes. */
export async function freeze(t: Scope, broker: Broker): Promise<RawClient> {
	const client = await connectRaw(t, broker.port, FROZEN);
	client.socket.write(subscribePacket(topics.inboxFilter(FROZEN)));
	await until('SUBACK', () => Buffer.concat(client.received).length >= 9);
	client.socket.pause();
	return client;
}

/** Sends `count` messages of `size` bytes, as fast as the broker takes them. */
export async function flood(link: Link, topic: string, size: number, count: number): Promise<void> {
	const payload = Buffer.alloc(size, 1);
	for (let number = 0; number < count; number++) {
		link.send(topic, payload);
		if (link.queued > MIB) {
			await link.drained();
		}
	}
	await link.drained();
}

/** Sends small messages to the frozen client until the broker disconnects it. */
export async function floodUntilCut(broker: Broker, sender: Link, qos: 0 | 1): Promise<void> {
	const topic = topics.reply(FROZEN, sender.id);
	const payload = Buffer.alloc(1_000, 1);
	for (let slot = 0; slot < 1_000 && broker.stats().cut === 0; slot++) {
		if (qos === 0) {
			await flood(sender, topic, 1_000, 100);
			// All clients are in this process, so the sender must leave time for the others.
			await new Promise((resolve) => setImmediate(resolve));
		} else {
			await Promise.all(Array.from({ length: 100 }, () => sender.publish(topic, payload)));
		}
	}
	await until('it is cut', () => broker.stats().cut === 1);
}
