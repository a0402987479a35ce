import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContext } from 'node:tls';
import type { Aedes, Client } from 'aedes';
import { createNanoEvents, type Unsubscribe } from 'nanoevents';
import {
	type Incoming,
	isNodeId,
	type Limits,
	type Payload,
	PLAIN_PUBLISH,
	parsePlainPublish,
	quoted,
	ShoalError,
	sharedBuffers,
	type Topics,
	writePublish,
} from '../protocol/index.ts';
import { TokenBucket } from './access/token-bucket.ts';
import { onEndings } from './aedes/connection-end.ts';
import { grantedOf } from './aedes/internals.ts';
import { closeAedes, type Hooks, listenAedes, makeAedes } from './aedes/make-aedes.ts';
import { type KeyPair, secureContext } from './net/certificate.ts';
import { Connections } from './net/connections.ts';
import { accept, packetReader } from './net/packet-reader.ts';
import { portError } from './net/port-error.ts';
import { LANE_PORT } from './net/wrong-protocol.ts';

/** Options of {@link Listener.start}. */
export interface ListenerOptions {
	/** Id of the node that listens. */
	readonly id: string;
	/** Address to listen on. @default all addresses: IPv6 and IPv4, or only IPv4 if there is no IPv6 */
	readonly host?: string | undefined;
	/** TCP port; 0 takes any that is free. */
	readonly port: number;
	/** The topics of the swarm. */
	readonly topics: Topics;
	/** The limits to enforce. */
	readonly limits: Limits;
	/** Certificate and private key; with them the listener speaks TLS only. @default plain TCP */
	readonly tls?: KeyPair | undefined;
	/**
	 * Checks that the node `from` may connect with `ticket`.
	 *
	 * @throws ShoalError ERR_REFUSED if not
	 */
	readonly admit: (from: string, ticket: string) => void;
	/**
	 * Called with each message of a connected node. `peer`: undefined before the node has
	 * subscribed to its inbox.
	 */
	readonly onMessage: (message: Incoming, peer: Peer | undefined) => void;
}

/** The events of a {@link Listener}. */
export interface ListenerEvents {
	/** A node is connected and has subscribed to its inbox. */
	joined(peer: Peer): void;
	/** The connection of a node has ended. */
	left(peer: Peer): void;
	/** A client was refused, or violated the protocol. */
	warning(error: unknown): void;
}

type Rejection = Error & { readonly returnCode: number };

// CONNACK return codes, MQTT 3.1.1, 3.2.2.3.
const BUSY = 3;
const NO_TICKET = 5;
/** Bytes that a socket queues before a write returns false. */
const HIGH_WATER = 1024 * 1024;

/** A node that is connected to a {@link Listener}. */
export class Peer {
	/** Node id. */
	readonly id: string;
	readonly #socket: Duplex;

	/** A {@link Listener} makes peers. @internal */
	constructor(id: string, socket: Duplex) {
		this.id = id;
		this.#socket = socket;
	}

	/** Whether it is still connected. */
	get isUp(): boolean {
		return !this.#socket.destroyed;
	}

	/** Bytes that the system has not taken yet. */
	get queued(): number {
		return this.#socket.writableLength;
	}

