import { stringToUint8Array, uint8ArrayToHex } from 'uint8array-extras';
import {
	type Announce,
	digestOf,
	encodeJson,
	type Limits,
	type Link,
	type NodeState,
	type Topics,
} from '../../protocol/index.ts';
import type { Traffic } from '../stats/traffic.ts';
import type { ContentStore, StoredContent } from '../storage/content-store.ts';
import { later } from '../util/timers.ts';
import type { TrackerClient } from './tracker-client.ts';

/** Options of an {@link Announcer}. */
export interface AnnouncerOptions {
	readonly link: Link;
	readonly topics: Topics;
	readonly limits: Limits;
	readonly contents: ContentStore;
	readonly tracker: TrackerClient;
	readonly traffic: Traffic;
	readonly warn: (error: unknown) => void;
	/** The name of the node for people. */
	readonly name?: string | undefined;
	/** Where other nodes can reach this one directly, as broker URLs. */
	readonly addresses: () => Pick<NodeState, 'addresses' | 'cert'>;
	/**
	 * Called with seeds whose announces the tracker refuses after it had accepted them, or after
	 * the callers of `confirm` have stopped waiting for its answer.
	 */
	readonly refused: (seeds: readonly string[]) => void;
}

/** The result of an `update`. */
interface Updated {
	/** Seeds that are refused now, and were not refused before. */
	readonly refused: readonly string[];
	/**
	 * False if all contents had to be announced again: whether the tracker accepts them is not known
	 * yet.
	 */
	readonly isSettled: boolean;
}

/** Minimum ms between two announces of a content that grows, and between two states. */
const ANNOUNCE_EVERY = 1_000;
const STATE_EVERY = 2_000;
/** Minimum ms between two renewals, whatever the tracker demands. */
const LEAST_RENEWAL = 100;
/** Maximum number of messages that wait for the broker's confirmation at a time. */
const PUBLISHES_AT_ONCE = 32;
/** Maximum number of updates for one call of `confirm`. */
const MOST_ROUNDS = 3;
/** ms to wait for the tracker to name the seeds that it refuses. */
const CONFIRM_WITHIN = 1_000;
/**
 * ms to withdraw the announces and to publish the state `disconnected`. The end of the connection
 * may take one second more; both together take less than two seconds.
 */
const GOODBYE = 750;

/** The state a node leaves on the broker as its will. */
export function lostState(session: string): Uint8Array {
	return encodeJson({ state: 'lost', session, addresses: [], up: 0, down: 0 } satisfies NodeState);
}

/**
 * Keeps the published facts about this node up to date: its state, an announce of each content, and
 * from time to time one `update` that renews all announces. What could not be published during a
 * disconnect is published after the reconnect.
 */
export class Announcer {
	readonly #options: AnnouncerOptions;
	/** Contents whose announce has to be published (again). */
	readonly #stale = new Set<StoredContent>();
	/** Seeds that the tracker refuses to list. */
	readonly #refused = new Set<string>();
	readonly #timers = new Set<NodeJS.Timeout>();
	#announceTimer: NodeJS.Timeout | undefined;
	#renewal: NodeJS.Timeout | undefined;
	#lastState = '';
	/** Number of states and announces sent, in all sessions. */
	#seq = 0;
	/** The last `update`. Updates run one by one, as the tracker names each refusal only once. */
	#updating: Promise<unknown> = Promise.resolve();
	/** The next check with the tracker, shared by all calls of `confirm` until it starts. */
	#confirming: Promise<void> | undefined;
	#isClosed = false;

