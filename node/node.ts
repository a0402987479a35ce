import { createNanoEvents, type Unsubscribe } from 'nanoevents';
import { nanoid } from 'nanoid';
import { fingerprintOf, makeCertificate } from '../broker/index.ts';
import {
	formatLink,
	type Incoming,
	Link,
	makeNodeId,
	type NodeState,
	parseNodeId,
	parseSeedId,
	type Seed,
	type SeedListing,
	ShoalError,
	Topics,
	type TrackerReply,
} from '../protocol/index.ts';
import { brokerStream, isSecureUrl } from './broker-stream.ts';
import type { ContentStream, StreamOptions } from './content-stream.ts';
import { createContext, type NodeContext } from './context.ts';
import type { DownloadResult } from './download-options.ts';
import { Downloads, type GetOptions } from './downloads.ts';
import type { MakeSeedOptions } from './hashing/make-seed.ts';
import type { Holding } from './holdings.ts';
import { addressesOf, listen } from './lanes/listen.ts';
import { Mailbox } from './mailbox.ts';
import type { ShoalNodeOptions } from './node-options.ts';
import { type NodeStats, nodeStats } from './node-stats.ts';
import { lostState, Presence } from './presence.ts';
import { Seeder } from './seeder.ts';
import { Share } from './share.ts';

/** Options of {@link ShoalNode.share}: those of its seed. */
export type ShareOptions = MakeSeedOptions;

/** What a {@link ShoalNode} tells. */
export interface ShoalNodeEvents {
	/** The connection to the broker is back. */
	up(): void;
	/** The connection to the broker is lost; the node goes on trying. */
	down(reason: ShoalError): void;
	/** Somebody misbehaves, or something failed that is tried again. */
	warning(error: unknown): void;
}

const TRACKER_PATIENCE = 5_000;
/** ms between two looks at files that nobody asks for. */
const LOOK_EVERY = 1_000;
/** A running peer: shares files and downloads at the same time, over one broker. */
export class ShoalNode {
	readonly #context: NodeContext;
	readonly #seeder: Seeder;
	readonly #presence: Presence;
	readonly #events = createNanoEvents<ShoalNodeEvents>();
	readonly #shares = new Set<Share>();
	readonly #downloads: Downloads;
	readonly #mailbox: Mailbox;
	#addresses: Pick<NodeState, 'addresses' | 'cert'> = { addresses: [] };
	readonly #timer: NodeJS.Timeout;
	#closing: Promise<void> | undefined;

