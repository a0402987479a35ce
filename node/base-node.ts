import { createNanoEvents, type Unsubscribe } from 'nanoevents';
import {
	type BaseLink,
	formatLink,
	type Incoming,
	type NodeState,
	nodeNameOf,
	parseContentName,
	Seed,
	type SeedListing,
	ShoalError,
	type Topics,
	type TrackerReply,
} from '../protocol/index.ts';
import {
	DownloadManager,
	type DownloadRequest,
	type DownloadStats,
} from './download/download-manager.ts';
import type { Lane } from './lanes/lane.ts';
import { MessageRouter } from './message-router.ts';
import { type ContextOptions, createContext, type NodeContext } from './node-context.ts';
import { BrokenContents } from './seeding/broken-contents.ts';
import { Seeder } from './seeding/seeder.ts';
import type { StoredContent } from './storage/content-store.ts';
import { Announcer } from './tracker/announcer.ts';
import { type LookUpOptions, lookUp } from './tracker/look-up.ts';
import { NotListed } from './tracker/not-listed.ts';
import { unlessStopped } from './util/abort.ts';
import { checkArgument, NUMBER, TEXT } from './util/check-options.ts';
import { every } from './util/timers.ts';

/** The events of a node. */
export interface ShoalNodeEvents {
	/** The node is connected to the broker again. */
	up(): void;
	/** The connection to the broker was lost. Until the node is closed, it tries to reconnect. */
	down(reason: ShoalError): void;
	/** A peer violated the protocol, or an operation failed and is retried. */
	warning(error: unknown): void;
}

/** Counters and gauges of a node. */
export interface NodeStats {
	/** The number of seeds of which the node has all chunks (`whole`), or some chunks (`partial`). */
	readonly seeds: { readonly whole: number; readonly partial: number };
	/** Downloads that run, and those that have ended. */
	readonly downloads: DownloadStats;
	/** Whether the node is connected to the broker. */
	readonly isConnected: boolean;
	/** Whether a tracker is ready on the broker; false while the node is not connected. */
	readonly hasTracker: boolean;
}

/** The name of a node for people. */
export interface Named {
	/**
	 * A name for people, such as that of its machine; every client of the broker sees it.
	 * @default none
	 */
	readonly name?: string | undefined;
}

/** The addresses at which other nodes can open direct lanes to this node. */
export type Addresses = Pick<NodeState, 'addresses' | 'cert'>;

const NAME = { ...TEXT, expected: 'a seed, an id, a link or a name' };
const TRACKER_TIMEOUT = 5_000;
/** ms between two checks of the tracker, and of the files of stored contents for changes. */
const LOOK_EVERY = 1_000;

/**
 * The part of a node that is the same in Node and in a browser: it announces what it has, answers requests and
 * downloads. Subclasses say where bytes are read from and written to.
 */
export class BaseNode {
	protected readonly context: NodeContext;
	protected readonly downloads: DownloadManager;
	/** Empty while this node does not listen. */
	protected addresses: Addresses = { addresses: [] };
	readonly #seeder: Seeder;
	readonly #broken: BrokenContents;
	readonly #announcer: Announcer;
	readonly #events = createNanoEvents<ShoalNodeEvents>();
	readonly #router: MessageRouter;
	readonly #timer: ReturnType<typeof setInterval>;
	#closing: Promise<void> | undefined;

