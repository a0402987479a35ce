import type { Readable } from 'node:stream';
import type { Aedes, Client, PublishPacket, Subscription } from 'aedes';
import mqttPacket from 'mqtt-packet';
import { whenSent } from './when-sent.ts';

// The undocumented parts of Aedes 1.2.0 and mqtt-packet 9.0.2 that the broker uses. If a new
// version changes one of them, a test in test/broker/aedes fails.

/** The private part of a client. */
interface ClientInternals {
	readonly _keepaliveTimer: NodeJS.Timeout | null;
	/** The number of the last message, by the id of its broker. */
	readonly duplicates: object;
	/**
	 * Subscriptions by filter. If a filter equals the topic of a message, Aedes lowers the
	 * message to the QoS of that filter, even if it delivers the message for another filter.
	 */
	readonly subscriptions: Readonly<Record<string, { qos: number }>>;
	/** The will; null if there is none, or the client has sent DISCONNECT. */
	readonly will: object | null;
	/** Sends a message with a QoS above 0, or one that was retained. */
	deliverQoS(packet: Delivered, done: () => void): void;
}

/** A message to one client; the object is for this client alone. */
interface Delivered extends Pick<PublishPacket, 'topic' | 'payload'> {
	/** Whether it is marked as retained. Clients in bridge mode get new messages with this mark too. */
	readonly retain: boolean;
	/** Null if a new subscription delivers it from the store; its payload object is the one there. */
	readonly brokerId: string | null;
	qos: number;
}