	private constructor(link: Link, topics: Topics, options: ShoalNodeOptions) {
		const warn = (error: unknown): void => this.#events.emit('warning', error);
		const context = createContext(link, topics, {
			...options,
			warn,
			onDirect: (message) => this.#receive(message),
		});
		this.#context = context;
		this.#downloads = new Downloads(context, (holding, error) => this.#onBroken(holding, error));
		this.#seeder = new Seeder(context, (holding, error) => this.#onBroken(holding, error));
		this.#presence = new Presence({
			...context,
			addresses: () => this.#addresses,
			refused: (seed) => {
				context.warn(new ShoalError('ERR_LIMIT', `the tracker does not list our seed ${seed}`));
			},
		});
		this.#mailbox = new Mailbox(context, this.#seeder, this.#downloads, this.#presence);
		this.#timer = setInterval(() => this.#look(), LOOK_EVERY).unref();
		link.on('message', (message) => this.#mailbox.receive(message, 'broker'));
		link.on('warning', (error) => context.warn(error));
		link.on('up', () => this.#onUp());
		link.on('down', (reason) => this.#onDown(reason));
	}

	/**
	 * Connects and says hello.
	 *
	 * @throws ShoalError ERR_BROKER, ERR_REFUSED, ERR_ID_TAKEN, ERR_ID, ERR_USAGE
	 */
	static async start(options: ShoalNodeOptions = {}): Promise<ShoalNode> {
		const topics = new Topics(options.root);
		const id = options.id === undefined ? makeNodeId() : parseNodeId(options.id);
		const url = options.broker ?? 'mqtt://127.0.0.1:1883';
		const link = await Link.open({
			url,
			id,
			openStream: brokerStream(url, options.cert),
			password: `${options.token ?? ''}:${options.secret ?? nanoid()}`,
			will: (session) => ({ topic: topics.nodeState(id), payload: lostState(session) }),
		});
		try {
			const node = new ShoalNode(link, topics, options);
			await link.subscribe(topics.inboxFilter(id));
			await link.subscribe(topics.trackerState());
			await node.#listen(options);
			await node.#presence.join();
			return node;
		} catch (error) {
			await link.close();
			throw error;
		}
	}

	on<E extends keyof ShoalNodeEvents>(event: E, handler: ShoalNodeEvents[E]): Unsubscribe {
		return this.#events.on(event, handler);
	}

	/** Its node id. */
	get id(): string {
		return this.#context.link.id;
	}

	/** URL of its broker. */
	get broker(): string {
		return this.#context.link.url;
	}

	/** What it has, does, and needs to be of use. */
	stats(): NodeStats {
		return nodeStats(this.#context, this.#downloads);
	}

	/** Bytes sent, and bytes per second now. */
	get sent(): { readonly total: number; readonly rate: number } {
		const { total, rate } = this.#context.up;
		return { total, rate };
	}

	/** Bytes received, and bytes per second now. */
	get received(): { readonly total: number; readonly rate: number } {
		const { total, rate } = this.#context.down;
		return { total, rate };
	}

	/** Changes the limits, in bytes per second; undefined lifts one. */
	limitRates(maxUp: number | undefined, maxDown: number | undefined): void {
		this.#context.upBucket.setRate(maxUp);
		this.#context.downBucket.setRate(maxDown);
	}

	/**
	 * Makes the seed of a file, announces it, and serves it until the share is stopped or the node
	 * closed. Resolves when the broker has the announce, if there is a connection.
	 *
	 * @throws ShoalError ERR_FOLDER, ERR_NAME, ERR_NO_FILE, ERR_PERMISSION, ERR_CHANGED, ERR_EXISTS,
	 *   ERR_IO, ERR_ABORTED, ERR_CLOSED
	 */
	async share(path: string, options: ShareOptions = {}): Promise<Share> {
		this.#checkOpen();
		const share = await Share.start(this.#context.holdings, path, options);
		this.#shares.add(share);
		if (this.#isClosed) {
			await share.stop();
			this.#checkOpen();
		}
		await this.#presence.flush();
		return share;
	}

	/** The link of a seed: what others need to get it from this broker. */
	link(seed: Seed): string {
		return formatLink({ id: seed.id, name: seed.name, broker: this.broker });
	}

	/**
	 * Downloads a file and serves what is there of it meanwhile, and all of it afterwards.
	 *
	 * @param what a seed id, a link, or a seed
	 * @throws ShoalError as {@link Download.run}, and ERR_ID, ERR_LINK
	 */
	async get(what: string | Seed, options: GetOptions = {}): Promise<DownloadResult> {
		this.#checkOpen();
		return await this.#downloads.get(what, options);
	}

	/**
	 * The bytes of a file, or a range of them, in order, fetched while they are read: what is needed
	 * first comes first, and what is not read is not fetched. Any number of ranges at a time, also of
	 * what this node shares, has or is getting. Of all of a file the digest is checked before the
	 * stream ends, and one that ends with an error is not to be trusted; of a range that of each chunk.
	 *
	 * The stream ends with the errors of {@link get}, ERR_RANGE, ERR_NO_SPACE if what is read cannot be
	 * laid down, and ERR_SEED_LIES.
	 *
	 * @throws ShoalError ERR_CLOSED
	 */
	stream(what: string | Seed, options: StreamOptions = {}): ContentStream {
		this.#checkOpen();
		return this.#downloads.stream(what, options);
	}

	/** Every seed the tracker holds. @throws ShoalError ERR_NO_TRACKER, ERR_TIMEOUT */
	async *seeds(): AsyncGenerator<SeedListing> {
		await this.#context.tracker.ready(TRACKER_PATIENCE);
		yield* this.#context.tracker.seeds();
	}

	/** Who has a seed. @throws ShoalError ERR_ID, ERR_NO_TRACKER, ERR_TIMEOUT */
	async who(id: string): Promise<Extract<TrackerReply, { op: 'query' }>> {
		this.#checkOpen();
		const seed = parseSeedId(id);
		await this.#context.tracker.ready(TRACKER_PATIENCE);
		return await this.#context.tracker.ask('query', { seed });
	}

	/**
	 * Serves on until nobody has asked for `quiet` ms.
	 *
	 * @param most ms at most
	 */
	async linger(quiet: number, most: number, signal?: AbortSignal): Promise<void> {
		const start = performance.now();
		const isOver = (): boolean => {
			const now = performance.now();
			const lastAsked = Math.max(this.#seeder.lastAsked, start);
			return now - lastAsked >= quiet || now - start >= most || signal?.aborted === true;
		};
		while (!isOver() && !this.#isClosed) {
			await new Promise((resolve) => setTimeout(resolve, 50));
		}
	}

	/** Takes all announces back, says goodbye and gives everything back. Idempotent. */
	close(): Promise<void> {
		this.#closing ??= this.#close();
		return this.#closing;
	}

	get #isClosed(): boolean {
		return this.#closing !== undefined;
	}

	async #close(): Promise<void> {
		clearInterval(this.#timer);
		this.#downloads.stop();
		await this.#presence.leave();
		this.#seeder.close();
		// Nobody waits for a turn any more.
		this.limitRates(undefined, undefined);
		this.#context.tracker.close();
		await this.#context.lanes.close();
		await this.#context.link.close();
		await Promise.all([...this.#shares].map((share) => share.stop()));
		await this.#downloads.close();
	}

	/** Listens for nodes that come straight to this one, unless it is not to. @throws ShoalError ERR_PORT */
	async #listen({ listen: at = {}, lane }: ShoalNodeOptions): Promise<void> {
		if (at !== false && lane !== 'broker') {
			const { link, lanes } = this.#context;
			const onMessage = (message: Incoming): void => this.#receive(message);
			const tls = isSecureUrl(link.url) ? makeCertificate() : undefined;
			const options = { ...this.#context, ...at, id: link.id, broker: link.url, tls, onMessage };
			const listener = await listen(options);
			listener.on('warning', (error) => this.#context.warn(error));
			lanes.listen(listener);
			const addresses = addressesOf(listener, tls !== undefined);
			this.#addresses = { addresses, cert: tls && fingerprintOf(tls.cert) };
		}
	}

	/** What has come on a direct lane. What is wrong with it ends here, as a warning. */
	#receive(message: Incoming): void {
		try {
			this.#mailbox.receive(message, 'direct');
		} catch (error) {
			this.#context.warn(error);
		}
	}

	#onUp(): void {
		this.#presence.join().catch((error: unknown) => {
			if (!this.#isClosed && this.#context.link.isUp) {
				this.#context.warn(error);
			}
		});
		this.#events.emit('up');
	}

	#onDown(reason: ShoalError): void {
		this.#downloads.onDisconnected();
		this.#events.emit('down', reason);
	}

	/** What is held and was changed is noticed before somebody asks for it. */
	#look(): void {
		for (const holding of this.#context.holdings.all()) {
			try {
				holding.storage.check();
			} catch (error) {
				this.#onBroken(holding, error);
			}
		}
	}

	#onBroken(holding: Holding, error: unknown): void {
		const share = [...this.#shares].find((each) => each.holds(holding));
		if (this.#context.holdings.get(holding.seed.id) === holding && !this.#isClosed) {
			this.#context.warn(error);
			this.#context.holdings.remove(holding);
			void share?.onBroken(error);
		}
	}

	#checkOpen(): void {
		if (this.#isClosed) {
			throw new ShoalError('ERR_CLOSED', 'the node is closed');
		}
	}
}
