import { ed25519 } from '@noble/curves/ed25519.js';
import type { Receipt, Verify } from '../../../protocol/index.ts';
import { ChannelSession } from '../../channel/channel-session.ts';
import { expiryOf } from '../../channel/expiry.ts';
import type {
	ChannelRow,
	DocumentFacts,
	FleetCounts,
	FleetQuery,
	FleetSnapshot,
	FollowerCell,
	RefusalRow,
} from '../channel-messages.ts';
import { cellOf, countsOf, groupsOf, sortCells } from './fleet-cells.ts';
import { reasonOf } from './reason.ts';
import type { SwarmMonitor } from './swarm-monitor.ts';
import type { WebLink } from './web-link.ts';

/** ms without a message after which the retained messages have arrived, and the most to wait. */
const QUIET = 500;
const MOST_WAIT = 5_000;
/** ms between two tries to subscribe. */
const TRY_EVERY = 2_000;
/** ms after a reconnect in which the receipts arrive again. */
const RETURN_WITHIN = 1_500;
/** The followers are listed again after this many times the duration of the last listing. */
const PAUSE = 10;
const NO_COUNTS: FleetCounts = { all: 0, current: 0, fetching: 0, waiting: 0, failed: 0, kept: 0 };

// RFC 8032, as Node.js verifies.
const verify: Verify = (key, signature, text) => {
	try {
		return ed25519.verify(signature, text, key, { zip215: false });
	} catch {
		return false;
	}
};

/** One channel that a page watches: its newest document, and its followers. */
export class WatchedChannel {
	readonly #id: string;
	readonly #link: WebLink;
	readonly #swarm: SwarmMonitor;
	readonly #clockAhead: () => number | undefined;
	readonly #removers: Array<() => void> = [];
	#session: ChannelSession | undefined;
	#problem: string | undefined;
	#isOpening = true;
	#isClosed = false;
	#hasTwins = false;
	readonly #refusals = new Map<RefusalRow['reason'], RefusalRow>();
	/** The followers, sorted, and their number in each state and in each group. */
	#cells: readonly FollowerCell[] = [];
	#counts = NO_COUNTS;
	#groups: FleetSnapshot['groups'] = [];
	/** The cells by their receipts, judged by the document `#judgedBy`. */
	#known = new WeakMap<Receipt, FollowerCell>();
	#judgedBy: unknown;
	/** `performance.now()` from which on the followers may be listed again. */
	#listAt = 0;

	/**
	 * @param id channel id
	 * @param clockAhead as in {@link PageChannels}
	 */
	constructor(
		id: string,
		link: WebLink,
		swarm: SwarmMonitor,
		clockAhead: () => number | undefined,
	) {
		this.#id = id;
		this.#link = link;
		this.#swarm = swarm;
		this.#clockAhead = clockAhead;
		this.#removers.push(
			// Meanwhile the followers are shown as they were.
			link.on('down', () => {
				this.#listAt = Number.POSITIVE_INFINITY;
			}),
			link.on('up', () => {
				this.#listAt = performance.now() + RETURN_WITHIN;
			}),
		);
		void this.#open();
	}

	/** Stops watching. */
	async close(): Promise<void> {
		this.#isClosed = true;
		for (const remove of this.#removers) {
			remove();
		}
		await this.#session?.close();
	}

	/** The facts of the channel. */
	row(): ChannelRow {
		this.#list();
		return {
			id: this.#id,
			problem: this.#problem,
			isOpening: this.#isOpening,
			document: this.#facts(),
			refusals: [...this.#refusals.values()],
			hasTwins: this.#hasTwins,
			counts: this.#counts,
		};
	}

	/** The visible followers. */
	fleet({ group, first, count, selected }: FleetQuery): FleetSnapshot {
		this.#list();
		const cells =
			group === '' ? this.#cells : this.#cells.filter(({ groups }) => groups.includes(group));
		return {
			channel: this.#id,
			groups: this.#groups,
			total: cells.length,
			first,
			cells: cells.slice(first, first + count),
			selected:
				selected === undefined ? undefined : this.#cells.find(({ node }) => node === selected),
		};
	}

	/** Subscribes, and tries again until it succeeds. */
	async #open(): Promise<void> {
		while (!this.#isClosed && this.#session === undefined) {
			try {
				await this.#subscribe();
				this.#problem = undefined;
			} catch (error) {
				// Also if the broker refuses it: that may be because of too many subscriptions in a short time.
				this.#problem = reasonOf(error);
				await new Promise((resolve) => setTimeout(resolve, TRY_EVERY));
			}
		}
		await this.#session?.settled(undefined, { quiet: QUIET, most: MOST_WAIT });
		this.#isOpening = false;
	}

	async #subscribe(): Promise<void> {
		const session = await ChannelSession.open({
			...{ link: this.#link, topics: this.#swarm.topics, channel: this.#id, verify },
			...{ isKeeper: false, withReceipts: true, warn: () => {} },
			handlers: {
				refused: ({ reason, from }) => {
					const count = (this.#refusals.get(reason)?.count ?? 0) + 1;
					const name = this.#swarm.view.nameOf(from);
					this.#refusals.set(reason, { reason, count, from, name });
				},
				twin: () => {
					this.#hasTwins = true;
				},
			},
		});
		this.#session = session;
		if (this.#isClosed) {
			await session.close();
		}
	}

	#facts(): DocumentFacts | undefined {
		const newest = this.#session?.newest;
		if (newest === undefined) {
			return undefined;
		}
		const { name, block, seq, published, until, seed, to, others } = newest;
		const own = Date.now();
		const ahead = this.#clockAhead();
		const tracker = ahead === undefined ? undefined : own + ahead;
		const expiry = expiryOf(newest, { own, tracker, least: published });
		const content = seed === undefined ? undefined : this.#swarm.contentOf(seed);
		return { name, block, seq, published, until, expiry, seed, to, others, content };
	}

	/** Lists the followers again, if it is time. */
	#list(): void {
		const start = performance.now();
		if (this.#session === undefined || start < this.#listAt) {
			return;
		}
		const { fleet, newest } = this.#session;
		if (this.#judgedBy !== newest) {
			this.#judgedBy = newest;
			this.#known = new WeakMap();
		}
		const { nodes } = this.#swarm.view;
		const cells: FollowerCell[] = [];
		for (const [node, receipt] of fleet.receipts) {
			const isOn = nodes.has(node);
			let cell = this.#known.get(receipt);
			if (cell?.isOn !== isOn) {
				cell = cellOf(node, receipt, newest, isOn);
				this.#known.set(receipt, cell);
			}
			cells.push(cell as FollowerCell);
		}
		this.#cells = sortCells(cells);
		this.#counts = countsOf(cells);
		this.#groups = groupsOf(cells);
		const end = performance.now();
		this.#listAt = end + PAUSE * (end - start);
	}
}
