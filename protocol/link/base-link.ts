import { createNanoEvents, type Unsubscribe } from 'nanoevents';
import { isShoalError, ShoalError } from '../errors.ts';
import { makeSession } from '../ids.ts';
import { DEFAULT_LIMITS, LONGEST_TIMER } from '../limits.ts';
import type { Payload } from '../packets/publish-packet.ts';
import { printableUrl } from '../printable-url.ts';
import { isSecureUrl } from '../secure-url.ts';
import { BrokerChoice } from './broker-choice.ts';
import { isAboutBroker, isBusy, noBroker } from './connection-errors.ts';
import type {
	BrokerConnection,
	Incoming,
	OpenConnection,
	OpenStream,
	Will,
} from './connection-options.ts';

/** Most ms of a timeout: MQTT.js has a timer of twice this time. */
const MOST_TIMEOUT = Math.floor(LONGEST_TIMER / 2);

/** A broker that a link can connect to. */
export interface LinkBroker {
	/** URL of the broker: mqtt, mqtts, ws or wss. */
	readonly url: string;
	/** MQTT password; a shoal broker reads `token:secret` from it. @default none */
	readonly password?: string | undefined;
	/** Opens the byte stream of a connection. @default a connection to `url` */
	readonly openStream?: OpenStream | undefined;
}

/** Options of {@link Link.open}. Those of {@link LinkBroker} are for the first broker. */
export interface LinkOptions extends LinkBroker {
	/**
	 * Other brokers of the same cluster, in the order in which they are tried when the first cannot be
	 * reached.
	 *
	 * @default none
	 */
	readonly others?: readonly LinkBroker[] | undefined;
	/** MQTT client id: the node id. */
	readonly id: string;
	/**
	 * Makes the will of a session; each connection has a new session.
	 *
	 * @default none: the broker publishes nothing when the connection is lost
	 */
	readonly will?: ((session: string) => Will) | undefined;
	/** MQTT keepalive, seconds. @default 15 */
	readonly keepalive?: number | undefined;
	/** Milliseconds until a connect, subscribe or publish fails. @default 10 000 */
	readonly timeout?: number | undefined;
	/** Random number from 0 to 1, for the jitter of reconnects. @default Math.random */
	readonly random?: (() => number) | undefined;
}

/** The events of a {@link Link}. */
export interface LinkEvents {
	/** Connected, or connected again, with all subscriptions made; `session` is new. */
	up(session: string): void;
	/** The connection was lost; the link reconnects until it is closed. */
	down(reason: ShoalError): void;
	/** A message has arrived. */
	message(message: Incoming): void;
	/**
	 * A handler threw, for example at a message that it could not read, or the broker refused a
	 * reconnect. `topic` is that of the message; empty if no message was handled.
	 */
	warning(error: unknown, topic: string): void;
}

/** ms for which the first connect is tried again while the broker accepts no more clients. */
const BUSY_FOR = 5_000;
/** QoS of all subscriptions. */
const QOS = 0;

/**
 * Keeps a client connected to a broker, or to one broker of a cluster. When the connection is lost,
 * the link connects again with jitter and a new session, and makes all subscriptions again; if the
 * broker cannot be reached, or cuts one connection after the other, it connects to the next one of
 * the list. A publish without a connection fails at once; nothing is queued for later, because only
 * the publisher knows whether a message is still true then.
 */
export class BaseLink {
	/** MQTT client id: the node id. */
	readonly id: string;
	readonly #options: LinkOptions;
	readonly #timeout: number;
	readonly #choice: BrokerChoice<LinkBroker>;
	readonly #open: OpenConnection;
	readonly #events = createNanoEvents<LinkEvents>();
	readonly #filters = new Set<string>();
	#connection: BrokerConnection | undefined;
	/** Aborted to end a connection that is still being opened. */
	readonly #closing = new AbortController();
	#session = '';
	#retry: ReturnType<typeof setTimeout> | undefined;
	#isClosed = false;
	#ending: Promise<void> | undefined;

	/** @param open opens each connection of the link */
	protected constructor(options: LinkOptions, open: OpenConnection) {
		this.#open = open;
		this.id = options.id;
		this.#options = options;
		const { timeout = 10_000, random = Math.random } = options;
		this.#timeout = Math.min(timeout, MOST_TIMEOUT);
		this.#choice = new BrokerChoice([options, ...(options.others ?? [])], this.#timeout, random);
	}

