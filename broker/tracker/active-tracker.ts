import {
	decodeAnnounce,
	decodeNodeState,
	decodeReply,
	decodeTrackerRequest,
	decodeTrackerState,
	encodeJson,
	type Incoming,
	Link,
	MAX_RANGE,
	type Report,
	type ShoalError,
	type Topic,
	type TrackerReply,
	type TrackerRequest,
	type TrackerState,
	type WatcherEvent,
} from '../../protocol/index.ts';
import { Clearing } from './clearing.ts';
import { type Decision, endsAnnounce } from './decisions.ts';
import { Outbox } from './outbox.ts';
import { withPeerRoutes } from './peer-routes.ts';
import { Registry } from './registry.ts';
import { Rivals } from './rivals.ts';
import { Sweeper } from './sweeper.ts';
import type { TrackerCounts, TrackerSettings } from './tracker-options.ts';

/** Callbacks of an active tracker. */
export interface ActiveHooks {
	readonly onReady: (session: string) => void;
	readonly onDown: (reason: ShoalError) => void;
	/** Called with each event that is published for watchers. */
	readonly onEvent: (event: WatcherEvent) => void;
	readonly onWarning: (error: unknown) => void;
	/** Called when another tracker is active and its id sorts first: this one has to stand by. */
	readonly onRival: () => void;
}

/** A request that has a reply. */
type Question = Exclude<TrackerRequest, Report | { op: 'state' }>;

const LOAD_EVERY = 2_000;
/** Renewals of the nodes between two repeats of the tracker's state. */
const RENEWALS_BETWEEN = 2;
// The largest number of waiting replies. Further replies are dropped, and the nodes send their
// requests again.
const MOST_REPLIES = 10_000;

/**
 * The active tracker: passes received messages to the registry, and publishes what the registry
 * decides.
 */
export class ActiveTracker {
	readonly registry: Registry;
	readonly #settings: TrackerSettings;
	readonly #counts: TrackerCounts;
	readonly #hooks: ActiveHooks;
	readonly #link: Link;
	readonly #replies: Outbox;
	readonly #clearing: Clearing;
	readonly #timers: ReadonlyArray<ReturnType<typeof setInterval>>;
	readonly #rivals: Rivals;
	#isEnding = false;

