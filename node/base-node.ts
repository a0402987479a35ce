import { createNanoEvents, type Unsubscribe } from 'nanoevents';
import {
	type BaseLink,
	formatLink,
	type Incoming,
	type NodeState,
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
import { MessageRouter } from './message-router.ts';
import { type ContextOptions, createContext, type NodeContext } from './node-context.ts';
import { Seeder } from './seeding/seeder.ts';
import type { StoredContent } from './storage/content-store.ts';
import { Announcer } from './tracker/announcer.ts';
import { type LookUpOptions, lookUp } from './tracker/look-up.ts';
import { notListed } from './tracker/not-listed.ts';
import { unlessStopped } from './util/abort.ts';
import { every } from './util/timers.ts';

/** What a node tells. */
export interface ShoalNodeEvents {
	/** The connection to the broker is back. */
	up(): void;
	/** The connection to the broker is lost; the node goes on trying. */
	down(reason: ShoalError): void;
	/** A peer violated the protocol, or an operation failed and is retried. */
	warning(error: unknown): void;
}

/** What a node has, does, and needs to be of use. */
export interface NodeStats {
	/** Seeds of which it has everything, or some. */
	readonly seeds: { readonly whole: number; readonly partial: number };
	readonly downloads: DownloadStats;
	/** Whether there is a connection to the broker. */
	readonly isConnected: boolean;
	/** Whether the broker's tracker says that it is ready. */
	readonly hasTracker: boolean;
}

/** Where other nodes can open direct lanes to this one. */
export type Addresses = Pick<NodeState, 'addresses' | 'cert'>;

const TRACKER_TIMEOUT = 5_000;
/** ms between two checks whether the files of stored contents were changed. */
const LOOK_EVERY = 1_000;

/**
 * What every node does, in Node and in a browser: it says what it has, answers, and downloads. Where its bytes
 * come from and go to is for those that extend it.
 */
export class BaseNode {
	protected readonly context: NodeContext;
	protected readonly downloads: DownloadManager;
	/** None as long as it does not listen. */
	protected addresses: Addresses = { addresses: [] };
	readonly #seeder: Seeder;
	readonly #announcer: Announcer;
	readonly #events = createNanoEvents<ShoalNodeEvents>();
	readonly #router: MessageRouter;
	readonly #timer: ReturnType<typeof setInterval>;
	#closing: Promise<void> | undefined;

	protected constructor(
		link: BaseLink,
		topics: Topics,
		options: Omit<ContextOptions, 'warn' | 'onDirect'>,
	) {
		const warn = (error: unknown): void => this.#events.emit('warning', error);
		const context = createContext(link, topics, {
			...options,
			warn,
			onDirect: (message) => this.receive(message),
		});
		this.context = context;
		const broken = (content: StoredContent, error: unknown): void => this.#onBroken(content, error);
		this.downloads = new DownloadManager(context, broken);
		this.#seeder = new Seeder(context, broken);
		this.#announcer = new Announcer({
			...context,
			addresses: () => this.addresses,
			refused: (seeds) => context.warn(notListed(seeds.map((seed) => this.#nameOf(seed)))),
		});
		this.#router = new MessageRouter(context, this.#seeder, this.downloads, this.#announcer);
		this.#timer = every(() => this.#look(), LOOK_EVERY);
		link.on('message', (message) => this.#router.receive(message, 'broker'));
		link.on('warning', (error) => context.warn(error));
		link.on('up', () => this.#onUp());
		link.on('down', (reason) => this.#onDown(reason));
	}

	on<E extends keyof ShoalNodeEvents>(event: E, handler: ShoalNodeEvents[E]): Unsubscribe {
		return this.#events.on(event, handler);
	}

	/** Its node id. */
	get id(): string {
		return this.context.link.id;
	}

	/** URL of its broker. */
	get broker(): string {
		return this.context.link.url;
	}

	/** What it has, does, and needs to be of use. */
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

	/** Bytes sent, and bytes per second now. */
	get sent(): { readonly total: number; readonly rate: number } {
		const { total, rate } = this.context.traffic.up;
		return { total, rate };
	}

	/** Bytes received, and bytes per second now. */
	get received(): { readonly total: number; readonly rate: number } {
		const { total, rate } = this.context.traffic.down;
		return { total, rate };
	}

	/** Changes the limits, in bytes per second; undefined lifts one. */
	limitRates(maxUp: number | undefined, maxDown: number | undefined): void {
		this.context.upLimiter.setRate(maxUp);
		this.context.downLimiter.setRate(maxDown);
	}

	/** The link of a seed: what others need to get it from this broker. */
	link(seed: Seed): string {
		return formatLink({ id: seed.id, name: seed.name, broker: this.broker });
	}

	/** Every seed the tracker holds. @throws ShoalError ERR_NO_TRACKER, ERR_TIMEOUT */
	async *seeds(): AsyncGenerator<SeedListing> {
		await this.context.tracker.ready(TRACKER_TIMEOUT);
		yield* this.context.tracker.seeds();
	}

	/** Who has a seed. @param what as {@link resolve} @throws ShoalError as {@link resolve} */
	async who(what: string): Promise<Extract<TrackerReply, { op: 'query' }>> {
		const seed = await this.resolve(what, { patience: 0 });
		await this.context.tracker.ready(TRACKER_TIMEOUT);
		return await this.context.tracker.ask('query', { seed });
	}

	/**
	 * The seed id that `what` names: an id, a link, the URL of a file at a page or a gateway; or, if that is the only one
	 * in the tracker's list, the start of an id, 6 digits at least, or a file name. Whoever shares chooses a name, so it
	 * says nothing of the content.
	 *
	 * @throws ShoalError ERR_ID, ERR_LINK, ERR_NAME, ERR_NOT_FOUND, ERR_AMBIGUOUS, ERR_NO_TRACKER, ERR_TIMEOUT, ERR_ABORTED
	 */
	async resolve(what: string, options: LookUpOptions = {}): Promise<string> {
		return (await this.requestOf(what, options)).id;
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
		while (!isOver() && !this.isClosed) {
			await new Promise((resolve) => setTimeout(resolve, 50));
		}
	}

	/** Takes all announces back, says goodbye and gives everything back. Idempotent. */
	close(): Promise<void> {
		this.#closing ??= this.#close();
		return this.#closing;
	}

	protected get isClosed(): boolean {
		return this.#closing !== undefined;
	}

	/** What to download for `what`, a seed or what {@link resolve} understands. @throws ShoalError as {@link resolve} */
	protected async requestOf(
		what: string | Seed,
		options: LookUpOptions = {},
	): Promise<DownloadRequest> {
		this.checkOpen();
		if (what instanceof Seed) {
			return { id: what.id, seed: what };
		}
		const named = parseContentName(what);
		if (!('lookup' in named)) {
			return named;
		}
		const { tracker } = this.context;
		await unlessStopped(tracker.ready(TRACKER_TIMEOUT), options.signal, 'the look-up was stopped');
		return { id: await lookUp(tracker, named.lookup, options) };
	}

	/** Says hello. @throws ShoalError ERR_REFUSED, ERR_TIMEOUT, ERR_DISCONNECTED */
	protected async join(): Promise<void> {
		await this.#announcer.join();
	}

	/** Hears what is sent to it. @throws as {@link join} */
	protected async subscribe(): Promise<void> {
		const { link, topics } = this.context;
		await link.subscribe(topics.inboxFilter(link.id));
		await link.subscribe(topics.trackerState());
	}

	/**
	 * Announces what is new now. Resolves when the broker has it, if there is a connection.
	 *
	 * @throws ShoalError ERR_LIMIT if the tracker does not list `seed`
	 */
	protected async announce({ id, name }: Seed): Promise<void> {
		await this.#announcer.flush();
		if ((await this.#announcer.confirm()).has(id)) {
			throw notListed([name]);
		}
	}

	/** What has come on a direct lane. What is wrong with it ends here, as a warning. */
	protected receive(message: Incoming): void {
		try {
			this.#router.receive(message, 'direct');
		} catch (error) {
			this.context.warn(error);
		}
	}

	/** The bytes of `_content` are not what they were; it is not served any more. */
	protected onBroken(_content: StoredContent, _error: unknown): void {}

	/** Gives back what was shared: it is closing, and nobody can ask any more. */
	protected async release(): Promise<void> {}

	/** @throws ShoalError ERR_CLOSED */
	protected checkOpen(): void {
		if (this.isClosed) {
			throw new ShoalError('ERR_CLOSED', 'the node is closed');
		}
	}

	async #close(): Promise<void> {
		clearInterval(this.#timer);
		this.downloads.stop();
		await this.#announcer.leave();
		this.#seeder.close();
		// What waits for a rate limit goes on, and ends.
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

	/** Notices changed files before a peer asks for them. */
	#look(): void {
		for (const content of this.context.contents.all()) {
			try {
				content.storage.check();
			} catch (error) {
				this.#onBroken(content, error);
			}
		}
	}

	#onBroken(content: StoredContent, error: unknown): void {
		if (this.context.contents.get(content.seed.id) === content && !this.isClosed) {
			this.context.warn(error);
			this.context.contents.remove(content);
			this.onBroken(content, error);
		}
	}
}
