import { type AddressInfo, createServer, type Server } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContext } from 'node:tls';
import type { Aedes } from 'aedes';
import { createNanoEvents, type Unsubscribe } from 'nanoevents';
import {
	BufferPool,
	hostAndPort,
	type Limits,
	resolveLimits,
	Topics,
	verifyNatively,
} from '../protocol/index.ts';
import { Authorizer } from './access/authorizer.ts';
import type { TokenAuth, Tokens } from './access/token-auth.ts';
import { onEndings } from './aedes/connection-end.ts';
import { GrantedQos } from './aedes/granted-qos.ts';
import {
	deliverAll,
	grantedOf,
	keepRetainedIn,
	lowerQos,
	lowersNoOther,
	onAedesError,
	paceRetained,
} from './aedes/internals.ts';
import { closeAedes, listenAedes, makeAedes } from './aedes/make-aedes.ts';
import { type RetainedStore, retainedOf } from './aedes/retained-store.ts';
import type { BrokerEvents, BrokerOptions } from './broker-options.ts';
import { ChannelStore } from './channels/channel-store.ts';
import type { BrokerStats } from './metrics/broker-stats.ts';
import { secureContext } from './net/certificate.ts';
import { ChunkForwarder } from './net/chunk-forwarder.ts';
import { Connections } from './net/connections.ts';
import { LargePackets, USUAL_PACKET } from './net/large-packets.ts';
import { LoadMeter, type LoadSource } from './net/load-meter.ts';
import { accept, type OpenFramed, packetReader } from './net/packet-reader.ts';
import { portError } from './net/port-error.ts';
import { queueMark, retainedAhead } from './net/slow-consumers.ts';
import { streamPair } from './net/stream-pair.ts';
import { noFlow } from './net/traffic.ts';
import { UnreadAnswers } from './net/unread-answers.ts';
import { Tracker } from './tracker/tracker.ts';

// Bytes of a chunk message without the chunk: MQTT header, topic, header of the chunk.
const OVERHEAD = 1024;
// ms without traffic after which the system sends TCP keepalive probes.
const PROBE_AFTER_MS = 60_000;
const MOST_CHECK_MS = 5_000;
// Most connections that the system queues until the broker accepts them. The system of any further
// client retries after a second.
const BACKLOG = 4_096;

/** An MQTT 3.1.1 broker with the access rules of shoal, and a tracker as one of its clients. */
export class Broker {
	readonly #aedes: Aedes;
	readonly #authorizer: Authorizer;
	readonly #pool: BufferPool;
	/** Messages received from clients, except the chunks that are forwarded without Aedes. */
	readonly #received = noFlow();
	readonly #chunkForwarder: ChunkForwarder;
	readonly #limits: Limits;
	readonly #retained: RetainedStore;
	readonly #channels: ChannelStore;
	readonly #secure: SecureContext | undefined;
	readonly #server: Server;
	readonly #connections: Connections;
	readonly #large: LargePackets;
	readonly #unread = new UnreadAnswers();
	readonly #events = createNanoEvents<BrokerEvents>();
	#address: AddressInfo = { address: '', family: '', port: 0 };
	#tracker: Tracker | undefined;
	#load: LoadMeter | undefined;
	#watchdog: ReturnType<typeof setInterval> | undefined;
	#closing: Promise<void> | undefined;

