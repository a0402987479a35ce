import { publishPacket } from '../../helpers/adversaries/raw-client.ts';
import { Timeline } from '../../helpers/simulation/timeline.ts';
import type { TrackerHost } from './tracker-host.ts';

/** ms that a message takes from a client to the broker, or from the broker to a client. */
export const LATENCY = 2;
/** Virtual ms between two looks of the tracker at its timers. */
const TICK = 500;
/** The largest number of messages that the tracker gets in one turn of its event loop. */
const AT_ONCE = 64;
/** Number of delivered messages after which these are removed from the queue. */
const MOST_TAKEN = 100_000;

/** Kinds of messages to the tracker. */
export type Kind = 'state' | 'announce' | 'update' | 'query';

/** Figures of a span of virtual time. */
export interface Span {
	/** Virtual ms. */
	readonly ms: number;
	/** Messages to the tracker, and messages from it. */
	readonly received: number;
	readonly sent: number;
	/** Messages to the tracker in the busiest second. */
	readonly peak: number;
	/** CPU ms of the tracker, all threads. */
	readonly cpu: number;
	/** The longest turn of its event loop, ms. */
	readonly pause: number;
	/** The largest number of messages that waited for the tracker. */
	readonly backlog: number;
	/** Messages that were dropped, because too many waited. */
	readonly dropped: number;
}

/**
 * A broker in virtual time, which is as fast as needed, and a tracker that needs as much virtual
 * time for each message as its process needs CPU time.
 */
export class VirtualBroker {
	readonly time = new Timeline();
	tracker: TrackerHost | undefined;
	/** Messages for the tracker; those before `#taken` were delivered. */
	#waiting: Buffer[] = [];
	#taken = 0;
	readonly #most: number;
	#freeAt = 0;
	#span = emptySpan(0);

	/** @param most messages that wait for the tracker; more are dropped */
	constructor(most: number) {
		this.#most = most;
		const tick = (): void => this.time.after(TICK, tick);
		tick();
	}

	/** Messages that wait for the tracker. */
	get backlog(): number {
		return this.#waiting.length - this.#taken;
	}

	/**
	 * A message of a client to the tracker, which has subscribed with QoS 0; it is lost if there is no
	 * tracker.
	 */
	send(topic: string, payload: Uint8Array): void {
		this.time.after(2 * LATENCY, () => {
			if (this.tracker !== undefined && this.backlog >= this.#most) {
				this.#span.dropped += 1;
			} else if (this.tracker !== undefined) {
				this.#waiting.push(publishPacket(topic, payload));
				this.#span.backlog = Math.max(this.#span.backlog, this.backlog);
				const second = Math.floor(this.time.now / 1_000);
				const { seconds } = this.#span;
				seconds.set(second, (seconds.get(second) ?? 0) + 1);
			}
		});
	}

	/** Runs until the virtual time `until`, or until `isOver` holds. */
	async run(until: number, isOver: () => boolean = () => false): Promise<void> {
		let turnedAt = this.time.now;
		while (this.time.now < until && !isOver()) {
			const { tracker } = this;
			const isDue = this.backlog > 0 || tracker?.hasAnswers || this.time.now - turnedAt >= TICK;
			if (tracker !== undefined && isDue && this.time.now >= this.#freeAt) {
				turnedAt = this.time.now;
				await this.#turn(tracker);
			} else {
				this.time.step();
			}
		}
	}

	/** The tracker dies: what waits for it is lost. */
	async loseTracker(): Promise<void> {
		const { tracker } = this;
		this.tracker = undefined;
		this.#waiting = [];
		this.#taken = 0;
		this.#freeAt = 0;
		await tracker?.close();
	}

	/** The figures since the last call. */
	takeSpan(): Span {
		const { startedAt, seconds, published, ...sums } = this.#span;
		const counts = [...seconds.values()];
		const now = this.tracker?.published ?? 0;
		this.#span = emptySpan(this.time.now);
		this.#span.published = now;
		return {
			...sums,
			ms: this.time.now - startedAt,
			received: counts.reduce((sum, count) => sum + count, 0),
			peak: counts.reduce((most, count) => Math.max(most, count), 0),
			sent: Math.max(0, now - published),
		};
	}

	async #turn(tracker: TrackerHost): Promise<void> {
		const packets = Buffer.concat(this.#waiting.slice(this.#taken, this.#taken + AT_ONCE));
		this.#taken = Math.min(this.#waiting.length, this.#taken + AT_ONCE);
		if (this.#taken === this.#waiting.length || this.#taken > MOST_TAKEN) {
			this.#waiting = this.#waiting.slice(this.#taken);
			this.#taken = 0;
		}
		const { cpu, pause } = await tracker.step(this.time.now, packets);
		this.#freeAt = this.time.now + cpu;
		this.#span.cpu += cpu;
		this.#span.pause = Math.max(this.#span.pause, pause);
	}
}

function emptySpan(startedAt: number) {
	const seconds = new Map<number, number>();
	return { startedAt, seconds, published: 0, cpu: 0, pause: 0, backlog: 0, dropped: 0 };
}
