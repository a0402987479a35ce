// The build for browsers has a default export only.
import mqtt, { type IClientOptions, type MqttClient, type StreamBuilder } from 'mqtt';
import { isShoalError, ShoalError } from '../errors.ts';
import { PORTABLE_PART } from '../limits.ts';
import { type Payload, piecesOf, writePublish } from '../packets/publish-packet.ts';
import { parseBrokerUrl } from '../seed/broker-urls.ts';
import { disconnected, explain, refusal } from './connection-errors.ts';
import {
	type BrokerConnection,
	type ConnectionOptions,
	credentials,
	withoutCredentials,
} from './connection-options.ts';

/** Members of a socket that other streams do not have. */
interface SocketParts {
	readonly bytesRead: number;
	setNoDelay(): void;
}

type Operation = (done: (error?: unknown) => void) => void;

// ms to wait for unconfirmed messages when a connection is closed, and then the same time again for
// the DISCONNECT. So a command that is interrupted ends within two seconds.
const GOODBYE = 500;
const DISCONNECT = new Uint8Array([0xe0, 0]);

/**
 * One MQTT connection, from CONNECT to its end. It does not reconnect. It turns off three parts of
 * MQTT.js: reconnects, which lose promises; queues, which hold messages without bound; and
 * keepalive, which does not count received bytes as signs of life.
 */
export class Connection implements BrokerConnection {
	/** Resolves with the reason when the connection has ended. */
	readonly ended: Promise<ShoalError>;
	readonly #client: MqttClient;
	readonly #timeout: number;
	readonly #url: string;
	readonly #isWebSocket: boolean;
	readonly #pending = new Set<(error: ShoalError) => void>();
	#end: ShoalError | undefined;
	#closing: ShoalError | undefined;
	#settle: (reason: ShoalError) => void = () => {};
	#heard = performance.now();