/** The part of an Aedes that is not in its types. */
interface AedesInternals {
	readonly persistence: RetainedPersistence;
	readonly _clearWillInterval: NodeJS.Timeout;
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
/** A number above every QoS. */
const NO_QOS = 3;

/** Restarts the keep-alive time of `client`, as Aedes does for each packet that it sees. */
export function keepAlive(client: Client): void {
	(client as unknown as ClientInternals)._keepaliveTimer?.refresh();
}

/**
 * Makes Aedes deliver every message to `client`. Aedes drops a message as a duplicate if its number
 * is not greater than that of the message before. But a message of QoS 1 can arrive after messages of
 * QoS 0 that have greater numbers, and would be lost. As a consequence, a client with two
 * overlapping subscriptions gets a message twice.
 */
export function deliverAll(client: Client, brokerId: string): void {
	const { duplicates } = client as unknown as ClientInternals;
	Object.defineProperty(duplicates, brokerId, { get: () => 0, set: () => {} });
}

/**
 * Makes `qosOf` choose the QoS of each message to `client`, given the QoS that it was published with. Aedes itself
 * applies a granted QoS only if the filter is the topic itself: a message that matches a wildcard, or is retained,
 * keeps its QoS.
 */
export function lowerQos(client: Client, qosOf: (topic: string, qos: number) => number): void {
	const internals = client as unknown as ClientInternals;
	const { deliverQoS } = internals;
	internals.deliverQoS = (packet, done) => {
		packet.qos = qosOf(packet.topic, packet.qos);
		deliverQoS(packet, done);
	};
}

/**
 * Sends retained messages to `client` no faster than it reads them. Aedes sends all retained
 * messages that match a new subscription, and goes on when `client` has disconnected. New messages
 * do not wait, so a retained message that was replaced or deleted meanwhile is not sent: it would
 * arrive after the newer one.
 *
 * @param ahead bytes that may be queued for the client before the next one is sent
 * @param isRetained whether a message is still in the store
 */
export function paceRetained(
	client: Client,
	ahead: number,
	isRetained: (packet: Pick<PublishPacket, 'topic' | 'payload'>) => boolean,
): void {
	const internals = client as unknown as ClientInternals;
	const { deliverQoS } = internals;
	const { conn } = client;
	internals.deliverQoS = (packet, done) => {
		const next = (): void => {
			if (!conn.destroyed) {
				done();
			}
		};
		const whenRead = (): void => {
			if (conn.writableLength <= ahead) {
				next();
			} else {
				whenSent(conn, next);
			}
		};
		const isFromStore = packet.retain && packet.brokerId === null;
		if (isFromStore && !isRetained(packet)) {
			done();
		} else {
			deliverQoS(packet, isFromStore ? whenRead : done);
		}
	};
}

/** Keeps Aedes from applying the QoS granted for `filter` to messages that `client` gets through another filter. */
export function lowersNoOther(client: Client, filter: string): void {
	const subscription = (client as unknown as ClientInternals).subscriptions[filter];
	if (subscription !== undefined) {
		// A repeated SUBSCRIBE to `filter` still replaces this subscription: Aedes replaces a
		// subscription if the QoS differs, and no SUBSCRIBE has the QoS 3.
		subscription.qos = NO_QOS;
	}
}

/** Whether `packet`, which is to be published, is the will of `client`. */
export function isWill(client: Client, packet: object): boolean {
	return (client as unknown as ClientInternals).will === packet;
}

/** Keeps the retained messages of `aedes` in `store`. To be called after `aedes.listen()`. */
export function keepRetainedIn(aedes: Aedes, store: RetainedPersistence): void {
	Object.assign((aedes as unknown as AedesInternals).persistence, {
		storeRetained: (packet) => store.storeRetained(packet),
		createRetainedStream: (filter) => store.createRetainedStream(filter),
		createRetainedStreamCombi: (filters) => store.createRetainedStreamCombi(filters),
	} satisfies RetainedPersistence);
}

/**
 * Makes Aedes record at once that a subscription has begun or ended, and answer the client. By
 * itself, it waits for a later turn of the event loop, and only then forgets a subscription that
 * has ended, by its filter. A new subscription of the client to the same filter would be forgotten
 * with it, and would remain even after the client has disconnected. The messages still end in that
 * later turn, so a few can follow the UNSUBACK. An error that Aedes finds during the call is passed
 * on; it finds no others.
 */
export function subscribeAtOnce(aedes: Aedes): void {
	const subscribe = aedes.subscribe.bind(aedes);
	const unsubscribe = aedes.unsubscribe.bind(aedes);
	aedes.subscribe = (filter, deliver, done) => {
		const tell = onlyFirst(done);
		subscribe(filter, deliver, tell);
		tell();
	};
	aedes.unsubscribe = (filter, deliver, done = () => {}) => {
		const tell = onlyFirst(done);
		unsubscribe(filter, deliver, tell);
		tell();
	};
}

/** A function whose first call calls `done`, and whose later calls do nothing. */
function onlyFirst(done: (error?: Error) => void): (error?: Error) => void {
	let isDone = false;
	return (error) => {
		if (!isDone) {
			isDone = true;
			done(error);
		}
	};
}

/**
 * Keeps `aedes` from publishing wills of clients that are connected. From time to time, Aedes
 * publishes the wills that other brokers with the same persistence have left. There are none, but if
 * the clock of the system jumps ahead, Aedes takes its own wills for these. To be called after
 * `aedes.listen()`.
 */
export function leaveWills(aedes: Aedes): void {
	clearInterval((aedes as unknown as AedesInternals)._clearWillInterval);
}

/** Calls `listener` with each failure of `aedes` itself. */
export function onAedesError(aedes: Aedes, listener: (error: unknown) => void): void {
	(aedes as unknown as AedesInternals).on('error', listener);
}

/** The granted subscriptions of a `subscribe` event, which contains the refused ones as well. */
export function grantedOf(subscriptions: readonly Subscription[]): Subscription[] {
	return subscriptions.filter(({ qos }) => (qos as number) !== REFUSED);
}

/** Whether `error` means that a client sent no CONNECT in time. Aedes gives this error no code. */
export function isConnectTimeout({ message }: Error): boolean {
	return message === 'connect did not arrive in time';
}

/**
 * Whether `error` means that a client has sent nothing for 1.5 times its keepalive. Aedes gives
 * this error no code.
 */
export function isKeepAliveTimeout({ message }: Error): boolean {
	return message === 'keep alive timeout';
}

/**
 * Keeps mqtt-packet from making a buffer for every 16-bit number before its first write, which
 * would take 45 ms and 8 MB.
 */
export function skipNumberCache(): void {
	mqttPacket.writeToStream.cacheNumbers = false;
}