	private constructor(limits: Limits, topics: Topics, { tracker, tls, tokens }: BrokerOptions) {
		this.#secure = tls && secureContext(tls);
		const warn = (error: unknown): void => this.#events.emit('warning', error);
		this.#limits = limits;
		this.#large = new LargePackets(limits.incoming);
		const now = (): number => performance.now();
		this.#connections = new Connections({
			mostSilent: limits.clients,
			now,
			onTooMany: () => this.#authorizer.count('silent'),
		});
		this.#channels = new ChannelStore({ topics, limits, now, verify: verifyNatively });
		this.#retained = retainedOf(topics, limits, this.#channels);
		this.#authorizer = new Authorizer({
			rules: { topics, limits, hasTracker: tracker !== false },
			now,
			warn,
			queued: () => this.#connections.queued,
			tokens,
			isKept: (id) => this.#retained.hasOf(id),
			channels: this.#channels,
			audit: (refusal) => this.#events.emit('refused', refusal),
			moved: (what, member) => this.#events.emit(what, member),
		});
		this.#pool = new BufferPool();
		this.#chunkForwarder = new ChunkForwarder(topics, this.#authorizer, this.#pool);
		this.#aedes = makeAedes(this.#authorizer.hooks, limits);
		onEndings(this.#aedes, ({ error, refusal }) => {
			if (refusal !== undefined) {
				this.#authorizer.count(refusal);
			}
			warn(error);
		});
		onAedesError(this.#aedes, (error) => this.#events.emit('error', error));
		const granted = new GrantedQos();
		this.#aedes.on('client', (client) => {
			deliverAll(client, this.#aedes.id);
			lowerQos(client, (topic, qos) => granted.of(client, topic, qos));
			paceRetained(client, retainedAhead(limits), (packet) => this.#retained.isRetained(packet));
		});
		this.#aedes.on('clientReady', ({ conn }) => this.#connections.spoke(conn));
		this.#aedes.on('subscribe', (subscriptions, client) => {
			for (const { topic: filter, qos } of grantedOf(subscriptions)) {
				this.#chunkForwarder.subscribed(client, filter);
				granted.granted(client, filter, qos);
				lowersNoOther(client, filter);
			}
		});
		this.#aedes.on('unsubscribe', (filters, client) => {
			this.#authorizer.unsubscribed(client, filters);
			for (const filter of filters) {
				this.#chunkForwarder.unsubscribed(client, filter);
				granted.gaveUp(client, filter);
			}
		});
		this.#server = createServer(
			{
				pauseOnConnect: true,
				noDelay: true,
				keepAlive: true,
				keepAliveInitialDelay: PROBE_AFTER_MS,
			},
			(socket) => this.serve(accept(socket, this.#secure)),
		);
	}

	/**
	 * Starts a broker; resolves when nodes can connect and the tracker is ready.
	 *
	 * @throws ShoalError ERR_PORT if it cannot listen on `host` and `port`, ERR_TOPIC, ERR_USAGE
	 */
	static async start(options: BrokerOptions = {}): Promise<Broker> {
		const { host = '127.0.0.1', port = 1883, root, tracker = true } = options;
		const limits = resolveLimits(options.limits);
		const broker = new Broker(limits, new Topics(root), options);
		try {
			await broker.#listen(host, port);
			if (tracker) {
				await broker.#startTracker(options);
			}
		} catch (error) {
			await broker.close();
			throw error;
		}
		return broker;
	}

	/** The TCP port it listens on. */
	get port(): number {
		return this.#address.port;
	}

	/** The URL it listens at: mqtt, or mqtts with TLS. */
	get url(): string {
		const { address, port } = this.#address;
		const scheme = this.#secure === undefined ? 'mqtt' : 'mqtts';
		return `${scheme}://${hostAndPort(address, port)}`;
	}

	/** The tracker, if there is one. */
	get tracker(): Tracker | undefined {
		return this.#tracker;
	}

	/** Calls `handler` at each `event`. @returns a function that removes the handler */
	on<E extends keyof BrokerEvents>(event: E, handler: BrokerEvents[E]): Unsubscribe {
		return this.#events.on(event, handler);
	}

	/** Counters and gauges, as they are now. */
	stats(): BrokerStats {
		const { shed, cut, refused } = this.#authorizer.counts;
		const { clients } = this.#authorizer;
		const { channels, receipts } = this.#channels;
		const retained = this.#retained.size + this.#channels.size;
		const unkept = this.#retained.unkept + this.#channels.unkept;
		const { open, silent, queued } = this.#connections;
		const traffic = {
			control: { in: this.#received, out: this.#authorizer.sent },
			chunk: this.#chunkForwarder.traffic,
		};
		return {
			...{ clients, connections: { open, silent }, retained, unkept, queued },
			...{ channels, receipts },
			...{ shed, cut, refused: { ...refused }, traffic: structuredClone(traffic) },
		};
	}

	/** Whether it accepts connections. */
	get isListening(): boolean {
		return this.#server.listening;
	}

	/** The object that checks access tokens. */
	get admission(): TokenAuth {
		return this.#authorizer.tokenAuth;
	}

	/** Counts a wrong token that was sent from `address` over HTTP. */
	guessed(address: string): void {
		this.#authorizer.count('token');
		this.#events.emit('refused', { id: '', address, reason: 'token', about: 'http' });
	}

	/** The limits that are in force. */
	get limits(): Limits {
		return this.#limits;
	}

	/** Replaces the access tokens. Clients whose token is no longer valid are disconnected. */
	setTokens(tokens: Tokens): void {
		this.#authorizer.setTokens(tokens);
	}

	/** Opens a connection within this process, for a tracker. No access rules apply to it. */
	openStream(): Duplex {
		const [ours, theirs] = streamPair(queueMark(this.#limits));
		this.#authorizer.trust(ours);
		this.#connections.add(ours);
		this.#aedes.handle(ours);
		return theirs;
	}

	/** Serves the client on the byte stream that `open` opens. */
	serve(open: OpenFramed): void {
		const { stream, serve } = packetReader(open, {
			limits: this.#limits,
			pool: this.#pool,
			taker: this.#chunkForwarder,
			large: this.#large,
			unread: this.#unread,
			highWaterMark: queueMark(this.#limits),
			onBad: (error) => {
				this.#authorizer.count('packet');
				if (error !== undefined) {
					this.#events.emit('warning', error);
				}
			},
			control: this.#received,
		});
		this.#connections.addSilent(stream);
		serve(this.#aedes.handle(stream));
	}

	/** Stops the tracker, closes every connection and stops listening. Can be called again. */
	close(): Promise<void> {
		this.#closing ??= this.#close();
		return this.#closing;
	}

	async #close(): Promise<void> {
		clearInterval(this.#watchdog);
		this.#load?.close();
		this.#events.events = {};
		await this.#tracker?.close();
		const isClosed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
		await closeAedes(this.#aedes);
		this.#connections.destroy();
		await isClosed;
	}

	async #listen(host: string, port: number): Promise<void> {
		await listenAedes(this.#aedes);
		keepRetainedIn(this.#aedes, this.#retained);
		await new Promise<void>((resolve, reject) => {
			this.#server.once('error', (cause) => reject(portError(cause, host, port)));
			this.#server.listen({ host, port, backlog: BACKLOG }, resolve);
		});
		this.#address = this.#server.address() as AddressInfo;
		this.#server.on('error', (error) => this.#events.emit('error', error));
		this.#watchdog = setInterval(
			() => this.#checkAll(),
			Math.min(MOST_CHECK_MS, this.#limits.stall / 4),
		);
		this.#watchdog.unref();
	}

	async #startTracker({ root, office }: BrokerOptions): Promise<void> {
		const load = new LoadMeter(
			() => this.#carried(),
			() => performance.now(),
		);
		this.#load = load;
		const { part, packet, incoming } = this.#limits;
		const most = Math.min(packet, Math.max(incoming, USUAL_PACKET)) - OVERHEAD;
		this.#tracker = await Tracker.start({
			url: this.url,
			root,
			limits: { ...this.#limits, part: Math.min(part, most) },
			isAlone: true,
			office,
			load: () => load.read(),
			openStream: () => this.openStream(),
			addressOf: (id) => this.#authorizer.addressOf(id),
		});
		this.#tracker.on('warning', (error) => this.#events.emit('warning', error));
	}

	#carried(): LoadSource {
		const { queued, traffic } = this.#connections;
		const { clients, counts } = this.#authorizer;
		return { ...traffic, queued, clients, shed: counts.shed };
	}

	#checkAll(): void {
		this.#channels.expire();
		for (const socket of this.#connections) {
			this.#authorizer.check(socket);
		}
	}
}