	protected constructor(
		link: BaseLink,
		topics: Topics,
		{ name, ...options }: Omit<ContextOptions, 'warn' | 'onDirect'> & Named,
	) {
		const warn = (error: unknown): void => this.#events.emit('warning', error);
		const context = createContext(link, topics, {
			...options,
			warn,
			onDirect: (message, lane) => this.receive(message, lane),
		});
		this.context = context;
		this.#broken = new BrokenContents(context, (content, error) => this.onBroken(content, error));
		const broken = (content: StoredContent, error: unknown): void => this.#onBroken(content, error);
		this.downloads = new DownloadManager(context, broken);
		this.#seeder = new Seeder(context, broken);
		this.#announcer = new Announcer({
			...context,
			name: name === undefined ? undefined : nodeNameOf(name),
			addresses: () => this.addresses,
			refused: (seeds) => context.warn(new NotListed(seeds.map((seed) => this.#nameOf(seed)))),
		});
		this.#router = new MessageRouter(context, this.#seeder, this.downloads, this.#announcer);
		this.#timer = every(() => this.#look(), LOOK_EVERY);
		link.on('message', (message) => this.#router.receive(message, this.context.lanes.broker));
		link.on('warning', (error) => context.warn(error));
		link.on('up', () => this.#onUp());
		link.on('down', (reason) => this.#onDown(reason));
	}

	/** Calls `handler` at each `event`. @returns a function that removes the handler */
	on<E extends keyof ShoalNodeEvents>(event: E, handler: ShoalNodeEvents[E]): Unsubscribe {
		return this.#events.on(event, handler);
	}

	/** The node id. */
	get id(): string {
		return this.context.link.id;
	}

	/**
	 * URL of the broker in use, or of the one that is tried while there is no connection; without user
	 * name, password and query.
	 */
	get broker(): string {
		return this.context.link.url;
	}

	/**
	 * URLs of all brokers that the node was given, in their order; without user name, password and
	 * query.
	 */
	get brokers(): readonly string[] {
		return this.context.link.urls;
	}

	/** Counters and gauges, as they are now. */
	stats(): NodeStats {
		const { contents, link, tracker } = this.context;
		const held = contents.all();
		const whole = held.filter(({ have }) => have.isFull).length;
		return {
			seeds: { whole, partial: held.length - whole },
			downloads: this.downloads.stats,
			isConnected: link.isUp,
			hasTracker: link.isUp && tracker.state !== undefined,
		};
	}

	/** Bytes of contents sent since the start, and bytes per second now. */
	get sent(): { readonly total: number; readonly rate: number } {
		const { total, rate } = this.context.traffic.up;
		return { total, rate };
	}

	/** Bytes of contents received since the start, and bytes per second now. */
	get received(): { readonly total: number; readonly rate: number } {
		const { total, rate } = this.context.traffic.down;
		return { total, rate };
	}

	/** Changes `maxUp` and `maxDown`, in bytes per second; undefined removes a limit. @throws ShoalError ERR_USAGE */
	limitRates(maxUp: number | undefined, maxDown: number | undefined): void {
		const { upLimiter, downLimiter } = this.context;
		const before = downLimiter.rate;
		upLimiter.setRate(maxUp);
		downLimiter.setRate(maxDown);
		if (downLimiter.rate < before) {
			this.downloads.onLowerLimit();
		}
	}

	/** The share link of a seed, with its name and the brokers of this node. */
	link(seed: Seed): string {
		return formatLink({ id: seed.id, name: seed.name, broker: this.brokers });
	}

	/**
	 * Every seed that the tracker lists, in the order of the ids; with `after`, those whose ids follow that one.
	 * @throws ShoalError ERR_ID, ERR_NO_TRACKER, ERR_TIMEOUT, ERR_DISCONNECTED, ERR_LIMIT
	 */
	async *seeds(after?: string): AsyncGenerator<SeedListing> {
		await this.context.tracker.ready(TRACKER_TIMEOUT);
		yield* this.context.tracker.seeds(after);
	}

	/**
	 * The nodes that have a seed or a part of it: how many, and all of them if there are at most `queryAll`
	 * (128), otherwise a sample of `querySample` (50).
	 *
	 * @param what as in {@link resolve}
	 * @throws ShoalError ERR_ID, ERR_LINK, ERR_NAME, ERR_NOT_FOUND, ERR_AMBIGUOUS, ERR_CLOSED, ERR_NO_TRACKER, ERR_TIMEOUT,
	 *   ERR_DISCONNECTED
	 */
	async who(what: string): Promise<Extract<TrackerReply, { op: 'query' }>> {
		const seed = await this.resolve(what, { patience: 0 });
		await this.context.tracker.ready(TRACKER_TIMEOUT);
		return await this.context.tracker.ask('query', { seed });
	}

	/**
	 * The seed id that `what` names. `what` is an id, a link, or the URL of a file at a page or a
	 * gateway. It can also be a file name, or at least the first 6 digits of an id, if only one seed
	 * in the tracker's list has that name, or an id that begins with these digits. The node that
	 * shares a file chooses the name, so a name proves nothing about the content.
	 *
	 * @throws ShoalError ERR_USAGE, ERR_ID, ERR_LINK, ERR_NAME, ERR_NOT_FOUND, ERR_AMBIGUOUS, ERR_NO_TRACKER, ERR_TIMEOUT,
	 *   ERR_ABORTED
	 */
	async resolve(what: string, options: LookUpOptions = {}): Promise<string> {
		return (await this.requestOf(what, options)).id;
	}

	/**
	 * Waits until no node has requested anything for `quiet` ms, but at most `most` ms, or until
	 * `signal` is aborted. Meanwhile the node goes on sending to other nodes.
	 */
	async linger(quiet: number, most: number, signal?: AbortSignal): Promise<void> {
		checkArgument('quiet', quiet, NUMBER);
		checkArgument('most', most, NUMBER);
		const start = performance.now();
		const isOver = (): boolean => {
			const now = performance.now();
			const lastAsked = Math.max(this.#seeder.lastAsked, start);
			return now - lastAsked >= quiet || now - start >= most || signal?.aborted === true;
		};
		while (!isOver() && !this.isClosed) {
			await new Promise((resolve) => setTimeout(resolve, 50));
		}
	}

	/** Withdraws all announces, disconnects and closes all files. Can be called again. */
	close(): Promise<void> {
		this.#closing ??= this.#close();
		return this.#closing;
	}

	/**
	 * Closes the node at once, for a page that ends. If there is a connection, withdraws all
	 * announces and publishes the state `disconnected` in the current turn of the event loop, without
	 * waiting for the broker's confirmation.
	 */
	protected sayGoodbye(): void {
		this.#announcer.leaveNow();
		void this.context.link.close();
		void this.close();
	}

	protected get isClosed(): boolean {
		return this.#closing !== undefined;
	}

	/** The download request for `what`: a seed, or a text for {@link resolve}. @throws ShoalError as {@link resolve} */
	protected async requestOf(
		what: string | Seed,
		options: LookUpOptions = {},
	): Promise<DownloadRequest> {
		this.checkOpen();
		if (what instanceof Seed) {
			return { id: what.id, seed: what };
		}
		checkArgument('what is named', what, NAME);
		const named = parseContentName(what);
		if (!('lookup' in named)) {
			return named;
		}
		const { tracker } = this.context;
		await unlessStopped(tracker.ready(TRACKER_TIMEOUT), options.signal, 'the look-up was stopped');
		return { id: await lookUp(tracker, named.lookup, options) };
	}

	/**
	 * Publishes the state of this node and its announces.
	 *
	 * @throws ShoalError ERR_REFUSED, ERR_TIMEOUT, ERR_DISCONNECTED
	 */
	protected async join(): Promise<void> {
		await this.#announcer.join();
	}

	/**
	 * Subscribes to the inbox of this node and to the state of the tracker.
	 *
	 * @throws as {@link join}
	 */
	protected async subscribe(): Promise<void> {
		const { link, topics } = this.context;
		// With QoS 0: what comes to an inbox is asked for again if it is lost, and so is the state of the
		// tracker. Three NATS servers refuse subscriptions with QoS 1 at random while two hundred nodes
		// join within a second.
		await link.subscribe(topics.inboxFilter(link.id));
		await link.subscribe(topics.trackerState());
	}

	/**
	 * Announces new contents now. If there is a connection, waits until the broker has the announces.
	 * Then asks the tracker whether it lists them, and waits for the answer for a second at most.
	 *
	 * @throws ShoalError ERR_LIMIT if the tracker does not list `seed`
	 */
	protected async announce({ id, name }: Seed): Promise<void> {
		await this.#announcer.flush();
		if ((await this.#announcer.confirm()).has(id)) {
			throw new NotListed([name]);
		}
	}

	/** Handles a message that came on a direct lane. Errors become warnings. */
	protected receive(message: Incoming, lane: Lane): void {
		try {
			this.#router.receive(message, lane);
		} catch (error) {
			this.context.warn(error);
		}
	}

	/**
	 * Called after the node has withdrawn `_content`, because its bytes have changed or cannot be
	 * read.
	 */
	protected onBroken(_content: StoredContent, _error: unknown): void {}

	/** Ends what publishes over the connection. Called by {@link close} before anything else is closed. */
	protected async beforeClose(): Promise<void> {}

	/**
	 * Closes the shared files. Called by {@link close}, when other nodes cannot request chunks any
	 * more.
	 */
	protected async release(): Promise<void> {}

	/** @throws ShoalError ERR_CLOSED */
	protected checkOpen(): void {
		if (this.isClosed) {
			throw new ShoalError('ERR_CLOSED', 'the node is closed');
		}
	}

	async #close(): Promise<void> {
		clearInterval(this.#timer);
		await this.beforeClose();
		this.downloads.stop();
		await this.#announcer.leave();
		this.#seeder.close();
		// Work that waits for a rate limit can end when the limits are removed.
		this.limitRates(undefined, undefined);
		this.context.tracker.close();
		await this.context.lanes.close();
		await this.context.link.close();
		await this.release();
		await this.downloads.close();
	}

	#nameOf(seed: string): string {
		return this.context.contents.get(seed)?.seed.name ?? seed;
	}

	#onUp(): void {
		this.#announcer.join().catch((error: unknown) => {
			if (!this.isClosed && this.context.link.isUp) {
				this.context.warn(error);
			}
		});
		this.#events.emit('up');
	}

	#onDown(reason: ShoalError): void {
		this.downloads.onDisconnected();
		this.#events.emit('down', reason);
	}

	/**
	 * Notices that no tracker is known, and that a file was changed, even if no node requests its
	 * chunks.
	 */
	#look(): void {
		this.context.tracker.look();
		for (const content of this.context.contents.all()) {
			try {
				content.storage.check();
			} catch (error) {
				this.#onBroken(content, error);
			}
		}
	}

	#onBroken(content: StoredContent, error: unknown): void {
		if (!this.isClosed) {
			this.#broken.found(content, error);
		}
	}
}
