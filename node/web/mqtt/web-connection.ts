import {
	type BrokerConnection,
	type ConnectionOptions,
	credentials,
	disconnected,
	explain,
	MAX_RANGE,
	PacketFramer,
	type Payload,
	PORTABLE_PART,
	partsOf,
	piecesOf,
	plainPublishHeader,
	refusal,
	ShoalError,
} from '../../../protocol/index.ts';
import {
	connectPacket,
	DISCONNECT,
	PING,
	packetLength,
	pubackPacket,
	publishPacket,
	type Received,
	readPacket,
	subscribePacket,
	unsubscribePacket,
} from './packets.ts';

interface Waiting {
	done(isRefused: boolean): void;
	failed(reason: ShoalError): void;
}

/**
 * Bytes of the largest packet that is accepted: one range of the largest size, and room for the
 * topic and the header.
 */
const MOST_PACKET = MAX_RANGE + 1024;
/** Bytes of one WebSocket message: brokers hold each message as a whole. */
const MOST_MESSAGE = PORTABLE_PART;
/**
 * Senders wait while the send queue has more bytes than `MOST_QUEUED`. The queue is checked every
 * `LOOK_EVERY` ms, because a WebSocket has no event for a shorter queue.
 */
const MOST_QUEUED = 512 * 1024;
const LOOK_EVERY = 4;
const GOODBYE = 500;
/** ms within which received messages are acknowledged. */
const ACK_WITHIN = 20;
// MQTT 3.1.1, 2.3.1.
const MOST_ID = 0xffff;

/**
 * An MQTT connection over the WebSocket of a browser: the counterpart of {@link Connection} in
 * Node.
 */
export class WebConnection implements BrokerConnection {
	readonly ended: Promise<ShoalError>;
	readonly #options: ConnectionOptions;
	readonly #socket: WebSocket;
	readonly #waiting = new Map<number, Waiting>();
	readonly #framer: PacketFramer;
	#end: ShoalError | undefined;
	#isClosing = false;
	#settle: (reason: ShoalError) => void = () => {};
	#accepted: (code: number) => void = () => {};
	#lastId = 0;
	#acks: number[] = [];
	#ackTimer: ReturnType<typeof setTimeout> | undefined;
	#heard = performance.now();

