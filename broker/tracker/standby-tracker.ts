import {
	decodeReply,
	decodeTrackerState,
	encodeJson,
	formatRequestId,
	type Incoming,
	Link,
	makeRequestId,
	type TrackerState,
} from '../../protocol/index.ts';
import type { TrackerSettings } from './tracker-options.ts';

// ms to wait for the retained state. A broker sends that state right after it confirms the
// subscription, so this is ample.
const LOOK_MS = 300;
// Most ms of a random delay, so that two standby trackers do not both take over.
const JITTER_MS = 500;
// A seed id that no node has, so that the answer is small.
const NO_SEED = '0'.repeat(64);

/**
 * A tracker that stands by while another one is active. It has no will, as it publishes no state.
 * It reads the state of the active tracker. A state that is only retained may be stale, because a
 * restarted broker may have kept the state but not the will: then the standby tracker sends the
 * active tracker a request.
 */
export class StandbyTracker {
	/** Resolves when no other tracker is active. */
	readonly vacant: Promise<void>;
	readonly #settings: TrackerSettings;
	readonly #link: Link;
	#onVacant: () => void = () => {};
	#active: TrackerState | undefined;
	#timer: ReturnType<typeof setTimeout> | undefined;
	#onSeen: () => void = () => {};

	private constructor(settings: TrackerSettings, link: Link) {
		this.#settings = settings;
		this.#link = link;
		this.vacant = new Promise((resolve) => {
			this.#onVacant = resolve;
		});
		link.on('up', () => this.#takeOverIn(LOOK_MS));
		link.on('down', () => clearTimeout(this.#timer));
		link.on('message', (message) => this.#receive(message));
	}

	/**
	 * Connects and subscribes.
	 *
	 * @throws ShoalError ERR_BROKER, ERR_ID_TAKEN, ERR_REFUSED, ERR_TIMEOUT
	 */
	static async open(
		settings: TrackerSettings,
		warn: (e: unknown) => void,
	): Promise<StandbyTracker> {
		const { url, id, password, openStream, random, topics } = settings;
		const link = await Link.open({ url, id, password, openStream, random });
		const standby = new StandbyTracker(settings, link);
		link.on('warning', warn);
		try {
			await link.subscribe(topics.inboxFilter(id));
			await link.subscribe(topics.trackerState());
		} catch (error) {
			await standby.close();
			throw error;
		}
		if (standby.#active === undefined) {
			standby.#takeOverIn(LOOK_MS);
		}
		return standby;
	}

	/** Whether another tracker is active. */
	async findActive(): Promise<'taken' | 'free'> {
		if (this.#active !== undefined) {
			return 'taken';
		}
		const seen = new Promise<'taken'>((resolve) => {
			this.#onSeen = () => resolve('taken');
		});
		return await Promise.race([seen, this.vacant.then(() => 'free' as const)]);
	}

	/** Disconnects. A pending {@link findActive} ends as well. */
	async close(): Promise<void> {
		clearTimeout(this.#timer);
		this.#onSeen();
		await this.#link.close();
	}

	#receive({ topic, payload, isRetained }: Incoming): void {
		const { id, topics } = this.#settings;
		const parsed = topics.tryParse(topic);
		if (parsed?.kind === 'tracker-state' && payload.length > 0) {
			const state = decodeTrackerState(payload);
			if (state.state === 'ready' && state.tracker !== id) {
				this.#see(state, isRetained);
			} else if (state.state === 'lost' && this.#isOfActive(state)) {
				// From now on a late answer to an earlier request proves nothing.
				this.#active = undefined;
				this.#takeOverIn(isRetained ? 0 : this.#settings.random() * JITTER_MS);
			}
		}
		if (parsed?.kind === 'reply' && parsed.from === this.#active?.tracker) {
			decodeReply(payload);
			clearTimeout(this.#timer);
		}
	}

	/**
	 * Handles the state `ready` of another tracker. If the state is only retained, a request checks
	 * whether that tracker answers.
	 */
	#see(state: TrackerState, isRetained: boolean): void {
		clearTimeout(this.#timer);
		this.#active = state;
		this.#onSeen();
		if (isRetained) {
			const { id, topics, probe } = this.#settings;
			const question = { op: 'query', id: formatRequestId(makeRequestId()), seed: NO_SEED };
			this.#takeOverIn(probe);
			// A request that is not delivered counts as not answered.
			this.#link.publish(topics.trackerRequest(id), encodeJson(question)).catch(() => {});
		}
	}

	/**
	 * Whether a `lost` is of the active tracker's session, or no active tracker is known. A `lost` of
	 * another session is a late will.
	 */
	#isOfActive({ session }: TrackerState): boolean {
		return this.#active === undefined || this.#active.session === session;
	}

	#takeOverIn(ms: number): void {
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => this.#onVacant(), ms);
	}
}