	constructor(options: AnnouncerOptions) {
		this.#options = options;
		options.contents.on('added', (content) => this.#touch(content, 0));
		options.contents.on('gained', (content) => {
			this.#touch(content, content.have.isFull ? 0 : ANNOUNCE_EVERY);
		});
		options.contents.on('removed', (content) => this.#withdraw(content));
		const state = setInterval(() => this.#background(this.#publishState(false)), STATE_EVERY);
		this.#timers.add(state);
	}

	/**
	 * Publishes the state and all announces, because the connection is new, or because the tracker
	 * has no record of this node.
	 */
	async join(): Promise<void> {
		this.#refused.clear();
		for (const content of this.#options.contents.all()) {
			this.#stale.add(content);
		}
		await this.#publishState(true);
		await this.#publishStale();
		this.#scheduleRenewal();
	}

	/**
	 * Publishes new announces now; resolves when the broker has confirmed them. The next join repeats
	 * the announces that failed.
	 */
	async flush(): Promise<void> {
		clearTimeout(this.#announceTimer);
		this.#announceTimer = undefined;
		try {
			await this.#publishStale();
		} catch (error) {
			this.#complain(error);
		}
	}

	/**
	 * Asks the tracker whether it lists the announced contents. If the tracker does not answer within
	 * a second, this resolves without its answer, and seeds that it refuses later are reported to
	 * `refused`.
	 *
	 * @returns the seeds that are refused, as far as is known
	 */
	async confirm(): Promise<ReadonlySet<string>> {
		this.#confirming ??= this.#confirm();
		await Promise.race([
			this.#confirming,
			new Promise<void>((resolve) => later(resolve, CONFIRM_WITHIN)),
		]);
		return this.#refused;
	}

	async #confirm(): Promise<void> {
		const end = performance.now() + CONFIRM_WITHIN;
		// Announces made at the same time are checked in one request.
		await new Promise((resolve) => setTimeout(resolve));
		this.#confirming = undefined;
		const found: string[] = [];
		try {
			let isSettled = false;
			for (let round = 0; round < MOST_ROUNDS && !isSettled; round += 1) {
				const { refused, isSettled: isDone } = await this.#update();
				found.push(...refused);
				isSettled = isDone;
			}
		} catch {
			// The next renewal asks again.
		}
		if (found.length > 0 && performance.now() >= end) {
			this.#options.refused(found);
		}
	}

	/**
	 * Sends an `update`, within a second, to a tracker that is ready and has a new session, and from
	 * then on as often as it demands.
	 */
	onTracker(): void {
		this.#scheduleRenewal();
		const timer = setTimeout(() => {
			this.#timers.delete(timer);
			this.#background(this.#renew());
		}, Math.random() * ANNOUNCE_EVERY);
		this.#timers.add(timer);
	}

	/**
	 * Withdraws all announces and publishes the state `disconnected`, without waiting for the broker
	 * to confirm anything.
	 */
	leaveNow(): void {
		this.#stop();
		const { link, topics, contents } = this.#options;
		const said = contents.all().map(({ seed }) => link.forget(topics.announce(seed.id, link.id)));
		for (const each of [...said, this.#publish('disconnected')]) {
			each.catch(() => {});
		}
	}

	/** Withdraws all announces and publishes the state `disconnected`, in less than a second. */
	async leave(): Promise<void> {
		this.#stop();
		const { link, topics, contents } = this.#options;
		const goodbye = async (): Promise<void> => {
			await inBatches(contents.all(), ({ seed }) => link.forget(topics.announce(seed.id, link.id)));
			await this.#publish('disconnected');
		};
		const timeout = new Promise<void>((resolve) => later(resolve, GOODBYE));
		// No caller is left to report a failure to: announces that were not withdrawn expire with their
		// ttl.
		await Promise.race([goodbye().catch(() => {}), timeout]);
	}

	#stop(): void {
		this.#isClosed = true;
		clearTimeout(this.#announceTimer);
		clearTimeout(this.#renewal);
		for (const timer of this.#timers) {
			clearTimeout(timer);
		}
	}

	#touch(content: StoredContent, delay: number): void {
		if (this.#isClosed) {
			return;
		}
		this.#stale.add(content);
		if (delay === 0) {
			clearTimeout(this.#announceTimer);
			this.#announceTimer = undefined;
		}
		this.#announceTimer ??= setTimeout(() => {
			this.#announceTimer = undefined;
			this.#background(this.#publishStale());
		}, delay);
	}

	#withdraw({ seed }: StoredContent): void {
		const { link, topics } = this.#options;
		if (!this.#isClosed) {
			this.#background(link.forget(topics.announce(seed.id, link.id)));
		}
	}

	async #publishStale(): Promise<void> {
		const { link, topics, limits, tracker, contents } = this.#options;
		const ttl = tracker.state?.ttl ?? limits.ttl;
		await inBatches([...this.#stale], async (content) => {
			// The content may have been removed while earlier announces were confirmed.
			const isHeld = contents.get(content.seed.id) === content;
			if (!this.#stale.delete(content) || !isHeld || this.#isClosed) {
				return;
			}
			const topic = topics.announce(content.seed.id, link.id);
			try {
				await link.retain(
					topic,
					encodeJson(
						announceOf(content, {
							...{ ttl, session: link.session, seq: this.#nextSeq() },
							since: contents.since(content),
						}),
					),
				);
			} catch (error) {
				this.#stale.add(content);
				throw error;
			}
			contents.announced(content);
		});
	}

	async #publishState(isDue: boolean): Promise<void> {
		const { up, down, lanes, largest } = this.#options.traffic;
		const state = JSON.stringify([up.rate, down.rate, lanes, largest]);
		if (isDue || state !== this.#lastState) {
			this.#lastState = state;
			await this.#publish('ready');
		}
	}

	async #publish(state: NodeState['state']): Promise<void> {
		const { link, topics, traffic, addresses, name } = this.#options;
		const message: NodeState = {
			state,
			session: link.session,
			seq: this.#nextSeq(),
			name,
			...addresses(),
			up: traffic.up.rate,
			down: traffic.down.rate,
			lanes: traffic.lanes,
			sources: traffic.largest,
		};
		await link.retain(topics.nodeState(link.id), encodeJson(message));
	}