	private constructor(options: ConnectionOptions) {
		this.#timeout = options.timeout;
		this.#url = options.url;
		this.#isWebSocket = /^wss?:/.test(options.url);
		this.ended = new Promise((resolve) => {
			this.#settle = resolve;
		});
		this.#client = startClient(options);
		const fail = (error: Error): void => {
			const { connected } = this.#client;
			this.#finish(connected ? disconnected(options.url, error) : explain(error, options));
		};
		this.#client.on('error', fail);
		// MQTT.js does not report why a WebSocket could not be opened.
		this.#client.stream.on('error', fail);
		this.#client.on('close', () => this.#finish(this.#closing ?? disconnected(options.url)));
		this.#client.on('message', (topic, payload, packet) => {
			options.onMessage({ topic, payload, isRetained: packet.retain });
		});
	}

	/**
	 * Connects.
	 *
	 * @throws ShoalError ERR_BROKER if the broker cannot be reached or is not an MQTT broker,
	 *   ERR_ID_TAKEN if it refuses the client id, ERR_REFUSED if it refuses for another reason
	 */
	static async open(options: ConnectionOptions): Promise<Connection> {
		const connection = Connection.#start(options);
		const abort = (): void => connection.destroy();
		options.signal?.addEventListener('abort', abort);
		void connection.ended.then(() => options.signal?.removeEventListener('abort', abort));
		try {
			const { timeout, connectTimeout = timeout } = options;
			await connection.#race(
				(done) => connection.#client.once('connect', () => done()),
				connectTimeout,
			);
		} catch (error) {
			connection.destroy();
			const isSilent =
				isShoalError(error, 'ERR_TIMEOUT') || isShoalError(error, 'ERR_DISCONNECTED');
			throw isSilent ? explain(error, options) : error;
		}
		connection.#watch(options);
		return connection;
	}

	static #start(options: ConnectionOptions): Connection {
		try {
			// MQTT.js reads a malformed URL differently, and would send its password to another host. If a
			// URL names no host, it would connect to this machine.
			parseBrokerUrl(options.url);
			return new Connection(options);
		} catch (error) {
			throw explain(error as Error, options);
		}
	}

	/** Bytes that the system has not taken yet. */
	get queued(): number {
		return this.#client.stream.writableLength;
	}

	/** Bytes received so far; 0 if the stream does not count them. */
	get received(): number {
		const { bytesRead = 0 }: Partial<SocketParts> = this.#client.stream as Partial<SocketParts>;
		return bytesRead;
	}

	/** Subscribes with `qos`. @throws ShoalError ERR_REFUSED, ERR_TIMEOUT, ERR_DISCONNECTED */
	async subscribe(filter: string, qos: 0 | 1 = 1): Promise<void> {
		await this.#race((done) => {
			this.#client.subscribe(filter, { qos }, (error, granted) => {
				const isRefused = granted?.some(({ qos }) => qos >= 128) === true;
				done(error || isRefused ? refusal(filter, error) : undefined);
			});
		});
	}

	/** Ends a subscription. @throws ShoalError ERR_TIMEOUT, ERR_DISCONNECTED */
	async unsubscribe(filter: string): Promise<void> {
		await this.#race((done) => this.#client.unsubscribe(filter, (error) => done(error)));
	}

	/**
	 * Publishes with QoS 1; resolves when the broker has confirmed the message.
	 *
	 * @throws ShoalError ERR_TIMEOUT, ERR_DISCONNECTED
	 */
	async publish(topic: string, payload: Uint8Array, retain: boolean): Promise<void> {
		await this.#race((done) => {
			this.#client.publish(topic, payload as Buffer, { qos: 1, retain }, (error) => done(error));
		});
	}

	/**
	 * Sends with QoS 0: no confirmation, never retained. The packet is not written by MQTT.js, which
	 * would write it in five pieces and does not report when the last one has been sent.
	 *
	 * @param released called when `payload` may be changed again
	 */
	send(topic: string, payload: Payload, released: () => void = () => {}): void {
		if (this.#end !== undefined || this.#closing !== undefined) {
			released();
			return;
		}
		// Each piece is a WebSocket message of its own, and brokers hold such a message as a whole.
		const pieces = this.#isWebSocket ? piecesOf(payload, PORTABLE_PART) : payload;
		writePublish(this.#client.stream, topic, pieces, released);
	}

	/** Resolves when more can be sent without queueing, or the connection has ended. */
	async drained(): Promise<void> {
		const { stream } = this.#client;
		// A queue below the high-water mark never leads to a `drain`.
		if (this.#end !== undefined || !stream.writableNeedDrain) {
			return;
		}
		// This does not race against `ended`: that promise would hold each race for the life of the
		// connection.
		await new Promise<void>((resolve) => {
			const finish = (): void => {
				stream.off('drain', finish);
				this.#pending.delete(finish);
				resolve();
			};
			stream.once('drain', finish);
			this.#pending.add(finish);
		});
	}

	/**
	 * Waits at most half a second for unconfirmed messages, disconnects cleanly, so that the will is
	 * not published, and ends the connection.
	 */
	async close(): Promise<void> {
		if (this.#end === undefined && this.#closing === undefined) {
			this.#closing = new ShoalError('ERR_CLOSED', 'the connection was closed');
			this.#client.end(false);
			await this.#endWithin(GOODBYE);
			if (this.#end === undefined) {
				// MQTT.js sends no DISCONNECT while a message is not acknowledged.
				this.#client.stream.end(DISCONNECT);
				await this.#endWithin(GOODBYE);
			}
			this.#finish(this.#closing);
		}
		await this.ended;
	}

	/** Breaks the connection, so that the broker publishes the will. */
	destroy(): void {
		this.#finish(new ShoalError('ERR_CLOSED', 'the connection was dropped'));
	}

	/** Runs `operation`; settles when it is done, when the connection ends or after `timeout` ms. */
	#race(operation: Operation, timeout = this.#timeout): Promise<void> {
		return new Promise((resolve, reject) => {
			const over = this.#end ?? this.#closing;
			if (over !== undefined) {
				reject(over);
				return;
			}
			const timer = setTimeout(() => {
				finish(new ShoalError('ERR_TIMEOUT', `no answer from the broker in ${timeout} ms`));
			}, timeout);
			const finish = (error?: unknown): void => {
				clearTimeout(timer);
				this.#pending.delete(finish);
				if (error) {
					// When MQTT.js itself fails an operation, the connection is lost.
					reject(isShoalError(error) ? error : (this.#closing ?? disconnected(this.#url, error)));
				} else {
					resolve();
				}
			};
			this.#pending.add(finish);
			operation(finish);
		});
	}

	/** Sends pings by a timer of its own; any received byte counts as a sign of life. */
	#watch({ keepalive, url }: ConnectionOptions): void {
		const stream: MqttClient['stream'] & Partial<SocketParts> = this.#client.stream;
		stream.setNoDelay?.();
		const hear = (): void => {
			this.#heard = performance.now();
		};
		hear();
		stream.on('data', hear);
		const every = keepalive * 500;
		let lookedAt = performance.now();
		let { bytesRead } = stream;
		const pinger = setInterval(() => {
			const now = performance.now();
			// If this process itself was suspended, bytes that arrived meanwhile have not been read yet.
			// And not all bytes that were read are emitted as `data`: a large message is passed on when
			// it is complete, and not as `data`.
			if (now - lookedAt > every * 2 || bytesRead !== stream.bytesRead) {
				hear();
			}
			({ bytesRead } = stream);
			lookedAt = now;
			if (now - this.#heard > every * 3) {
				this.#finish(disconnected(url));
			} else {
				this.#client.sendPing();
			}
		}, every);
		void this.ended.then(() => clearInterval(pinger));
	}

	/** Resolves when the connection has ended, or after `ms`. */
	#endWithin(ms: number): Promise<void> {
		return new Promise((resolve) => {
			const timer = setTimeout(resolve, ms);
			void this.ended.then(() => {
				clearTimeout(timer);
				resolve();
			});
		});
	}

	#finish(reason: ShoalError): void {
		if (this.#end === undefined) {
			this.#end = reason;
			// This is done first, as MQTT.js would reject the pending operations with errors of its own.
			for (const reject of [...this.#pending]) {
				reject(reason);
			}
			this.#client.end(true);
			// MQTT.js does not destroy a stream that it is ending already.
			this.#client.stream.destroy();
			this.#settle(reason);
		}
	}
}

function startClient(options: ConnectionOptions): MqttClient {
	const url = withoutCredentials(options.url);
	const settings: IClientOptions = {
		protocolVersion: 4,
		clean: true,
		clientId: options.clientId,
		...credentials(options),
		...(options.will && {
			will: { ...options.will, payload: options.will.payload as Buffer, qos: 1, retain: true },
		}),
		keepalive: options.keepalive,
		// Timers that do nothing, as Connection sends the pings itself.
		timerVariant: { set: () => 0, clear: () => {} },
		// Later than our own timeout: MQTT.js would end the connection without an error, as if the
		// broker had closed it.
		connectTimeout: 2 * options.timeout,
		reconnectPeriod: 0,
		// Without this, MQTT.js would take a client id from the URL.
		query: {},
		resubscribe: false,
		queueQoSZero: false,
		// Without this, MQTT.js would lose the brackets of an IPv6 address.
		transformWsUrl: () => url,
	};
	const { openStream } = options;
	return openStream === undefined
		? mqtt.connect(url, settings)
		: new mqtt.MqttClient(
				() => openStream(options.onMessage) as ReturnType<StreamBuilder>,
				settings,
			);
}
