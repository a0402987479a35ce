import { createNanoEvents, type Unsubscribe } from 'nanoevents';
import type {
	BaseLink,
	ChannelDocument,
	Incoming,
	KeyChain,
	Topics,
} from '../../protocol/index.ts';
import { later } from '../util/timers.ts';
import { Asks } from './asks.ts';
import {
	type ChannelRefusal,
	ChannelView,
	type ChannelViewOptions,
	type Verdict,
} from './channel-view.ts';
import { Copies } from './copies.ts';
import { Fleet } from './fleet.ts';

/** The events of a {@link ChannelSession}. */
export interface ChannelSessionEvents {
	/** There is a newer document. */
	newest(document: ChannelDocument): void;
	/** The channel has new keys. */
	keys(chain: KeyChain): void;
	/** Two publishers have signed different documents with the same number. */
	twin(document: ChannelDocument): void;
	/** A message was ignored. */
	refused(refusal: { reason: ChannelRefusal; seq?: number | undefined; from: string }): void;
	/** A receipt has arrived or was withdrawn. */
	receipt(from: string): void;
	/** A node has asked for what it may have missed, or an older document shows that much was missed. */
	asked(): void;
}

/** Options of {@link ChannelSession.open}. */
export type ChannelSessionOptions = Omit<ChannelViewOptions, 'now'> & {
	readonly link: BaseLink;
	readonly topics: Topics;
	/** Whether this node publishes copies of the newest document. */
	readonly isKeeper: boolean;
	/** Whether to subscribe to the receipts. */
	readonly withReceipts?: boolean | undefined;
	/** Returns a number from 0 to 1. @default Math.random */
	readonly random?: (() => number) | undefined;
	/** Handlers of events that can come before {@link ChannelSession.open} resolves. @default none */
	readonly handlers?: Partial<ChannelSessionEvents> | undefined;
	/** Called with an error of publishing a copy; a later attempt may succeed. */
	readonly warn: (error: unknown) => void;
};

/** A message on the topic of the keys that asks for what its sender may have missed. */
const ASK = new Uint8Array();
/** ms without a message, after which all retained ones have arrived. */
const QUIET = 300;
/** ms after which the wait for them ends even if messages go on arriving. */
const MOST_WAIT = 2_000;
/** Most refusals that are remembered, so that each of them is told once. */
const MOST_TOLD = 64;

/** The open sessions of each connection: several may use one subscription. */
const openOn = new WeakMap<BaseLink, Set<ChannelSession>>();

/** One channel on one broker: its subscriptions, its newest document, and copies of it. */
export class ChannelSession {
	/** Channel id. */
	readonly channel: string;
	readonly fleet = new Fleet();
	readonly #options: ChannelSessionOptions;
	readonly #view: ChannelView;
	readonly #copies: Copies;
	readonly #events = createNanoEvents<ChannelSessionEvents>();
	readonly #listeners: Unsubscribe[] = [];
	readonly #told = new Set<string>();
	#publisher: string | undefined;
	#timer: ReturnType<typeof setTimeout> | undefined;
	/** Whether a document of this node is retained by the broker, perhaps an older one. */
	#hasOwn = false;
	/** `performance.now()` at the last message of the channel. */
	#heardAt = 0;
	readonly #asks: Asks;
	#isPublisher = false;

