import {
	type ChunkMessage,
	checkName,
	isShoalError,
	type Seed,
	ShoalError,
} from '../../protocol/index.ts';
import type { HaveReply, PeersContext } from './peer-types.ts';
import type { Peers } from './peers.ts';
import { SeedFetcher, type SeedFetcherContext } from './seed-fetcher.ts';

/** The parts of a node that a {@link SeedFinder} uses. */
export type SeedFinderContext = SeedFetcherContext & Pick<PeersContext, 'responsiveness' | 'warn'>;

/** Options of {@link SeedFinder}. */
export interface SeedFinderOptions {
	readonly id: string;
	/** A name that takes precedence over the names that peers report. */
	readonly name?: string | undefined;
	/** The name to use if the name that a peer reports is not safe. */
	readonly fallbackName?: string | undefined;
	/** The peers that are asked. A peer that sends another seed or stops sending is removed. */
	readonly peers: Pick<Peers, 'heard' | 'remove' | 'roundTrip'>;
	readonly found: (seed: Seed) => void;
}

/** Peers asked at the start. */
const AT_ONCE = 2;
/** Bounds of the pause before another peer is asked, ms. */
const LEAST_PAUSE = 30;
const MOST_PAUSE = 1_000;
/** A peer counts as silent after this many pauses, and at least this many ms, without a byte. */
const SILENT_PAUSES = 4;
const SILENT = 250;

/**
 * Fetches the seed of an id from the first peer that sends it. Two peers are asked at once. After
 * each pause of two round trips, one more peer is asked if all peers that were asked are late.
 * Peers that failed before are asked last. So a peer that never delivers costs a pause, not a
 * timeout.
 */
export class SeedFinder {
	readonly #context: SeedFinderContext;
	readonly #options: SeedFinderOptions;
	/** Offers of peers that were not asked yet. */
	readonly #offers = new Map<string, HaveReply>();
	readonly #fetchers = new Map<string, SeedFetcher>();
	#timer: NodeJS.Timeout | undefined;
	#isOver = false;
	/** Why the last peer that was asked could not send the seed. */
	lastError: unknown;

	constructor(context: SeedFinderContext, options: SeedFinderOptions) {
		this.#context = context;
		this.#options = options;
	}

	/** A node says that it has the seed. */
	offer(node: string, reply: HaveReply): void {
		if (!this.#isOver && !this.#fetchers.has(node)) {
			this.#offers.set(node, reply);
			this.#ask();
		}
	}

	/** A node is gone, or does not send the seed now. */
	retract(node: string): void {
		this.#offers.delete(node);
		this.#fetchers
			.get(node)
			?.stop(new ShoalError('ERR_REFUSED', `node ${node} does not send the seed`));
	}

	/** Bytes of the body of a seed have arrived. */
	onBytes(from: string, message: ChunkMessage): void {
		this.#options.peers.heard(from, this.#fetchers.has(from));
		this.#fetchers.get(from)?.onBytes(from, message);
	}

	close(): void {
		this.#isOver = true;
		this.#stop();
	}

	/** Asks peers until two are asked, and starts the timer after which one more is asked. */
	#ask(): void {
		while (this.#fetchers.size < AT_ONCE && this.#askNext()) {}
		this.#timer ??= setTimeout(() => this.#look(), this.#pause);
	}

	/** ms until another peer is asked, if all peers that were asked are late. */
	get #pause(): number {
		return Math.min(Math.max(2 * this.#options.peers.roundTrip, LEAST_PAUSE), MOST_PAUSE);
	}

	#look(): void {
		this.#timer = undefined;
		const now = performance.now();
		const { responsiveness } = this.#context;
		const fetchers = [...this.#fetchers.values()];
		const long = Math.max(SILENT, SILENT_PAUSES * this.#pause);
		for (const fetcher of fetchers) {
			if (!fetcher.hasBegun && fetcher.isLate(now, long)) {
				responsiveness.failed(fetcher.from, now);
			}
		}
		if (fetchers.every((fetcher) => fetcher.isLate(now, this.#pause))) {
			this.#askNext();
		}
		if (this.#fetchers.size > 0) {
			this.#ask();
		}
	}

	/** Asks one more peer. @returns false if there is none */
	#askNext(): boolean {
		const now = performance.now();
		const nodes = [...this.#offers.keys()];
		const isSilent = (node: string): boolean => this.#context.responsiveness.isSilent(node, now);
		const node = nodes.find((each) => !isSilent(each)) ?? nodes[0];
		const reply = node === undefined ? undefined : this.#offers.get(node);
		if (this.#isOver || node === undefined || reply === undefined) {
			return false;
		}
		this.#offers.delete(node);
		void this.#fetch(node, reply);
		return true;
	}

	async #fetch(node: string, reply: HaveReply): Promise<void> {
		try {
			const name = this.#nameFor(reply);
			const fetcher = new SeedFetcher(this.#context, node, this.#options.id, reply);
			this.#fetchers.set(node, fetcher);
			const seed = await fetcher.fetch(name);
			if (!this.#isOver) {
				this.#isOver = true;
				this.#fetchers.delete(node);
				this.#context.responsiveness.delivered(node);
				this.#rememberLate();
				this.#stop();
				this.#options.found(seed);
			}
		} catch (error) {
			this.#fetchers.delete(node);
			if (!this.#isOver) {
				this.#giveUp(node, error);
			}
		}
	}

	#giveUp(node: string, error: unknown): void {
		this.lastError = error;
		this.#context.warn(error);
		if (isShoalError(error, 'ERR_TIMEOUT')) {
			this.#context.responsiveness.failed(node, performance.now());
		}
		const isLying = isShoalError(error, 'ERR_SEED') || isShoalError(error, 'ERR_NAME');
		this.#options.peers.remove(node, isLying);
		this.#ask();
	}

	/**
	 * Records the peers that are late and have sent nothing, so that they are asked last next time.
	 */
	#rememberLate(): void {
		const now = performance.now();
		for (const fetcher of this.#fetchers.values()) {
			if (!fetcher.hasBegun && fetcher.isLate(now, this.#pause)) {
				this.#context.responsiveness.failed(fetcher.from, now);
			}
		}
	}

	#stop(): void {
		clearTimeout(this.#timer);
		for (const fetcher of this.#fetchers.values()) {
			fetcher.stop(new ShoalError('ERR_CLOSED', 'the seed is not needed any more'));
		}
	}

	#nameFor({ name }: HaveReply): string {
		const given = this.#options.name;
		if (given !== undefined) {
			return given;
		}
		try {
			return checkName(name);
		} catch (error) {
			if (this.#options.fallbackName === undefined) {
				throw error;
			}
			return this.#options.fallbackName;
		}
	}
}
