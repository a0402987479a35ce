import { decodeReply, decodeTrackerState, type Incoming, Link } from '../../protocol/index.ts';
import { Questions } from './questions.ts';
import type { TrackerSettings } from './tracker-options.ts';

// ms within which another tracker has to answer if none is known to be active: a broker sends the
// retained state right after it confirms the subscription, and a tracker replies as quickly. In a
// cluster, the other servers may learn of the subscription a moment later.
const LOOK_MS = 500;
// Most ms of a random delay, so that two standby trackers do not both take over.
const JITTER_MS = 500;
// Number of requests to the active tracker within the time in which it has to answer one of them.
// So one lost message does not cause a take-over.
const ASKED = 3;

/**
 * A tracker that stands by while another one is active. It has no will, as it publishes no state.
 * It asks the active tracker for signs of life all the time, and takes over if there is none for
 * {@link TrackerSettings.probe} ms. The states that trackers publish only make that quicker, because
 * neither retained messages nor wills are certain: a restarted broker may have kept the state of a
 * tracker that is gone, and the will of a tracker dies with the server that held its connection.
 */
export class StandbyTracker {
	/** Resolves when no other tracker is active. */
	readonly vacant: Promise<void>;
	readonly #settings: TrackerSettings;
	readonly #link: Link;
	#onVacant: () => void = () => {};
	/** Whether another tracker was active, as far as is known. */
	#isTaken = false;
	readonly #questions: Questions;
	#deadline: ReturnType<typeof setTimeout> | undefined;
	readonly #asking: ReturnType<typeof setInterval>;
	#onSeen: () => void = () => {};

	private constructor(settings: TrackerSettings, link: Link) {
		this.#settings = settings;
		this.#link = link;
		this.#questions = new Questions(link, settings.topics);
		this.vacant = new Promise((resolve) => {
			this.#onVacant = resolve;
		});
		link.on('up', () => this.#expect(settings.probe));
		link.on('down', () => clearTimeout(this.#deadline));
		link.on('message', (message) => this.#receive(message));
		this.#asking = setInterval(() => this.#questions.ask(), settings.probe / ASKED);
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
		const { brokers, id, random, topics } = settings;
		const link = await Link.open({ ...brokers, id, random });
		const standby = new StandbyTracker(settings, link);
		link.on('warning', warn);
		try {
			await link.subscribe(topics.inboxFilter(id));
			await link.subscribe(topics.trackerState());
		} catch (error) {
			await standby.close();
			throw error;
		}
		if (!standby.#isTaken) {
			standby.#expect(LOOK_MS);
		}
		return standby;
	}

	/** URL of the broker that is used or tried now. */
	get broker(): string {
		return this.#link.url;
	}

	/** Whether another tracker is active. */
	async findActive(): Promise<'taken' | 'free'> {
		if (this.#isTaken) {
			return 'taken';
		}
		const seen = new Promise<'taken'>((resolve) => {
			this.#onSeen = () => resolve('taken');
		});
		return await Promise.race([seen, this.vacant.then(() => 'free' as const)]);
	}

	/** Disconnects. A pending {@link findActive} ends as well. */
	async close(): Promise<void> {
		clearTimeout(this.#deadline);
		clearInterval(this.#asking);
		this.#onSeen();
		await this.#link.close();
	}

	#receive({ topic, payload, isRetained }: Incoming): void {
		const { id, topics, probe, random } = this.#settings;
		const parsed = topics.tryParse(topic);
		if (parsed?.kind === 'reply') {
			if (this.#questions.isAnswer(decodeReply(payload))) {
				this.#see();
				this.#expect(probe, false);
			}
		}
		if (parsed?.kind !== 'tracker-state' || payload.length === 0) {
			return;
		}
		const { state, tracker } = decodeTrackerState(payload);
		if (state === 'ready' && tracker !== id) {
			this.#see();
			this.#expect(probe, isRetained);
		} else if (state === 'lost') {
			// Perhaps it is a late will, of a tracker that is active again or was replaced: then a tracker
			// replies. A reply to an earlier request proves nothing any more.
			this.#questions.clear();
			this.#expect(LOOK_MS + (isRetained ? 0 : random() * JITTER_MS));
		}
	}

	/** Another tracker is active. */
	#see(): void {
		this.#isTaken = true;
		this.#onSeen();
	}

	/** Takes over in `ms`, unless there is a sign of life before. @param isAsked whether to ask for one now */
	#expect(ms: number, isAsked = true): void {
		clearTimeout(this.#deadline);
		this.#deadline = setTimeout(() => this.#onVacant(), ms);
		if (isAsked) {
			this.#questions.ask();
		}
	}
}