	/** Bytes received so far. */
	get received(): number {
		return (this.#socket as Duplex & { readonly bytesRead: number }).bytesRead;
	}

	/**
	 * Sends with QoS 0.
	 *
	 * @param released called when `payload` may be changed again
	 */
	send(topic: string, payload: Payload, released: () => void = () => {}): void {
		writePublish(this.#socket, topic, payload, released);
	}

	/** Resolves when the socket accepts more without queueing, or is closed. */
	async drained(): Promise<void> {
		const socket = this.#socket;
		if (socket.writableNeedDrain && !socket.destroyed) {
			await new Promise<void>((resolve) => {
				const finish = (): void => {
					socket.off('drain', finish);
					socket.off('close', finish);
					resolve();
				};
				socket.once('drain', finish);
				socket.once('close', finish);
			});
		}
	}

	/** Ends the connection. */
	close(): void {
		this.#socket.destroy();
	}
}

/**
 * Accepts direct connections of other nodes: a small MQTT broker on which a node with a ticket may subscribe to its own
 * inbox and publish to the inbox of the node that listens, and nothing else.
 */
export class Listener {
	readonly #options: ListenerOptions;
	readonly #aedes: Aedes;
	readonly #server: Server;
	readonly #events = createNanoEvents<ListenerEvents>();
	readonly #connections: Connections;
	readonly #peers = new Map<string, Peer>();
	/** Connections that have subscribed; further subscriptions have no effect. */
	readonly #joined = new WeakSet<Duplex>();
	readonly #limits: Limits;
	readonly #rate: TokenBucket;
	readonly #secure: SecureContext | undefined;

	private constructor(options: ListenerOptions) {
		this.#options = options;
		this.#secure = options.tls && secureContext(options.tls);
		const { directPacket, neighbours } = options.limits;
		const now = (): number => performance.now();
		this.#limits = { ...options.limits, packet: directPacket };
		this.#connections = new Connections({ mostSilent: neighbours, now, onTooMany: () => {} });
		this.#rate = new TokenBucket(neighbours, neighbours, now());
		this.#aedes = makeAedes(this.#hooks, options.limits);
		onEndings(this.#aedes, ({ error }) => {
			// A node that finds no room is reached through the broker.
			if ((error as Partial<Rejection>).returnCode !== BUSY) {
				this.#events.emit('warning', error);
			}
		});
		this.#aedes.on('subscribe', (subscriptions, client) => {
			if (grantedOf(subscriptions).length > 0) {
				this.#join(client);
			}
		});
		this.#server = createServer({ pauseOnConnect: true, noDelay: true }, (accepted) =>
			this.#accept(accepted),
		);
	}

	/**
	 * Starts a listener.
	 *
	 * @throws ShoalError ERR_PORT if it cannot listen on `host` and `port`, ERR_USAGE if certificate
	 *   and key do not belong together
	 */
	static async start(options: ListenerOptions): Promise<Listener> {
		const listener = new Listener(options);
		const { host, port } = options;
		await listenAedes(listener.#aedes);
		try {
			await new Promise<void>((resolve, reject) => {
				listener.#server.once('error', (cause) => {
					reject(portError(cause, host ?? '::', port, '--listen'));
				});
				listener.#server.listen({ host, port }, resolve);
			});
		} catch (error) {
			await listener.close();
			throw error;
		}
		listener.#server.on('error', (error) => listener.#events.emit('warning', error));
		return listener;
	}

	/** The address it listens on. */
	get address(): AddressInfo {
		return this.#server.address() as AddressInfo;
	}

	/** Calls `handler` at each `event`. @returns a function that removes the handler */
	on<E extends keyof ListenerEvents>(event: E, handler: ListenerEvents[E]): Unsubscribe {
		return this.#events.on(event, handler);
	}

	/** Closes every connection and stops listening. */
	async close(): Promise<void> {
		this.#events.events = {};
		const isClosed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
		await closeAedes(this.#aedes);
		this.#connections.destroy();
		await isClosed;
	}

	get #hooks(): Hooks {
		const { topics } = this.#options;
		return {
			preConnect: (_client, _packet, done) => done(null, true),
			authenticate: (client, _user, password, done) => {
				const why = this.#whyNot(client, password);
				done(why ?? null, why === undefined);
			},
			// Allowed messages do not get here: the packet reader has passed them to #relay.
			authorizePublish: (client, { topic }, done) => {
				done(
					new ShoalError('ERR_REFUSED', `${client?.id} may not publish on ${quoted(topic)} here`),
				);
			},
			authorizeSubscribe: (client, subscription, done) => {
				const isOwn = subscription.topic === topics.inboxFilter(client.id);
				done(null, isOwn ? subscription : null);
			},
		};
	}

	#accept(accepted: Socket): void {
		const { stream, serve } = packetReader(accept(accepted, this.#secure), {
			limits: this.#limits,
			pool: sharedBuffers,
			taker: { relay: (client, packet) => this.#relay(client, packet) },
			highWaterMark: HIGH_WATER,
			onBad: () => {},
			port: LANE_PORT,
		});
		this.#connections.addSilent(stream);
		serve(this.#aedes.handle(stream));
	}

	/**
	 * Why a client may not connect. The rate is checked after the ticket, so that clients without a
	 * ticket do not use up the rate of the others.
	 */
	#whyNot({ id }: Client, password: Uint8Array | undefined): Rejection | undefined {
		try {
			if (!isNodeId(id) || id === this.#options.id) {
				throw new ShoalError('ERR_REFUSED', 'a client has no node id, or has the id of this node');
			}
			this.#options.admit(id, Buffer.from(password ?? []).toString());
		} catch (error) {
			return Object.assign(error as Error, { returnCode: NO_TICKET });
		}
		if (this.#peers.size < this.#limits.neighbours && this.#rate.take(performance.now())) {
			return undefined;
		}
		const full = new ShoalError('ERR_LIMIT', 'there is no room for one more direct connection');
		return Object.assign(full, { returnCode: BUSY });
	}

	/**
	 * Makes a client that has subscribed to its inbox a peer, in place of an older connection of the
	 * same node.
	 */
	#join({ id, conn }: Client): void {
		const socket = conn as Duplex;
		if (this.#joined.has(socket) || socket.destroyed) {
			return;
		}
		this.#joined.add(socket);
		const peer = new Peer(id, socket);
		this.#connections.spoke(socket);
		this.#peers.get(id)?.close();
		this.#peers.set(id, peer);
		socket.once('close', () => {
			if (this.#peers.get(id) === peer) {
				this.#peers.delete(id);
			}
			this.#events.emit('left', peer);
		});
		this.#events.emit('joined', peer);
	}

	#relay({ id }: Client, packet: Uint8Array): boolean {
		if (packet[0] !== PLAIN_PUBLISH) {
			return false;
		}
		const { topic, payload } = parsePlainPublish(packet);
		const { topics, id: own, limits } = this.#options;
		const parsed = topics.tryParse(topic);
		const isInbox =
			parsed?.kind === 'request' || parsed?.kind === 'reply' || parsed?.kind === 'chunk';
		if (!isInbox || parsed.from !== id || parsed.node !== own) {
			return false;
		}
		if (parsed.kind !== 'chunk' && payload.length > limits.controlPayload) {
			return false;
		}
		const release = (): void => sharedBuffers.give(packet);
		const message = { topic, payload, isRetained: false, release };
		this.#options.onMessage(message, this.#peers.get(id));
		return true;
	}
}
