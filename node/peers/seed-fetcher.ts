import {
	type ByteRange,
	bodyBytes,
	type ChunkMessage,
	checkedLayout,
	encodeJson,
	formatRequestId,
	makeRequestId,
	type NodeRequest,
	PORTABLE_PART,
	parseSeedBody,
	type Seed,
	ShoalError,
} from '../../protocol/index.ts';
import type { RateLimiter } from '../util/rate-limiter.ts';
import type { HaveReply, PeersContext } from './peer-types.ts';

/** The parts of a node that a {@link SeedFetcher} uses. */
export interface SeedFetcherContext
	extends Pick<PeersContext, 'link' | 'topics' | 'lanes' | 'limits' | 'tracker'> {
	readonly downLimiter: RateLimiter;
}

/** ms without a byte after which the fetch fails. */
const IDLE_TIMEOUT = 4_000;
/** Bytes per second. If a peer is slower over the whole fetch, the fetch fails. */
const LEAST_RATE = 2_048;
/** Bytes of the first range: small, so that the peer's rate is known early. */
const FIRST_RANGE = 16 * 1024;
/** Most ranges requested at a time. They have at most 4 MiB, as the limit `outstanding`. */
const AT_ONCE = 16;

/**
 * Fetches the body of a seed in parts from one node that says it has the seed. The length of the
 * body follows from the node's `have` reply, which is checked before the first request. The body is
 * checked when all of it is here.
 */
export class SeedFetcher {
	/** The node that is asked. */
	readonly from: string;
	readonly #context: SeedFetcherContext;
	readonly #id: string;
	readonly #body: Uint8Array;
	readonly #missing: ByteRange[] = [];
	readonly #open = new Map<number, number>();
	#request = 0n;
	#received = 0;
	/** Times of the last request and of the last bytes, ms by performance.now(). */
	#askedAt = 0;
	#heardAt = 0;
	/** Sum of the ms during which a request was open. */
	#waited = 0;
	#isOver = false;
	#timer: NodeJS.Timeout | undefined;
	#settle: (error?: ShoalError) => void = () => {};

	/**
	 * @throws ShoalError ERR_SEED if no seed can have the numbers that the reply contains
	 */
	constructor(context: SeedFetcherContext, from: string, id: string, about: HaveReply) {
		checkedLayout(about.length, about.chunks, about.index);
		this.#context = context;
		this.from = from;
		this.#id = id;
		this.#body = new Uint8Array(bodyBytes(about));
		// A peer with a thin link has to deliver a whole range within IDLE_TIMEOUT.
		const part = Math.min(context.tracker.part, about.part ?? PORTABLE_PART, PORTABLE_PART);
		for (let offset = 0; offset < this.#body.length; ) {
			const most = offset === 0 ? Math.min(part, FIRST_RANGE) : part;
			const length = Math.min(most, this.#body.length - offset);
			this.#missing.push([offset, length]);
			offset += length;
		}
	}

	/** Whether any bytes have arrived. */
	get hasBegun(): boolean {
		return this.#received > 0;
	}

	/**
	 * Whether the peer is late: nothing has arrived for more than `roundTrip` ms and, after the first
	 * bytes, for more than twice the time that the next range takes at the rate so far.
	 */
	isLate(now: number, roundTrip: number): boolean {
		if (this.#open.size === 0) {
			return false;
		}
		const rate = this.#received / Math.max(1, this.#waited);
		const [next = 0] = this.#open.values();
		const expected = this.hasBegun ? (2 * next) / rate : 0;
		return now - Math.max(this.#heardAt, this.#askedAt) > Math.max(roundTrip, expected);
	}

	/**
	 * Fetches the seed.
	 *
	 * @param name the name that the seed gets
	 * @throws ShoalError ERR_TIMEOUT if the node stops sending or is far too slow, ERR_SEED if it sent another seed,
	 *   ERR_NAME
	 */
	async fetch(name: string): Promise<Seed> {
		await new Promise<void>((resolve, reject) => {
			this.#settle = (error) => {
				clearTimeout(this.#timer);
				this.#isOver = true;
				// Bytes that arrive later are ignored.
				this.#open.clear();
				error === undefined ? resolve() : reject(error);
			};
			this.#ask();
		});
		const seed = parseSeedBody(name, this.#body);
		if (seed.id !== this.#id) {
			throw new ShoalError('ERR_SEED', `node ${this.from} sent another seed than ${this.#id}`);
		}
		return seed;
	}

	/** Bytes of the body have arrived. */
	onBytes(from: string, { request, offset, bytes }: ChunkMessage): void {
		if (
			from !== this.from ||
			request !== this.#request ||
			this.#open.get(offset) !== bytes.length
		) {
			return;
		}
		const now = performance.now();
		this.#waited += now - Math.max(this.#heardAt, this.#askedAt);
		this.#heardAt = now;
		this.#body.set(bytes, offset);
		this.#received += bytes.length;
		this.#open.delete(offset);
		if (this.#open.size === 0) {
			this.#missing.length > 0 ? this.#ask() : this.#settle();
		} else {
			this.#wait();
		}
	}

	/** Ends the fetch with `error`: the node is gone, or the seed is not needed any more. */
	stop(error: ShoalError): void {
		this.#settle(error);
	}

	#ask(): void {
		const { lanes, link, topics, downLimiter } = this.#context;
		if (downLimiter.whenFree(() => this.#isOver || this.#ask())) {
			return;
		}
		const ranges = this.#missing.splice(0, downLimiter.isLimited ? 1 : AT_ONCE);
		downLimiter.spend(ranges.reduce((sum, [, length]) => sum + length, 0));
		for (const [offset, length] of ranges) {
			this.#open.set(offset, length);
		}
		this.#request = makeRequestId();
		const id = formatRequestId(this.#request);
		const request: NodeRequest = { op: 'seed', id, seed: this.#id, ranges };
		lanes.to(this.from).send(topics.request(this.from, link.id), encodeJson(request));
		this.#askedAt = performance.now();
		this.#wait();
	}

	#wait(): void {
		clearTimeout(this.#timer);
		// The whole time is bounded too, so that a very slow peer does not hold its slot for ever.
		const left = IDLE_TIMEOUT + (this.#body.length * 1_000) / LEAST_RATE - this.#waited;
		this.#timer = setTimeout(
			() => {
				this.#settle(new ShoalError('ERR_TIMEOUT', `node ${this.from} stopped sending the seed`));
			},
			Math.min(IDLE_TIMEOUT, left),
		);
	}
}
