import { createNanoEvents, type Unsubscribe } from 'nanoevents';
import { printableUrl, startingAt } from '../../protocol/index.ts';
import { ActiveTracker } from './active-tracker.ts';
import { StandbyTracker } from './standby-tracker.ts';
import {
	resolveTracker,
	type TrackerCounts,
	type TrackerEvents,
	type TrackerOptions,
	type TrackerSettings,
	zeroCounts,
} from './tracker-options.ts';

/** Counters and gauges of a tracker. */
export interface TrackerStats extends TrackerCounts {
	/** Nodes that the tracker knows. */
	readonly nodes: number;
	/** Seeds that some node has. */
	readonly seeds: number;
	/** Announces that are valid. */
	readonly announces: number;
}

type Role = ActiveTracker | StandbyTracker | undefined;

const RETRY_MS = 1_000;
// ms. Commands that are interrupted end within two seconds.
const CLOSE_WITHIN = 1_200;

/**
 * The tracker: an MQTT client that knows which node has which seed. It works the same on every
 * broker. Of several trackers on one broker, one is ready and the others stand by; when the ready
 * one is lost, another takes over.
 */
export class Tracker {
	/** MQTT client id. */
	readonly id: string;
	#settings: TrackerSettings;
	readonly #events = createNanoEvents<TrackerEvents>();
	readonly #counts = zeroCounts();
	#role: Role;
	/** Resolves after the last change of role; the changes run one after the other. */
	#change: Promise<void> = Promise.resolve();
	#retry: ReturnType<typeof setTimeout> | undefined;
	#isClosed = false;

	private constructor(settings: TrackerSettings) {
		this.id = settings.id;
		this.#settings = settings;
	}

	/**
	 * Connects; resolves when the tracker is ready, or stands by because another one is active.
	 *
	 * @throws ShoalError ERR_BROKER, ERR_ID_TAKEN, ERR_REFUSED, ERR_TIMEOUT, ERR_ID, ERR_TOPIC,
	 *   ERR_USAGE, ERR_LINK
	 */
	static async start(options: TrackerOptions): Promise<Tracker> {
		const tracker = new Tracker(resolveTracker(options));
		await (tracker.#settings.isAlone ? tracker.#activate() : tracker.#standBy());
		return tracker;
	}

	/**
	 * URL of the broker that is used or tried now, without user name, password and query; the last
	 * one while the tracker changes its role.
	 */
	get broker(): string {
		return this.#role?.broker ?? printableUrl(this.#settings.brokers.url);
	}

	/** Whether it is the active tracker. */
	get isActive(): boolean {
		return this.#role instanceof ActiveTracker;
	}

	/** Whether it is the active tracker and connected. */
	get isReady(): boolean {
		return this.#role instanceof ActiveTracker && this.#role.isUp;
	}

	/** Calls `handler` at each `event`. @returns a function that removes the handler */
	on<E extends keyof TrackerEvents>(event: E, handler: TrackerEvents[E]): Unsubscribe {
		return this.#events.on(event, handler);
	}

	/** Counters and gauges, as they are now. */
	stats(): TrackerStats {
		const none = { nodes: 0, seeds: 0, announces: 0 };
		const { refused, requests, ...counts } = this.#counts;
		const size = this.#role instanceof ActiveTracker ? this.#role.registry.size : none;
		return { ...counts, requests: { ...requests }, refused: { ...refused }, ...size };
	}

	/**
	 * Publishes the state `lost` if it is active, and disconnects. No event is emitted any more. If the
	 * broker does not answer, this resolves after 1.2 s; a connection that is being made then ends
	 * later.
	 */
	async close(): Promise<void> {
		this.#isClosed = true;
		this.#events.events = {};
		const timeout = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_WITHIN).unref());
		await Promise.race([this.#end(), timeout]);
	}

	async #end(): Promise<void> {
		if (this.#role instanceof StandbyTracker) {
			// The standby tracker is closed first, as a change of role may wait for its `findActive`.
			await this.#role.close();
		}
		await this.#change;
		clearTimeout(this.#retry);
		await this.#leave(true);
	}

	async #standBy(): Promise<void> {
		const warn = (error: unknown) => this.#events.emit('warning', error);
		const standby = await StandbyTracker.open(this.#settings, warn);
		this.#role = standby;
		if ((await standby.findActive()) === 'free') {
			await this.#activate();
			return;
		}
		this.#events.emit('standby');
		void standby.vacant.then(() => this.#become(standby, () => this.#activate()));
	}

	async #activate(): Promise<void> {
		await this.#leave(false);
		this.#role = await ActiveTracker.open(this.#settings, this.#counts, {
			onReady: (session) => this.#events.emit('ready', session),
			onDown: (reason) => this.#events.emit('down', reason),
			onEvent: (event) => this.#events.emit('event', event),
			onWarning: (error) => this.#events.emit('warning', error),
			onRival: () => this.#become(this.#role, () => this.#yield()),
		});
	}

	async #yield(): Promise<void> {
		await this.#leave(false);
		await this.#standBy();
	}

	async #leave(isEnd: boolean): Promise<void> {
		const role = this.#role;
		this.#role = undefined;
		if (role !== undefined) {
			// The next role tries this broker first: others of the list may be down.
			const brokers = startingAt(this.#settings.brokers, role.broker);
			this.#settings = { ...this.#settings, brokers };
		}
		await (role instanceof ActiveTracker ? role.close(isEnd) : role?.close());
	}

	/**
	 * Changes the role with `step`, unless the role is no longer `from` by then. If `step` fails, a
	 * warning is emitted, and the tracker tries to stand by after a second.
	 */
	#become(from: Role, step: () => Promise<void>): void {
		this.#change = this.#change.then(async () => {
			if (this.#isClosed || this.#role !== from) {
				return;
			}
			try {
				await step();
			} catch (error) {
				this.#events.emit('warning', error);
				await this.#leave(false);
				this.#retry = setTimeout(() => this.#become(undefined, () => this.#standBy()), RETRY_MS);
			}
		});
	}
}
