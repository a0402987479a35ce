import type { Readable } from 'node:stream';
import type { Aedes, Client, PublishPacket, Subscription } from 'aedes';
import mqttPacket from 'mqtt-packet';

// All that is used of Aedes 1.2.0 and mqtt-packet 9.0.2 and not documented. A new version that changes any of it
// fails a test in test/broker/aedes/internals.test.ts that has its name.

/** The part of a client that is private. */
interface ClientInternals {
	readonly _keepaliveTimer: NodeJS.Timeout | null;
	/** The number of the last message, by the id of its broker. */
	readonly duplicates: object;
	/** By filter. A copy for another subscription is lowered to the QoS that the topic itself has here. */
	readonly subscriptions: Readonly<Record<string, { qos: number }>>;
	/** The will of a client that has not said goodbye. */
	readonly will: object | null;
	/** Sends a message whose QoS is not 0, and what is retained; the packet is for this client alone. */
	deliverQoS(packet: { readonly topic: string; qos: number }, done: () => void): void;
}

/** The part of an Aedes that is not in its types. */
interface AedesInternals {
	readonly persistence: RetainedPersistence;
	on(event: 'error', listener: (error: unknown) => void): void;
}

/** The part of a persistence that keeps retained messages. */
export interface RetainedPersistence {
	storeRetained(packet: PublishPacket): Promise<void>;
	createRetainedStream(filter: string): Readable;
	createRetainedStreamCombi(filters: readonly string[]): Readable;
}

/** The QoS of a subscription that was refused (MQTT 3.1.1, 3.9.3). */
const REFUSED = 128;
/** Above every QoS. */
const NO_QOS = 3;

/** Restarts the keep-alive time of `client`, as Aedes does for each packet that it sees. */
export function keepAlive(client: Client): void {
	(client as unknown as ClientInternals)._keepaliveTimer?.refresh();
}

/**
 * Has Aedes hand every message to `client`. It takes one with a smaller number than the last for a
 * second delivery, and drops it; but those of QoS 1 come late, overtaken by others of QoS 0, and would be
 * lost. A client that has subscribed to the same twice gets it twice.
 */
export function deliverAll(client: Client, brokerId: string): void {
	const { duplicates } = client as unknown as ClientInternals;
	Object.defineProperty(duplicates, brokerId, { get: () => 0, set: () => {} });
}

/**
 * Has `qosOf` say with which QoS a message goes out to `client`, given that with which it was published. Aedes only
 * looks at what was granted for the topic itself: what comes through a wildcard, or is retained, keeps its QoS.
 */
export function lowerQos(client: Client, qosOf: (topic: string, qos: number) => number): void {
	const internals = client as unknown as ClientInternals;
	const { deliverQoS } = internals;
	internals.deliverQoS = (packet, done) => {
		packet.qos = qosOf(packet.topic, packet.qos);
		deliverQoS(packet, done);
	};
}

/** Keeps Aedes from lowering what `client` gets through another filter to what was granted for `filter`. */
export function lowersNoOther(client: Client, filter: string): void {
	const subscription = (client as unknown as ClientInternals).subscriptions[filter];
	if (subscription !== undefined) {
		// One that is asked for again is another then, and replaces this one.
		subscription.qos = NO_QOS;
	}
}

/** Whether `packet`, which is to be published, is the will of `client`. */
export function isWill(client: Client, packet: object): boolean {
	return (client as unknown as ClientInternals).will === packet;
}

/** Keeps the retained messages of `aedes`, which listens, in `store`. */
export function keepRetainedIn(aedes: Aedes, store: RetainedPersistence): void {
	Object.assign((aedes as unknown as AedesInternals).persistence, {
		storeRetained: (packet) => store.storeRetained(packet),
		createRetainedStream: (filter) => store.createRetainedStream(filter),
		createRetainedStreamCombi: (filters) => store.createRetainedStreamCombi(filters),
	} satisfies RetainedPersistence);
}

/** Has `listener` called with failures of `aedes` itself. */
export function onAedesError(aedes: Aedes, listener: (error: unknown) => void): void {
	(aedes as unknown as AedesInternals).on('error', listener);
}

/** Those of a `subscribe` event that were granted: it has those that were refused as well. */
export function grantedOf(subscriptions: readonly Subscription[]): Subscription[] {
	return subscriptions.filter(({ qos }) => (qos as number) !== REFUSED);
}

/** Whether `error` is that of a client that sent no CONNECT in time; it has no code. */
export function isConnectTimeout({ message }: Error): boolean {
	return message === 'connect did not arrive in time';
}

/** Whether `error` is that of a client that has sent nothing for 1.5 times its keepalive; it has no code. */
export function isKeepAliveTimeout({ message }: Error): boolean {
	return message === 'keep alive timeout';
}

/** Keeps mqtt-packet from making a buffer for every 16-bit number before its first write: 45 ms and 8 MB. */
export function skipNumberCache(): void {
	mqttPacket.writeToStream.cacheNumbers = false;
}
