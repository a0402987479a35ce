import type { Client } from 'aedes';
import { type PlainBroker, startPlainBroker } from '../harness/plain-broker.ts';
import type { Scope } from '../harness/suite.ts';

/** A message that an {@link UnsureBroker} may spoil. */
export interface Passing {
	readonly topic: string;
	readonly text: string;
	/** Whether its sender wants it to be retained. */
	readonly isRetained: boolean;
}

/** The faults of an {@link UnsureBroker}; all of them can be changed at any time. */
export interface Faults {
	/** Whether it retains messages. @default true */
	retains: boolean;
	/** Whether it confirms a message and loses it. @default none */
	drops: (message: Passing) => boolean;
	/** Whether it keeps a message from one client. @default none */
	hides: (client: string, topic: string) => boolean;
	/** Most ms by which it delays a message of QoS 1. Each has its own delay, so their order changes. @default 0 */
	delay: number;
	/** The fraction of the messages of QoS 1 that it delivers twice, from 0 to 1. @default 0 */
	doubles: number;
}

/** A broker that promises no more than MQTT does across the servers of a cluster. */
export interface UnsureBroker extends PlainBroker {
	readonly faults: Faults;
	/** The retained messages that match `filter`. */
	retained(filter: string): Promise<readonly { readonly topic: string }[]>;
}

/** The member of Aedes that its types leave out. */
interface WithPersistence {
	readonly persistence: {
		createRetainedStream(filter: string): AsyncIterable<{ readonly topic: string }>;
	};
}

/**
 * Starts a broker, without access rules, that drops, delays, doubles and reorders messages at will.
 * It confirms every message of QoS 1.
 *
 * @param random returns a number from 0 to 1
 */
export async function startUnsureBroker(
	t: Scope,
	faults: Partial<Faults> = {},
	random: () => number = Math.random,
): Promise<UnsureBroker> {
	const broker = await startPlainBroker(t);
	const { aedes } = broker;
	const now: Faults = {
		...{ retains: true, drops: () => false, hides: () => false, delay: 0, doubles: 0 },
		...faults,
	};
	aedes.authorizePublish = (_client: Client | null, packet, done) => {
		const { topic, qos } = packet;
		const isRetained = packet.retain;
		packet.retain &&= now.retains;
		if (now.drops({ topic, text: packet.payload.toString(), isRetained })) {
			packet.topic = 'lost';
			packet.retain = false;
			done(null);
			return;
		}
		const isDouble = qos === 1 && random() < now.doubles;
		const pass = (): void => {
			done(null);
			if (isDouble) {
				const again = { ...packet, topic, retain: false };
				setTimeout(() => aedes.publish(again, () => {}), random() * now.delay);
			}
		};
		const delay = qos === 1 ? random() * now.delay : 0;
		delay > 0 ? setTimeout(pass, delay) : pass();
	};
	aedes.authorizeForward = (client, packet) => (now.hides(client.id, packet.topic) ? null : packet);
	const retained = async (filter: string) => {
		const found: { readonly topic: string }[] = [];
		const { persistence } = aedes as unknown as WithPersistence;
		for await (const each of persistence.createRetainedStream(filter)) {
			found.push(each);
		}
		return found;
	};
	return { ...broker, faults: now, retained };
}