	private constructor(options: ChannelSessionOptions) {
		const { link, channel } = options;
		this.channel = channel;
		this.#options = options;
		openOn.set(link, (openOn.get(link) ?? new Set()).add(this));
		this.#view = new ChannelView({ ...options, now: () => performance.now() });
		const { random = Math.random, withReceipts = false } = options;
		this.#copies = new Copies(link.id, random);
		this.#asks = new Asks({
			isUp: () => link.isUp,
			wantsReceipts: withReceipts,
			random,
			ask: () => this.#ask(),
			answer: () => this.#answer(),
		});
		for (const [event, handler] of Object.entries(options.handlers ?? {})) {
			this.#events.on(event as keyof ChannelSessionEvents, handler);
		}
		this.#listeners.push(
			link.on('message', (message) => this.#onMessage(message)),
			link.on('up', () => this.#restartCopies()),
			// Messages that are still retained arrive again after the reconnect.
			link.on('down', () => {
				this.fleet.clear();
				this.#asks.disconnected();
			}),
		);
	}

	/**
	 * Subscribes to the messages of a channel.
	 *
	 * @throws ShoalError ERR_REFUSED, ERR_TIMEOUT, ERR_DISCONNECTED
	 */
	static async open(options: ChannelSessionOptions): Promise<ChannelSession> {
		const session = new ChannelSession(options);
		try {
			for (const filter of session.#filters) {
				await options.link.subscribe(filter);
			}
		} catch (error) {
			await session.close();
			throw error;
		}
		session.#heardAt = performance.now();
		session.#restartCopies();
		return session;
	}

	/** Calls `handler` at each `event`. @returns a function that removes the handler */
	on<E extends keyof ChannelSessionEvents>(
		event: E,
		handler: ChannelSessionEvents[E],
	): Unsubscribe {
		return this.#events.on(event, handler);
	}

	/** The newest verified document; undefined before one is known. */
	get newest(): ChannelDocument | undefined {
		return this.#view.newest;
	}

	/** The verified keys; undefined before they are known. */
	get chain(): KeyChain | undefined {
		return this.#view.chain;
	}

	/** Id of the node from which the newest document came first; while it is new, that is its publisher. */
	get publisher(): string | undefined {
		return this.#publisher;
	}

	/** Whether the broker has sent a retained message of the channel on this connection. */
	get isRetained(): boolean {
		return this.#asks.isRetained;
	}

	/** Whether there is a connection to the broker now. */
	get isUp(): boolean {
		return this.#options.link.isUp;
	}

	/**
	 * Resolves when no message of the channel has arrived for `quiet` ms, or after `most` ms. By
	 * default, all retained messages have arrived then.
	 */
	async settled(signal?: AbortSignal, { quiet = QUIET, most = MOST_WAIT } = {}): Promise<void> {
		const start = performance.now();
		const isOver = (): boolean => {
			const now = performance.now();
			return now - Math.max(this.#heardAt, start) >= quiet || now - start >= most;
		};
		while (!isOver() && signal?.aborted !== true) {
			await new Promise((resolve) => setTimeout(resolve, 20));
		}
	}

	/**
	 * Takes keys and a document as the newest, and publishes them under the id of this node.
	 *
	 * @throws as {@link publishKeys}
	 */
	async publish(chain: KeyChain, document: ChannelDocument): Promise<void> {
		const { link } = this.#options;
		this.#isPublisher = true;
		this.#take(link.id, this.#view.onKeys(link.id, chain.text));
		this.#take(link.id, [this.#view.onDocument(link.id, document.text)]);
		await this.#retain(chain, document);
	}

	/**
	 * Publishes the newest keys without a document: the documents of the keys before are refused then.
	 *
	 * @throws ShoalError ERR_DISCONNECTED, ERR_TIMEOUT, ERR_REFUSED
	 */
	async publishKeys({ text }: KeyChain): Promise<void> {
		const { link, topics } = this.#options;
		await link.retain(topics.channelKeys(this.channel, link.id), text);
	}

	/**
	 * Ends the subscriptions that no other session of the connection uses. What this node has published
	 * stays.
	 */
	async close(): Promise<void> {
		clearTimeout(this.#timer);
		this.#asks.close();
		for (const remove of this.#listeners) {
			remove();
		}
		const { link } = this.#options;
		const others = openOn.get(link);
		others?.delete(this);
		const isUsed = (filter: string): boolean =>
			[...(others ?? [])].some((other) => other.#filters.includes(filter));
		for (const filter of this.#filters) {
			if (!isUsed(filter)) {
				await link.unsubscribe(filter).catch(() => {});
			}
		}
	}

	get #filters(): string[] {
		const { topics, withReceipts } = this.#options;
		const receipts = withReceipts === true ? [topics.receiptFilter(this.channel)] : [];
		return [...topics.channelFilters(this.channel), ...receipts];
	}

	#onMessage({ topic, payload, isRetained }: Incoming): void {
		const parsed = this.#options.topics.tryParse(topic);
		if (parsed === undefined || !('channel' in parsed) || parsed.channel !== this.channel) {
			return;
		}
		const { from, kind } = parsed;
		const isMine = from === this.#options.link.id;
		if (payload.length === 0 && kind === 'channel-keys') {
			if (!isMine) {
				this.#onAsked();
			}
			return;
		}
		this.#heardAt = performance.now();
		if (payload.length > 0) {
			this.#asks.heard(kind === 'channel', isRetained);
			this.#hasOwn ||= isMine && kind === 'channel';
		}
		if (kind === 'receipt') {
			if (this.fleet.onReceipt(parsed, payload)) {
				this.#events.emit('receipt', from);
			}
		} else if (payload.length > 0) {
			this.#take(
				from,
				kind === 'channel-keys'
					? this.#view.onKeys(from, payload)
					: [this.#view.onDocument(from, payload)],
			);
		}
	}

	#take(from: string, verdicts: readonly Verdict[]): void {
		for (const verdict of verdicts) {
			switch (verdict.kind) {
				case 'newest':
					this.#onNewest(from, verdict.document);
					break;
				case 'twin':
					this.#events.emit('twin', verdict.document);
					if (verdict.isNewest) {
						this.#onNewest(from, verdict.document);
					}
					break;
				case 'copy':
					this.#copies.heard(from);
					this.#asks.answered();
					break;
				case 'keys':
					this.#events.emit('keys', verdict.chain);
					break;
				case 'refused':
					this.#refuse(from, verdict);
					if (verdict.reason === 'older') {
						// That node, or its broker, has missed the newest document. A server that brings back older
						// documents has perhaps replaced receipts as well.
						this.#onAsked();
					}
					break;
				default:
					break;
			}
		}
	}

	#onAsked(): void {
		this.#events.emit('asked');
		this.#asks.asked(this.#isPublisher);
	}

	#onNewest(from: string, document: ChannelDocument): void {
		this.#publisher = from;
		this.#restartCopies();
		this.#copies.heard(from);
		this.#events.emit('newest', document);
	}

	/** Tells a refusal once for each sender, reason and number. */
	#refuse(from: string, { reason, seq }: Extract<Verdict, { kind: 'refused' }>): void {
		const about = `${from} ${reason} ${seq}`;
		if (!this.#told.has(about)) {
			if (this.#told.size >= MOST_TOLD) {
				this.#told.clear();
			}
			this.#told.add(about);
			this.#events.emit('refused', { reason, seq, from });
		}
	}

	#ask(): void {
		const { link, topics } = this.#options;
		link.send(topics.channelKeys(this.channel, link.id), ASK);
	}

	/** Publishes the newest document again, if this node keeps copies of it. */
	#answer(): void {
		const { link, warn, isKeeper } = this.#options;
		const { chain, newest } = this.#view;
		if (isKeeper && chain !== undefined && newest !== undefined && link.isUp) {
			this.#retain(chain, newest).catch(warn);
		}
	}

	#restartCopies(): void {
		clearTimeout(this.#timer);
		const now = performance.now();
		this.#copies.restart(now);
		if (this.#options.isKeeper && this.#copies.dueAt !== undefined) {
			this.#timer = later(() => this.#keepCopy(), this.#copies.dueAt - now);
		}
	}

	#keepCopy(): void {
		const { link, topics, warn } = this.#options;
		const { chain, newest } = this.#view;
		if (chain === undefined || newest === undefined || !link.isUp) {
			return;
		}
		switch (this.#copies.decide()) {
			case 'publish':
				this.#retain(chain, newest).catch(warn);
				break;
			case 'clear':
				if (this.#hasOwn) {
					this.#hasOwn = false;
					link.forget(topics.channel(this.channel, link.id)).catch(warn);
				}
				break;
			default:
				break;
		}
	}

	async #retain(chain: KeyChain, document: ChannelDocument): Promise<void> {
		const { link, topics } = this.#options;
		await this.publishKeys(chain);
		await link.retain(topics.channel(this.channel, link.id), document.text);
		this.#hasOwn = true;
		this.#copies.heard(link.id);
	}
}
