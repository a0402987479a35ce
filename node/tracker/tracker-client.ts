import {
	decodeTrackerState,
	encodeJson,
	formatRequestId,
	isOlderSession,
	type Link,
	makeRequestId,
	PORTABLE_PART,
	parseSeedId,
	type Report,
	type SeedListing,
	ShoalError,
	type Topics,
	type TrackerReply,
	type TrackerRequest,
	type TrackerState,
} from '../../protocol/index.ts';
import { isDueAt } from '../util/seldom.ts';
import { later } from '../util/timers.ts';

type Op = TrackerReply['op'];
type ReplyTo<O extends Op> = Extract<TrackerReply, { op: O }>;
type RequestOf<O extends Op> = Omit<Extract<TrackerRequest, { op: O }>, 'op' | 'id'>;
type ReadyState = Extract<TrackerState, { state: 'ready' }>;

interface Pending {
	readonly op: Op;
	readonly settle: (reply: TrackerReply | ShoalError) => void;
}

const REPLY_TIMEOUT = 5_000;
// ms after which a request is sent again: it or its reply may be lost, or another tracker has taken
// over. All requests can be repeated.
const ASK_AGAIN = [1_500, 3_000];
// Most seconds between two searches for a tracker.
const MOST_BETWEEN = 32;

/** A node's view of the tracker, and the requests that the node sends to it. */
export class TrackerClient {
	readonly #link: Link;
	readonly #topics: Topics;
	readonly #mostSeeds: number;
	readonly #pending = new Map<string, Pending>();
	readonly #waiting = new Set<() => void>();
	#state: ReadyState | undefined;
	#part = PORTABLE_PART;
	/** Number of looks in which no tracker was known. */
	#looks = 0;
	/** Time of the tracker when this process's monotonic clock, which no user can set, was at 0. */
	#timeAtZero: number | undefined;

	/** @param mostSeeds maximum number of seeds that a tracker may list */
	constructor(link: Link, topics: Topics, mostSeeds: number) {
		this.#link = link;
		this.#topics = topics;
		this.#mostSeeds = mostSeeds;
	}

	/** The last state of the tracker; undefined while no tracker is ready. */
	get state(): ReadyState | undefined {
		return this.#state;
	}

	/**
	 * Bytes of the largest part that the broker carries, as the last tracker has said. The broker
	 * disconnects a node that sends a larger one.
	 */
	get part(): number {
		return this.#part;
	}

	/**
	 * Handles the message that a tracker is ready or lost. A `lost` message that is not of the
	 * current session is late, and is ignored; so is a `ready` of an earlier session of the tracker.
	 *
	 * @returns whether a tracker with a new session is ready
	 * @throws ShoalError ERR_MESSAGE
	 */
	onState(payload: Uint8Array): boolean {
		if (payload.length === 0) {
			return false;
		}
		const state = decodeTrackerState(payload);
		const current = this.#state;
		const isNew = state.session !== current?.session;
		const isLate =
			state.tracker === current?.tracker && isOlderSession(state.session, current.session);
		if (state.state === 'ready' && !isLate) {
			this.#state = state;
			this.#part = state.part;
			for (const wake of this.#waiting) {
				wake();
			}
			return isNew;
		}
		if (!isNew) {
			this.#state = undefined;
		}
		return false;
	}

	/**
	 * ms since 1970 by the clock of the tracker; by the clock of this machine until the tracker has
	 * sent its time.
	 */
	get time(): number {
		return this.clock ?? Date.now();
	}

	/** ms since 1970 by the clock of the tracker; undefined until the tracker has sent its time. */
	get clock(): number | undefined {
		return this.#timeAtZero === undefined ? undefined : this.#timeAtZero + performance.now();
	}

	/**
	 * Handles a reply of the tracker. A reply is ignored if its request is not open, or if it comes
	 * from a client that is not the tracker.
	 */
	onReply(from: string, reply: TrackerReply): void {
		const pending = this.#pending.get(reply.id);
		if (from === this.#state?.tracker && pending?.op === reply.op) {
			if ('time' in reply && reply.time !== undefined) {
				this.#timeAtZero = reply.time - performance.now();
			}
			pending.settle(reply);
		}
	}