	/** URL of the broker that is used or tried now, without credentials. */
	get url(): string {
		return printableUrl(this.#choice.broker.url);
	}

	/** URLs of all brokers of the list, in its order, without credentials. */
	get urls(): readonly string[] {
		return this.#choice.brokers.map(({ url }) => printableUrl(url));
	}

	/**
	 * Whether at least one broker of the list has a URL with TLS. This does not depend on the broker
	 * in use, so a node that moves to another broker goes on encrypting its direct lanes.
	 */
	get isSecure(): boolean {
		return this.#choice.brokers.some(({ url }) => isSecureUrl(url));
	}

	/** Whether there is a connection now. */
	get isUp(): boolean {
		return this.#connection !== undefined;
	}

	/** Session of the current connection, or of the last one. */
	get session(): string {
		return this.#session;
	}

	/** Bytes that wait to be sent: the operating system has not taken them yet. */
	get queued(): number {
		return this.#connection?.queued ?? 0;
	}

	/** Calls `handler` at each `event`. @returns a function that removes the handler */
	on<E extends keyof LinkEvents>(event: E, handler: LinkEvents[E]): Unsubscribe {
		return this.#events.on(event, handler);
	}

	/**
	 * Subscribes with QoS 0, now and after each reconnect. On a cluster, each subscription with QoS 1
	 * costs a queue. When the server that has this queue has died, RabbitMQ closes each connection on
	 * which the client subscribes again, and NATS delivers nothing for some seconds.
	 *
	 * @throws ShoalError ERR_REFUSED, ERR_TIMEOUT, ERR_DISCONNECTED
	 */
	async subscribe(filter: string): Promise<void> {
		this.#filters.add(filter);
		try {
			await this.#connection?.subscribe(filter, QOS);
		} catch (error) {
			if (isShoalError(error, 'ERR_REFUSED')) {
				// The broker would refuse this filter again, so every reconnect would fail.
				this.#filters.delete(filter);
			}
			throw error;
		}
	}

	/** Ends a subscription. @throws ShoalError ERR_TIMEOUT, ERR_DISCONNECTED */
	async unsubscribe(filter: string): Promise<void> {
		this.#filters.delete(filter);
		await this.#connection?.unsubscribe(filter);
	}

	/** Publishes with QoS 1. @throws ShoalError ERR_DISCONNECTED, ERR_TIMEOUT */
	async publish(topic: string, payload: Uint8Array): Promise<void> {
		await this.#current().publish(topic, payload, false);
	}

	/** Publishes a retained message with QoS 1. @throws ShoalError ERR_DISCONNECTED, ERR_TIMEOUT */
	async retain(topic: string, payload: Uint8Array): Promise<void> {
		await this.#current().publish(topic, payload, true);
	}

	/** Deletes the retained message of `topic`. @throws ShoalError ERR_DISCONNECTED, ERR_TIMEOUT */
	async forget(topic: string): Promise<void> {
		await this.#current().publish(topic, new Uint8Array(), true);
	}

	/**
	 * Sends with QoS 0; drops the message if there is no connection.
	 *
	 * @param released called when `payload` may be changed again
	 */
	send(topic: string, payload: Payload, released: () => void = () => {}): void {
		if (this.#connection === undefined) {
			released();
		} else {
			this.#connection.send(topic, payload, released);
		}
	}

	/** Resolves when more can be sent without queueing, or the connection is lost. */
	async drained(): Promise<void> {
		await this.#connection?.drained();
	}

	/**
	 * Disconnects cleanly, so that the will is not published. No event is emitted any more. Can be
	 * called again.
	 */
	close(): Promise<void> {
		this.#ending ??= this.#end();
		return this.#ending;
	}

	async #end(): Promise<void> {
		this.#isClosed = true;
		clearTimeout(this.#retry);
		this.#events.events = {};
		const connection = this.#connection;
		this.#connection = undefined;
		await connection?.close();
		this.#closing.abort();
	}

	/** Breaks the connection, so that the broker publishes the will. For tests. */
	drop(): void {
		this.#connection?.destroy();
	}

	/**
	 * Connects for the first time: to the first broker of the list that can be reached and accepts
	 * this client. While a broker accepts no more clients, tries again for five seconds. If a broker
	 * of several has not answered in time, tries again with longer timeouts.
	 *
	 * @throws ShoalError ERR_BROKER, ERR_ID_TAKEN, ERR_REFUSED
	 */
	protected async begin(): Promise<void> {
		const end = performance.now() + BUSY_FOR;
		for (;;) {
			const failures = await this.#tryAll();
			if (this.isUp || this.#isClosed) {
				return;
			}
			const isBusyNow = failures.some(isBusy) && performance.now() < end;
			if (!isBusyNow && !this.#choice.mayBeSlow(failures)) {
				throw noBroker(failures);
			}
			await new Promise((resolve) => setTimeout(resolve, this.#choice.pause()));
		}
	}

	/**
	 * Tries each broker once, until one is connected.
	 *
	 * @returns the errors of the brokers that failed
	 * @throws ShoalError an error that another broker would report as well: ERR_ID_TAKEN
	 */
	async #tryAll(): Promise<ShoalError[]> {
		const failures: ShoalError[] = [];
		for (const _ of this.#choice.brokers) {
			try {
				await this.connect();
				break;
			} catch (error) {
				if (!isAboutBroker(error)) {
					throw error;
				}
				failures.push(error);
				this.#choice.next();
			}
		}
		return failures;
	}

	/** Connects, for the first time or again. @throws ShoalError ERR_BROKER, ERR_ID_TAKEN, ERR_REFUSED */
	protected async connect(): Promise<void> {
		const session = makeSession();
		const { url, password, openStream } = this.#choice.broker;
		const connection = await this.#open({
			...{ url, password, openStream },
			clientId: this.id,
			will: this.#options.will?.(session),
			keepalive: this.#options.keepalive ?? DEFAULT_LIMITS.keepalive,
			timeout: this.#timeout,
			connectTimeout: this.#choice.connectTimeout,
			signal: this.#closing.signal,
			onMessage: (message) =>
				this.#guard(message.topic, () => this.#events.emit('message', message)),
		});
		if (this.#isClosed) {
			await connection.close();
			return;
		}
		try {
			for (const filter of this.#filters) {
				await connection.subscribe(filter, QOS);
			}
		} catch (error) {
			connection.destroy();
			throw error;
		}
		if (this.#isClosed) {
			await connection.close();
			return;
		}
		this.#connection = connection;
		this.#session = session;
		const start = performance.now();
		// Attached last: if the connection has ended already, `down` is still emitted, and only after
		// `up`.
		void connection.ended.then((reason) => {
			this.#lost(connection, reason, performance.now() - start);
		});
		this.#guard('', () => this.#events.emit('up', session));
	}

