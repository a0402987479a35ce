import { createNanoEvents, type Unsubscribe } from 'nanoevents';
import { isShoalError, ShoalError } from '../errors.ts';
import { makeSession } from '../ids.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import type { Payload } from '../packets/publish-packet.ts';
import { printableUrl } from '../printable-url.ts';
import { isBusy } from './connection-errors.ts';
import type {
	BrokerConnection,
	Incoming,
	OpenConnection,
	OpenStream,
	Will,
} from './connection-options.ts';

/** Options of a link. */
export interface LinkOptions {
	/** URL of the broker: mqtt, mqtts, ws or wss. */
	readonly url: string;
	/** MQTT client id: the node id. */
	readonly id: string;
	/** Proves to a shoal broker that it is the same node that comes back. */
	readonly password?: string | undefined;
	/** The will of a session; sessions are new per connection. Without it nobody is told of a loss. */
	readonly will?: ((session: string) => Will) | undefined;
	/** Seconds. @default 15 */
	readonly keepalive?: number | undefined;
	/** ms until a connect, subscribe or publish fails. @default 10 000 */
	readonly timeout?: number | undefined;
	/** A byte stream to use instead of one to `url`. */
	readonly openStream?: OpenStream | undefined;
	/** For the jitter of reconnects, 0 to 1. @default Math.random */
	readonly random?: (() => number) | undefined;
}

/** What a link tells. */
export interface LinkEvents {
	/** Connected (again), all subscriptions made; `session` is new. */
	up(session: string): void;
	/** The connection was lost; the link goes on trying until it is closed. */
	down(reason: ShoalError): void;
	message(message: Incoming): void;
	/** A message could not be read, or a handler threw; `topic` is empty if it was not at a message. */
	warning(error: unknown, topic: string): void;
}

/** ms for which a broker that lets in no more clients is asked again at first. */
const BUSY_FOR = 5_000;
const RETRY_FIRST = 250;
// Soon enough that a restarted broker has everybody back in seconds, and spread by the jitter.
const RETRY_MOST = 2_000;

/**
 * A connection to a broker that is kept alive: reconnects with jitter, a new session each time, and
 * makes its subscriptions again. What is published while it is down fails at once; nothing is kept
 * for later, as whoever published knows better what is still true then.
 */
export class BaseLink {
	readonly id: string;
	/** URL of the broker, without credentials. */
	readonly url: string;
	readonly #options: LinkOptions;
	readonly #open: OpenConnection;
	readonly #events = createNanoEvents<LinkEvents>();
	readonly #filters = new Set<string>();
	#connection: BrokerConnection | undefined;
	/** Aborted to end a connection that is only being opened. */
	readonly #closing = new AbortController();
	#session = '';
	#retry: ReturnType<typeof setTimeout> | undefined;
	#isClosed = false;
	#ending: Promise<void> | undefined;

	/** @param open opens each of its connections */
	protected constructor(options: LinkOptions, open: OpenConnection) {
		this.#open = open;
		this.id = options.id;
		this.url = printableUrl(options.url);
		this.#options = options;
	}

	/** Whether there is a connection now. */
	get isUp(): boolean {
		return this.#connection !== undefined;
	}

	/** The session of the current connection, or of the last one. */
	get session(): string {
		return this.#session;
	}

	/** Bytes sent and not yet taken by the system. */
	get queued(): number {
		return this.#connection?.queued ?? 0;
	}

	on<E extends keyof LinkEvents>(event: E, handler: LinkEvents[E]): Unsubscribe {
		return this.#events.on(event, handler);
	}