	/** Waits until a tracker is ready, for `ms` at most. @returns whether a tracker is ready */
	async ready(ms: number): Promise<boolean> {
		if (this.#state === undefined) {
			await new Promise<void>((resolve) => {
				const timer = setTimeout(() => finish(), ms);
				const finish = (): void => {
					clearTimeout(timer);
					this.#waiting.delete(finish);
					resolve();
				};
				this.#waiting.add(finish);
			});
		}
		return this.#state !== undefined;
	}

	/**
	 * Sends a request to the tracker, and waits for the reply.
	 *
	 * @throws ShoalError ERR_NO_TRACKER, ERR_TIMEOUT, ERR_DISCONNECTED
	 */
	async ask<O extends Op>(op: O, request: RequestOf<O>): Promise<ReplyTo<O>> {
		if (this.#state === undefined) {
			throw new ShoalError(
				'ERR_NO_TRACKER',
				`there is no tracker on the broker at ${this.#link.url}; start one there: shoal tracker`,
			);
		}
		if (!this.#link.isUp) {
			throw new ShoalError('ERR_DISCONNECTED', `not connected to the broker at ${this.#link.url}`);
		}
		const id = formatRequestId(makeRequestId());
		const send = (): void => this.#request({ op, id, ...request } as TrackerRequest);
		const again = ASK_AGAIN.map((ms) =>
			later(() => {
				this.#search();
				send();
			}, ms),
		);
		const reply = new Promise<TrackerReply>((resolve, reject) => {
			const timer = setTimeout(() => {
				settle(new ShoalError('ERR_TIMEOUT', `the tracker has not answered ${op}; is it busy?`));
			}, REPLY_TIMEOUT);
			const settle = (outcome: TrackerReply | ShoalError): void => {
				for (const each of [timer, ...again]) {
					clearTimeout(each);
				}
				this.#pending.delete(id);
				outcome instanceof ShoalError ? reject(outcome) : resolve(outcome);
			};
			this.#pending.set(id, { op, settle });
		});
		send();
		return (await reply) as ReplyTo<O>;
	}

	/**
	 * Reports another node to the tracker, which publishes the report to watchers. There is no reply,
	 * and errors are ignored.
	 */
	report(report: Omit<Report, 'op' | 'id'>): void {
		if (this.#state !== undefined) {
			const id = formatRequestId(makeRequestId());
			this.#request({ op: 'report', id, ...report });
		}
	}

	/**
	 * Searches for a tracker if none is known, less and less often; to be called every second. Usually
	 * no search is needed: the broker has retained the state of the tracker, or the tracker has sent
	 * its state when it saw this node.
	 */
	look(): void {
		this.#looks = this.#state === undefined && this.#link.isUp ? this.#looks + 1 : 0;
		if (isDueAt(this.#looks, MOST_BETWEEN)) {
			this.#search();
		}
	}

	/** Asks whichever tracker is active for its state. There is no error: another search follows. */
	#search(): void {
		this.#request({ op: 'state', id: formatRequestId(makeRequestId()) });
	}

	/**
	 * Every seed that the tracker lists, in the order of the ids, page after page.
	 *
	 * @param start only seeds whose ids follow this one
	 * @throws as {@link ask}, ERR_ID, and ERR_LIMIT if the list does not end
	 */
	async *seeds(start?: string): AsyncGenerator<SeedListing> {
		let after = start === undefined ? undefined : parseSeedId(String(start));
		let listed = 0;
		do {
			const page: ReplyTo<'get_seed'> = await this.ask('get_seed', { after });
			yield* page.seeds;
			listed += page.seeds.length;
			const isAhead = page.next === undefined || page.next > (after ?? '');
			if (!isAhead || listed > this.#mostSeeds) {
				throw new ShoalError(
					'ERR_LIMIT',
					`the tracker on the broker at ${this.#link.url} lists more than ${this.#mostSeeds} seeds, which is the limit, or the same seeds repeatedly: do not trust it`,
				);
			}
			after = page.next;
		} while (after !== undefined);
	}

	/**
	 * Sends a request with QoS 0, as the requests that have a reply are repeated; drops it if there is
	 * no connection.
	 */
	#request(request: TrackerRequest): void {
		this.#link.send(this.#topics.trackerRequest(this.#link.id), encodeJson(request));
	}

	/** Fails all open requests with ERR_CLOSED, and ends all waits for a tracker. */
	close(): void {
		for (const { settle } of this.#pending.values()) {
			settle(new ShoalError('ERR_CLOSED', 'the node is closed'));
		}
		for (const wake of this.#waiting) {
			wake();
		}
	}
}