	private constructor(options: ConnectionOptions) {
		this.#options = options;
		this.ended = new Promise((resolve) => {
			this.#settle = resolve;
		});
		this.#framer = new PacketFramer({
			admit: (_type, length) => {
				if (length > MOST_PACKET) {
					throw new ShoalError('ERR_LIMIT', `the broker sends a packet of ${length} bytes`);
				}
			},
			allocate: (_first, length) => new Uint8Array(length),
			onPacket: (packet) => this.#take(readPacket(packet)),
		});
		this.#socket = new WebSocket(options.url, 'mqtt');
		this.#socket.binaryType = 'arraybuffer';
		this.#socket.onmessage = ({ data }) => this.#onMessage(data);
		this.#socket.onclose = () => this.#finish(disconnected(options.url));
	}

	/**
	 * Connects.
	 *
	 * @throws ShoalError ERR_BROKER if the broker cannot be reached or is no broker, ERR_ID_TAKEN if it
	 *   refuses the client id, ERR_REFUSED if it refuses for another reason
	 */
	static async open(options: ConnectionOptions): Promise<WebConnection> {
		let connection: WebConnection;
		try {
			connection = new WebConnection(options);
		} catch (error) {
			// The URL is not valid, or the page may not open it.
			throw explain(error as Error, options);
		}
		const abort = (): void => connection.destroy();
		options.signal?.addEventListener('abort', abort);
		void connection.ended.then(() => options.signal?.removeEventListener('abort', abort));
		await connection.#connect();
		return connection;
	}

	get queued(): number {
		return this.#socket.bufferedAmount;
	}

	async subscribe(filter: string, qos: 0 | 1 = 1): Promise<void> {
		if (await this.#confirmed((id) => subscribePacket(id, filter, qos))) {
			throw refusal(filter, undefined);
		}
	}

	async unsubscribe(filter: string): Promise<void> {
		await this.#confirmed((id) => unsubscribePacket(id, filter));
	}

	async publish(topic: string, payload: Uint8Array, retain: boolean): Promise<void> {
		await this.#confirmed((id) => publishPacket(id, topic, payload, retain));
	}

	/** Sends a message with QoS 0. The browser copies the payload, so it is released at once. */
	send(topic: string, payload: Payload, released: () => void = () => {}): void {
		if (this.#end === undefined && !this.#isClosing) {
			const parts = partsOf(payload);
			const bytes = parts.reduce((sum, { length }) => sum + length, 0);
			this.#write(plainPublishHeader(topic, bytes));
			for (const part of piecesOf(parts, MOST_MESSAGE)) {
				this.#write(part);
			}
		}
		released();
	}

	async drained(): Promise<void> {
		while (this.#end === undefined && this.queued > MOST_QUEUED) {
			await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
		}
	}

	async close(): Promise<void> {
		if (this.#end === undefined && !this.#isClosing) {
			this.#isClosing = true;
			this.#write(DISCONNECT);
			this.#socket.close();
			setTimeout(() => this.#finish(closed()), GOODBYE);
		}
		await this.ended;
	}

	destroy(): void {
		this.#finish(closed());
	}

	async #connect(): Promise<void> {
		const { clientId, will, keepalive, timeout, connectTimeout = timeout } = this.#options;
		const who = { clientId, ...credentials(this.#options), will, keepalive };
		const accepted = new Promise<number>((resolve) => {
			this.#accepted = resolve;
		});
		this.#socket.onopen = () => this.#write(connectPacket(who));
		const timer = setTimeout(() => {
			const silence = new ShoalError('ERR_TIMEOUT', `no answer in ${connectTimeout} ms`);
			this.#finish(explain(silence, this.#options));
		}, connectTimeout);
		const code = await Promise.race([accepted, this.ended]);
		clearTimeout(timer);
		if (code !== 0) {
			const error =
				code instanceof ShoalError
					? explain(code, this.#options)
					: explain(Object.assign(new Error(`it answers ${code}`), { code }), this.#options);
			this.#finish(error);
			throw error;
		}
		this.#watch();
	}

	#onMessage(data: unknown): void {
		this.#heard = performance.now();
		try {
			if (!(data instanceof ArrayBuffer)) {
				throw new ShoalError('ERR_MESSAGE', 'the broker sent text, not bytes');
			}
			const bytes = new Uint8Array(data);
			// The broker sends one packet in a WebSocket message: such a packet is decoded without a
			// copy.
			if (this.#framer.isEmpty && packetLength(bytes) === bytes.length) {
				this.#take(readPacket(bytes));
			} else {
				this.#framer.fill(bytes);
			}
		} catch (error) {
			this.#finish(disconnected(this.#options.url, error));
		}
	}

	#take(packet: Received): void {
		if (packet.kind === 'publish') {
			const { topic, payload, isRetained, id } = packet;
			if (id !== undefined) {
				this.#acknowledge(id);
			}
			this.#options.onMessage({ topic, payload, isRetained });
		} else if (packet.kind === 'ack') {
			this.#waiting.get(packet.id)?.done(packet.isRefused);
		} else if (packet.kind === 'connack') {
			this.#accepted(packet.code);
		}
	}

	/**
	 * Acknowledges a message, together with others: a browser takes long for each message that it
	 * sends.
	 */
	#acknowledge(id: number): void {
		this.#acks.push(...pubackPacket(id));
		this.#ackTimer ??= setTimeout(() => {
			this.#write(new Uint8Array(this.#acks));
			this.#acks = [];
			this.#ackTimer = undefined;
		}, ACK_WITHIN);
	}

	/**
	 * Sends a packet that the broker confirms.
	 *
	 * @returns whether the broker refuses it
	 * @throws ShoalError ERR_TIMEOUT, ERR_DISCONNECTED
	 */
	#confirmed(packetOf: (id: number) => Uint8Array): Promise<boolean> {
		return new Promise((resolve, reject) => {
			if (this.#end !== undefined || this.#isClosing) {
				reject(this.#end ?? closed());
				return;
			}
			const id = this.#nextId();
			const { timeout } = this.#options;
			const timer = setTimeout(() => {
				this.#waiting.delete(id);
				reject(new ShoalError('ERR_TIMEOUT', `no answer from the broker in ${timeout} ms`));
			}, timeout);
			const settle = (): void => {
				clearTimeout(timer);
				this.#waiting.delete(id);
			};
			this.#waiting.set(id, {
				done: (isRefused) => {
					settle();
					resolve(isRefused);
				},
				failed: (reason) => {
					settle();
					reject(reason);
				},
			});
			this.#write(packetOf(id));
		});
	}

	#nextId(): number {
		do {
			this.#lastId = (this.#lastId % MOST_ID) + 1;
		} while (this.#waiting.has(this.#lastId));
		return this.#lastId;
	}

	#write(bytes: Uint8Array): void {
		if (this.#socket.readyState === WebSocket.OPEN) {
			this.#socket.send(bytes as Uint8Array<ArrayBuffer>);
		}
	}

	/** Pings the broker at fixed intervals; ends the connection if no byte arrives for too long. */
	#watch(): void {
		const every = this.#options.keepalive * 500;
		let lookedAt = performance.now();
		const pinger = setInterval(() => {
			const now = performance.now();
			// If this tab was suspended, bytes that arrived meanwhile have not been read yet.
			if (now - lookedAt > every * 2) {
				this.#heard = now;
			}
			lookedAt = now;
			if (now - this.#heard > every * 3) {
				this.#finish(disconnected(this.#options.url));
			} else {
				this.#write(PING);
			}
		}, every);
		void this.ended.then(() => clearInterval(pinger));
	}

	#finish(reason: ShoalError): void {
		if (this.#end === undefined) {
			this.#end = this.#isClosing ? closed() : reason;
			clearTimeout(this.#ackTimer);
			for (const { failed } of [...this.#waiting.values()]) {
				failed(this.#end);
			}
			this.#socket.onmessage = null;
			this.#socket.close();
			this.#settle(this.#end);
		}
	}
}

function closed(): ShoalError {
	return new ShoalError('ERR_CLOSED', 'the connection was closed');
}