	private constructor(
		settings: TrackerSettings,
		counts: TrackerCounts,
		hooks: ActiveHooks,
		link: Link,
	) {
		this.#settings = settings;
		this.#counts = counts;
		this.#hooks = hooks;
		this.#link = link;
		this.registry = new Registry(settings);
		const onFailure = (error: unknown): void => {
			counts.undelivered += 1;
			hooks.onWarning(error);
		};
		const { topics, limits } = settings;
		this.#replies = new Outbox(() => link.isUp, onFailure);
		this.#clearing = new Clearing({ link, topics, most: limits.announces, onFailure });
		const repeat = (): void => this.#repeat();
		this.#rivals = new Rivals({ link, settings, repeat, onRival: () => hooks.onRival() });
		link.on('up', () => this.#begin());
		link.on('down', (reason) => this.#interrupt(reason));
		link.on('message', (message) => this.#receive(message));
		link.on('warning', (error) => hooks.onWarning(error));
		const sweeper = new Sweeper({
			registry: this.registry,
			outbox: this.#clearing,
			isOn: () => link.isUp && !this.#isEnding,
			act: (decisions) => {
				counts.expired += decisions.filter(endsAnnounce).length;
				this.#act(decisions);
			},
		});
		this.#timers = [
			setInterval(() => {
				sweeper.sweep().catch(hooks.onWarning);
			}, settings.sweep).unref(),
			setInterval(() => this.#tellLoad(), LOAD_EVERY).unref(),
			// Other brokers may lose what they should retain.
			...(settings.isAlone ? [] : [setInterval(repeat, limits.renewal * RENEWALS_BETWEEN).unref()]),
		];
	}

	/**
	 * Connects, subscribes and publishes `ready`.
	 *
	 * @throws ShoalError ERR_BROKER, ERR_ID_TAKEN, ERR_REFUSED, ERR_TIMEOUT
	 */
	static async open(
		settings: TrackerSettings,
		counts: TrackerCounts,
		hooks: ActiveHooks,
	): Promise<ActiveTracker> {
		const { brokers, id, random, topics } = settings;
		const will = (session: string) => ({
			topic: topics.trackerState(),
			payload: encodeJson({ state: 'lost', tracker: id, session } satisfies TrackerState),
		});
		const link = await Link.open({ ...brokers, id, random, will });
		const active = new ActiveTracker(settings, counts, hooks, link);
		try {
			// With QoS 0: if a message of a node is lost, the next update of the node repairs that. On three
			// NATS servers, a subscription with QoS 1 takes up to a second, and delivers nothing for some
			// seconds after the death of a server.
			for (const filter of [...topics.trackerFilters(), topics.trackerState()]) {
				await link.subscribe(filter);
			}
			if (!settings.isAlone) {
				await link.subscribe(topics.inboxFilter(id));
			}
		} catch (error) {
			await active.close(false);
			throw error;
		}
		active.#begin();
		return active;
	}

	/** Whether it is connected. */
	get isUp(): boolean {
		return this.#link.isUp;
	}

	/** URL of the broker that is used or tried now. */
	get broker(): string {
		return this.#link.url;
	}

	/** Disconnects. @param isEnd whether to publish `lost`: not if another tracker is active */
	async close(isEnd: boolean): Promise<void> {
		for (const timer of this.#timers) {
			clearInterval(timer);
		}
		this.#rivals.close();
		this.#drop();
		// From now on no request is answered: a tracker that stands by sends one as soon as it reads
		// `lost`, and must not take the answer for a sign of life.
		this.#isEnding = true;
		if (isEnd && this.#link.isUp) {
			const { id: tracker } = this.#settings;
			// The link waits for the confirmation, but only for a moment, while it closes.
			void this.#say({ state: 'lost', tracker, session: this.#link.session });
		}
		await this.#link.close();
	}

	#begin(): void {
		this.registry.connected();
		this.#repeat();
		this.#replies.pump();
		this.#clearing.pump();
		this.#hooks.onReady(this.#link.session);
	}

	#interrupt(reason: ShoalError): void {
		this.registry.disconnected();
		this.#drop();
		this.#hooks.onDown(reason);
	}

	/** Drops all messages that wait. */
	#drop(): void {
		this.#replies.clear();
		this.#clearing.drop();
	}

