import type { ShoalError } from '../errors.ts';
import type { Payload } from '../packets/publish-packet.ts';

/** A message as it comes in. */
export interface Incoming {
	readonly topic: string;
	/** Owned by whoever receives it, until it is released. */
	readonly payload: Uint8Array;
	/** Whether it was kept by the broker and is handed to a new subscription. */
	readonly isRetained: boolean;
	/** To be called, or not, when nobody reads the payload any more: its memory is used again. */
	readonly release?: (() => void) | undefined;
}

/** Opens the byte stream of a connection. It may hand messages of QoS 0 over itself. */
export type OpenStream = (onMessage: (message: Incoming) => void) => unknown;

/** Published by the broker when the connection is lost: QoS 1, retained. */
export interface Will {
	readonly topic: string;
	readonly payload: Uint8Array;
}

/** Options of {@link Connection.open}. */
export interface ConnectionOptions {
	/** mqtt, mqtts, ws or wss. */
	readonly url: string;
	/** MQTT client id. */
	readonly clientId: string;
	/** Sent with the client id as user name. */
	readonly password?: string | undefined;
	readonly will?: Will | undefined;
	/** Seconds without a byte after which either side gives up, at 1.5 times it. */
	readonly keepalive: number;
	/** ms until a connect, subscribe or publish fails. */
	readonly timeout: number;
	/** A byte stream to use instead of one to `url`. */
	readonly openStream?: OpenStream | undefined;
	/** Drops the connection at any time, also while it is opened. */
	readonly signal?: AbortSignal | undefined;
	readonly onMessage: (message: Incoming) => void;
}

/** One MQTT connection from CONNECT to its end; it never comes back. */
export interface BrokerConnection {
	/** Resolves with the reason when the connection has ended. */
	readonly ended: Promise<ShoalError>;
	/** Bytes written and not yet taken by the system. */
	readonly queued: number;
	/** Subscribes with QoS 1. @throws ShoalError ERR_REFUSED, ERR_TIMEOUT, ERR_DISCONNECTED */
	subscribe(filter: string): Promise<void>;
	/** Ends a subscription. @throws ShoalError ERR_TIMEOUT, ERR_DISCONNECTED */
	unsubscribe(filter: string): Promise<void>;
	/** Publishes with QoS 1 until the broker has it. @throws ShoalError ERR_TIMEOUT, ERR_DISCONNECTED */
	publish(topic: string, payload: Uint8Array, retain: boolean): Promise<void>;
	/**
	 * Sends with QoS 0: no confirmation, never retained.
	 *
	 * @param released `payload` may be changed again; until then it must not
	 */
	send(topic: string, payload: Payload, released?: () => void): void;
	/** Resolves when more is taken without a queue, or the connection has ended. */
	drained(): Promise<void>;
	/** Says goodbye, so that the will is not published, and ends the connection. */
	close(): Promise<void>;
	/** Drops the connection without a goodbye: the broker publishes the will. */
	destroy(): void;
}

/** Opens a connection. @throws ShoalError ERR_BROKER, ERR_ID_TAKEN, ERR_REFUSED */
export type OpenConnection = (options: ConnectionOptions) => Promise<BrokerConnection>;

/** User name and password of a CONNECT. */
export interface Credentials {
	readonly username?: string;
	readonly password?: string;
}

/**
 * What the client names itself with: what its URL says, as MQTT.js looks there only where it opens the stream
 * itself; else what it has of its own.
 */
export function credentials({ url, clientId, password }: ConnectionOptions): Credentials {
	const inUrl = URL.canParse(url) ? new URL(url) : undefined;
	if (inUrl !== undefined && inUrl.username !== '') {
		return {
			username: decoded(inUrl.username),
			password: decoded(inUrl.password),
		};
	}
	return password === undefined ? {} : { username: clientId, password };
}

/** `url` as its host is asked for it: user name and password are sent in the CONNECT. */
export function withoutCredentials(url: string): string {
	if (!URL.canParse(url)) {
		return url;
	}
	const plain = new URL(url);
	plain.username = '';
	plain.password = '';
	return plain.href;
}

/** A percent sign that escapes nothing stands for itself. */
function decoded(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
}
