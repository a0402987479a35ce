import type { ShoalError } from '../errors.ts';
import type { Payload } from '../packets/publish-packet.ts';

/** A message that has arrived. */
export interface Incoming {
	/** Its topic. */
	readonly topic: string;
	/** Its bytes, which belong to the receiver until it calls `release`. */
	readonly payload: Uint8Array;
	/** Whether the broker had retained the message and sent it because of a new subscription. */
	readonly isRetained: boolean;
	/** To be called, if at all, when the payload is no longer read: its memory is then used again. */
	readonly release?: (() => void) | undefined;
}

/** Opens the byte stream of a connection. The stream may pass messages of QoS 0 to `onMessage` itself. */
export type OpenStream = (onMessage: (message: Incoming) => void) => unknown;

/** The will of a connection: the broker publishes it with QoS 1, retained, when the connection is lost. */
export interface Will {
	/** Its topic. */
	readonly topic: string;
	/** Its bytes. */
	readonly payload: Uint8Array;
}

/** Options of {@link Connection.open}. */
export interface ConnectionOptions {
	/** URL of the broker: mqtt, mqtts, ws or wss. */
	readonly url: string;
	/** MQTT client id. */
	readonly clientId: string;
	/** MQTT password, sent with the client id as user name. @default none */
	readonly password?: string | undefined;
	/** The will. @default none */
	readonly will?: Will | undefined;
	/**
	 * MQTT keepalive, seconds: the client and the broker each end the connection if they receive no
	 * byte for 1.5 times as long.
	 */
	readonly keepalive: number;
	/** Milliseconds until a subscribe or publish fails. */
	readonly timeout: number;
	/** Milliseconds until a connect fails. @default `timeout` */
	readonly connectTimeout?: number | undefined;
	/** Opens the byte stream. @default a connection to `url` */
	readonly openStream?: OpenStream | undefined;
	/**
	 * When this signal is aborted, the connection is dropped, even while it is being opened.
	 *
	 * @default none
	 */
	readonly signal?: AbortSignal | undefined;
	/** Called with each message. */
	readonly onMessage: (message: Incoming) => void;
}

/** One MQTT connection, from CONNECT to its end. It does not reconnect. */
export interface BrokerConnection {
	/** Resolves with the reason when the connection has ended. */
	readonly ended: Promise<ShoalError>;
	/** Bytes that the system has not taken yet. */
	readonly queued: number;
	/** Subscribes with `qos`. @default qos 1 @throws ShoalError ERR_REFUSED, ERR_TIMEOUT, ERR_DISCONNECTED */
	subscribe(filter: string, qos?: 0 | 1): Promise<void>;
	/** Ends a subscription. @throws ShoalError ERR_TIMEOUT, ERR_DISCONNECTED */
	unsubscribe(filter: string): Promise<void>;
	/**
	 * Publishes with QoS 1; resolves when the broker has confirmed the message.
	 *
	 * @throws ShoalError ERR_TIMEOUT, ERR_DISCONNECTED
	 */
	publish(topic: string, payload: Uint8Array, retain: boolean): Promise<void>;
	/**
	 * Sends with QoS 0: no confirmation, never retained.
	 *
	 * @param released called when `payload` may be changed again
	 */
	send(topic: string, payload: Payload, released?: () => void): void;
	/** Resolves when more can be sent without queueing, or the connection has ended. */
	drained(): Promise<void>;
	/** Disconnects cleanly, so that the will is not published. */
	close(): Promise<void>;
	/** Breaks the connection, so that the broker publishes the will. */
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
 * User name and password of a CONNECT: those in the URL if it has a user name; else the client id
 * and `password`; none without `password`. (MQTT.js reads them from the URL only if it opens the
 * stream itself.)
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

/** `url` without user name and password, which are sent in the CONNECT instead. */
export function withoutCredentials(url: string): string {
	if (!URL.canParse(url)) {
		return url;
	}
	const plain = new URL(url);
	plain.username = '';
	plain.password = '';
	return plain.href;
}

/** `text` with its percent-encoding decoded; unchanged if it is not valid percent-encoding. */
function decoded(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
}