	#nextSeq(): number {
		this.#seq += 1;
		return this.#seq;
	}

	#scheduleRenewal(): void {
		const { tracker, limits } = this.#options;
		const every = Math.max(tracker.state?.renewal ?? limits.renewal, LEAST_RENEWAL);
		clearTimeout(this.#renewal);
		if (this.#isClosed) {
			return;
		}
		this.#renewal = later(
			() => {
				this.#background(this.#renew());
				this.#scheduleRenewal();
			},
			every * (0.8 + Math.random() * 0.4),
		);
	}

	/** Renews every announce, and reports the announces that the tracker refuses. */
	async #renew(): Promise<void> {
		const { refused } = await this.#update();
		if (refused.length > 0) {
			this.#options.refused(refused);
		}
	}

	/**
	 * Sends an `update` after the earlier ones are answered. The tracker renews every announce, or
	 * replies `again`. Then every announce is published again, unless refused seeds explain the
	 * reply.
	 */
	#update(): Promise<Updated> {
		const update = this.#updating.then(() => this.#updateNow());
		this.#updating = update.catch(() => {});
		return update;
	}

	async #updateNow(): Promise<Updated> {
		const { link, contents, tracker } = this.#options;
		if (!link.isUp || tracker.state === undefined) {
			return { refused: [], isSettled: true };
		}
		const listed = contents.all().filter(({ seed }) => !this.#refused.has(seed.id));
		const ids = listed.map(({ seed }) => `${seed.id}\n`).sort();
		const digest = uint8ArrayToHex(digestOf('sha256', stringToUint8Array(ids.join(''))));
		const request = { session: link.session, count: ids.length, digest };
		const { status, refused } = await tracker.ask('update', request);
		const news = refused.filter((seed) => !this.#refused.has(seed));
		for (const seed of refused) {
			this.#refused.add(seed);
		}
		if (status !== 'again') {
			return { refused: news, isSettled: true };
		}
		// Perhaps the digest differs only because it contained the seeds that the tracker has just
		// refused. So a second update is sent without these seeds. If the tracker replies `again` to
		// that update too, everything is announced again.
		if (news.length > 0) {
			const { refused: others, isSettled } = await this.#updateNow();
			return { refused: [...news, ...others], isSettled };
		}
		await this.join();
		return { refused: [], isSettled: false };
	}

	/**
	 * Runs `work` without waiting for it. If it fails because the connection is lost, the next join
	 * repeats it.
	 */
	#background(work: Promise<void>): void {
		work.catch((error: unknown) => this.#complain(error));
	}

	#complain(error: unknown): void {
		if (!this.#isClosed && this.#options.link.isUp) {
			this.#options.warn(error);
		}
	}
}

function announceOf(
	{ seed, have, folder }: StoredContent,
	about: Pick<Announce, 'ttl' | 'session' | 'seq' | 'since'>,
): Announce {
	const { name, length, chunks, index } = seed;
	const what = { name, length, chunks, index, files: folder?.files };
	return { ...what, have: { count: have.count, map: have.toBuckets() }, ...about };
}

/**
 * Does `work` for all items, at most {@link PUBLISHES_AT_ONCE} at a time: each waits for the
 * confirmation of the broker.
 */
async function inBatches<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
	for (let start = 0; start < items.length; start += PUBLISHES_AT_ONCE) {
		await Promise.all(items.slice(start, start + PUBLISHES_AT_ONCE).map(work));
	}
}