	#tellLoad(): void {
		const load = this.#settings.load?.();
		if (load !== undefined) {
			this.#act([{ do: 'event', event: { event: 'load', ...load } }]);
		}
	}

	/**
	 * Handles a message. A message that cannot be read is counted and reported. On the topic of a
	 * node state or an announce, the tracker then also clears the retained message. A message on an
	 * unknown topic is only counted. A tracker that is closing handles no message.
	 */
	#receive(message: Incoming): void {
		if (this.#isEnding) {
			return;
		}
		const parsed = this.#settings.topics.tryParse(message.topic);
		try {
			this.#dispatch(parsed, message);
		} catch (error) {
			this.#counts.malformed += 1;
			this.#hooks.onWarning(error);
			if (parsed?.kind === 'node-state' || parsed?.kind === 'announce') {
				this.#forget(message.topic);
			}
		}
	}

	#dispatch(parsed: Topic | undefined, { topic, payload, isRetained }: Incoming): void {
		switch (parsed?.kind) {
			case 'tracker-state':
				if (payload.length > 0) {
					this.#rivals.onState(decodeTrackerState(payload), isRetained);
				} else {
					this.#repeat();
				}
				break;
			case 'tracker-request':
				if (parsed.from !== this.#settings.id) {
					this.#serve(parsed.from, decodeTrackerRequest(payload));
				}
				break;
			case 'reply':
				this.#rivals.onReply(parsed.from, decodeReply(payload));
				break;
			case 'node-state':
				if (payload.length > 0) {
					this.#act(this.registry.nodeState(parsed.from, decodeNodeState(payload), isRetained));
				}
				break;
			case 'announce':
				if (payload.length > 0) {
					const announce = decodeAnnounce(payload);
					this.#act(this.registry.announce(parsed.seed, parsed.from, announce, isRetained));
				} else if (!this.#clearing.isOwn(topic)) {
					this.#act(this.registry.withdraw(parsed.seed, parsed.from));
				}
				break;
			default:
				this.#counts.malformed += 1;
		}
	}

	#repeat(): void {
		if (this.#link.isUp) {
			void this.#say(this.#readyState());
		}
	}

	#readyState(): TrackerState {
		const { id, limits, addressBook } = this.#settings;
		const { ttl, renewal, part } = limits;
		const { key } = addressBook.tickets;
		const { session } = this.#link;
		const about = { tracker: id, session, ttl, renewal, part: Math.min(part, MAX_RANGE), key };
		return { state: 'ready', ...about };
	}

	async #say(state: TrackerState): Promise<void> {
		try {
			await this.#link.retain(this.#settings.topics.trackerState(), encodeJson(state));
		} catch (error) {
			this.#counts.undelivered += 1;
			this.#hooks.onWarning(error);
		}
	}

	#serve(node: string, request: TrackerRequest): void {
		this.#counts.requests[request.op] += 1;
		switch (request.op) {
			case 'report':
				this.#act(this.registry.report(node, request));
				break;
			case 'state':
				this.#notify(node);
				break;
			default:
				this.#answer(node, request);
		}
	}

	#answer(node: string, request: Question): void {
		if (this.#replies.size >= MOST_REPLIES) {
			this.#counts.undelivered += 1;
			return;
		}
		const reply = this.#replyTo(node, request);
		const topic = this.#settings.topics.reply(node, this.#settings.id);
		// With QoS 0: a node that gets no reply asks again. A message with QoS 1 waits on NATS until the
		// servers have elected a leader.
		this.#replies.push(() => {
			this.#link.send(topic, encodeJson(reply));
			return this.#link.drained();
		});
	}

	#replyTo(node: string, request: Question): TrackerReply {
		const { op, id } = request;
		const { addressBook } = this.#settings;
		const time = addressBook.time();
		switch (op) {
			case 'get_seed':
				return { op, id, ...this.registry.seeds(request.after) };
			case 'query': {
				const { nodes, ...counts } = this.registry.query(request.seed, node);
				return { op, id, ...counts, nodes: withPeerRoutes(node, nodes, addressBook), time };
			}
			case 'update':
				return { op, id, ...this.registry.update(node, request), time };
		}
	}

	/** Sends the state of this tracker to a node, in case the node does not get the retained state. */
	#notify(node: string): void {
		const { topics, id } = this.#settings;
		this.#link.send(topics.trackerNotice(node, id), encodeJson(this.#readyState()));
	}

	#act(decisions: readonly Decision[]): void {
		const { topics } = this.#settings;
		for (const decision of decisions) {
			switch (decision.do) {
				case 'event':
					this.#hooks.onEvent(decision.event);
					this.#link.send(topics.event(decision.event.event), encodeJson(decision.event));
					break;
				case 'notify':
					this.#notify(decision.node);
					break;
				case 'refuse':
					this.#counts.refused[decision.why] += 1;
					break;
				case 'forget':
					this.#forget(
						decision.what === 'announce'
							? topics.announce(decision.seed, decision.node)
							: topics.nodeState(decision.node),
					);
					break;
			}
		}
	}

	#forget(topic: string): void {
		if (!this.#clearing.forget(topic)) {
			this.#counts.undelivered += 1;
		}
	}
}