	/** Subscribes with QoS 1, now and after each reconnect. @throws ShoalError ERR_REFUSED, ERR_TIMEOUT */
	async subscribe(filter: string): Promise<void> {
		this.#filters.add(filter);
		try {
			await this.#connection?.subscribe(filter);
		} catch (error) {
			if (isShoalError(error, 'ERR_REFUSED')) {
				// Asked for again, it would fail each reconnect.
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

	/** Publishes with QoS 1, for the broker to keep. @throws ShoalError ERR_DISCONNECTED, ERR_TIMEOUT */
	async retain(topic: string, payload: Uint8Array): Promise<void> {
		await this.#current().publish(topic, payload, true);
	}

	/** Has the broker forget what it keeps on `topic`. @throws ShoalError ERR_DISCONNECTED, ERR_TIMEOUT */
	async forget(topic: string): Promise<void> {
		await this.#current().publish(topic, new Uint8Array(), true);
	}

	/**
	 * Sends with QoS 0, or drops it while there is no connection.
	 *
	 * @param released `payload` may be changed again; until then it must not
	 */
	send(topic: string, payload: Payload, released: () => void = () => {}): void {
		if (this.#connection === undefined) {
			released();
		} else {
			this.#connection.send(topic, payload, released);
		}
	}

	/** Resolves when more can be sent without a queue, also when that is because the connection was lost. */
	async drained(): Promise<void> {
		await this.#connection?.drained();
	}

	/** Ends the connection with a goodbye. No event comes after it. Can be called again. */
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

	/** Drops the connection as if it had broken: the broker publishes the will. For tests of that. */
	drop(): void {
		this.#connection?.destroy();
	}

	/**
	 * Connects for the first time. A broker that lets in no more clients just now is asked again for some seconds.
	 *
	 * @throws ShoalError ERR_BROKER, ERR_ID_TAKEN, ERR_REFUSED
	 */
	protected async begin(): Promise<void> {
		const end = performance.now() + BUSY_FOR;
		for (let attempt = 0; ; attempt += 1) {
			try {
				await this.connect();
				return;
			} catch (error) {
				if (!isBusy(error) || this.#isClosed || performance.now() > end) {
					throw error;
				}
			}
			await new Promise((resolve) => setTimeout(resolve, this.#pause(attempt)));
		}
	}

	/** Connects, for the first time or again. @throws ShoalError ERR_BROKER, ERR_ID_TAKEN, ERR_REFUSED */
	protected async connect(): Promise<void> {
		const session = makeSession();
		const connection = await this.#open({
			url: this.#options.url,
			clientId: this.id,
			password: this.#options.password,
			will: this.#options.will?.(session),
			keepalive: this.#options.keepalive ?? DEFAULT_LIMITS.keepalive,
			timeout: this.#options.timeout ?? 10_000,
			openStream: this.#options.openStream,
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
				await connection.subscribe(filter);
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
		// Only now: a connection that has ended meanwhile is noticed as well, and after `up`.
		void connection.ended.then((reason) => this.#lost(connection, reason));
		this.#guard('', () => this.#events.emit('up', session));
	}

	#lost(connection: BrokerConnection, reason: ShoalError): void {
		if (this.#connection === connection && !this.#isClosed) {
			this.#connection = undefined;
			this.#guard('', () => this.#events.emit('down', reason));
			this.#reconnect(0);
		}
	}

	#reconnect(attempt: number): void {
		if (this.#isClosed) {
			return;
		}
		this.#retry = setTimeout(() => {
			this.connect().catch((error: unknown) => {
				if (!isShoalError(error, 'ERR_BROKER') && !this.#isClosed) {
					// It is there and does not want us: worth a word, unlike one that is away.
					this.#events.emit('warning', error, '');
				}
				this.#reconnect(attempt + 1);
			});
		}, this.#pause(attempt));
	}

	/** ms before the next attempt to connect, at random so that those who lost a broker together do not come together. */
	#pause(attempt: number): number {
		const random = this.#options.random ?? Math.random;
		const most = Math.min(RETRY_MOST, RETRY_FIRST * 2 ** attempt);
		return most * (0.5 + random() / 2);
	}

	/** The one place where what handlers throw ends, above all at bytes from outside. */
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