	/** @param ms how long the connection lasted */
	#lost(connection: BrokerConnection, reason: ShoalError, ms: number): void {
		if (this.#connection === connection && !this.#isClosed) {
			this.#connection = undefined;
			this.#choice.ended(ms);
			this.#guard('', () => this.#events.emit('down', reason));
			this.#reconnect();
		}
	}

	#reconnect(): void {
		if (this.#isClosed) {
			return;
		}
		this.#retry = setTimeout(() => {
			this.connect().catch((error: unknown) => {
				if (!isShoalError(error, 'ERR_BROKER') && !this.#isClosed) {
					// The broker answered and refused the client: that is reported, unlike a broker that cannot be reached.
					this.#events.emit('warning', error, '');
				}
				this.#choice.next();
				this.#reconnect();
			});
		}, this.#choice.pause());
	}

	/** The only place where the link catches errors of handlers, mostly about malformed messages. */
	#guard(topic: string, emit: () => void): void {
		try {
			emit();
		} catch (error) {
			this.#events.emit('warning', error, topic);
		}
	}

	#current(): BrokerConnection {
		if (this.#connection === undefined) {
			throw new ShoalError(
				'ERR_DISCONNECTED',
				this.#isClosed ? 'the link is closed' : `not connected to the broker at ${this.url}`,
			);
		}
		return this.#connection;
	}
}
