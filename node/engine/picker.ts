import { type Layout, MAX_RANGE } from '../../protocol/index.ts';
import type { ChunkRun } from './chunk-run.ts';
import type { ChunkStates } from './chunk-states.ts';
import type { CoDownloaders } from './co-downloaders.ts';
import { Demand } from './demand.ts';
import type { ChunkOrder, DownloadEngineOptions } from './engine-options.ts';
import { bytesOpen, type RemoteNode } from './remote-node.ts';

/**
 * While there are no co-downloaders, this many first chunks of a download are drawn at random, so
 * that the node soon has some to give.
 */
const RANDOM_CHUNKS = 4;
/** Most bytes of a run of chunks that co-downloaders wait for. */
const SHORT_RUN = 256 * 1024;
/** Seconds: a run that takes no longer than this does not keep co-downloaders waiting. */
const NO_TIME = 0.1;
/** Bytes of the largest share: as many as fit into one message of a direct lane. */
const MOST_SHARE = MAX_RANGE;
/**
 * A content has at least so many shares, or one for each chunk, so that each co-downloader gets about
 * the same.
 */
const LEAST_SHARES = 256;
/** Missing chunks that are compared for rarity; drawing more makes the choice little better. */
const SAMPLE = 64;

/** Chooses which missing chunks to request from a node next. */
export class ChunkPicker {
	readonly #layout: Layout;
	readonly #states: ChunkStates;
	readonly #order: ChunkOrder;
	readonly #demand: Demand;
	readonly #random: () => number;
	/** How many of the known nodes have each chunk. */
	readonly #holders: Uint16Array;
	readonly #nodes: ReadonlyMap<string, RemoteNode>;

	readonly #coDownloaders: CoDownloaders;
	/** Chunks of a share: consecutive chunks that are assigned to the same co-downloader. */
	readonly #share: number;

	/** @param nodes the nodes that the download uses as sources */
	constructor(
		{ coDownloaders, layout, order, demand = new Demand(), random }: DownloadEngineOptions,
		states: ChunkStates,
		nodes: ReadonlyMap<string, RemoteNode>,
	) {
		this.#coDownloaders = coDownloaders;
		this.#layout = layout;
		this.#states = states;
		this.#order = order;
		this.#demand = demand;
		this.#random = random;
		this.#nodes = nodes;
		this.#holders = new Uint16Array(layout.chunks);
		const share = Math.min(MOST_SHARE, layout.length / LEAST_SHARES) / layout.chunkSize;
		this.#share = 2 ** Math.max(0, Math.floor(Math.log2(share)));
	}

	/** A known node has gained (+1) or lost (-1) `chunk`. */
	count(chunk: number, change: 1 | -1): void {
		this.#holders[chunk] = (this.#holders[chunk] as number) + change;
	}

	/**
	 * The next chunks to request from `node`: one chunk, or as many consecutive chunks as fit into
	 * `bytes`. Undefined if `node` has no chunk that is missing and wanted.
	 */
	pick(node: RemoteNode, bytes: number): ChunkRun | undefined {
		if (node.useful === 0) {
			return undefined;
		}
		const needed = this.#needed(node);
		const chunk = needed ?? this.#other(node);
		if (chunk === undefined) {
			return undefined;
		}
		if (this.#isAscending) {
			return this.#runFrom(node, chunk, chunk + this.#chunksIn(bytes));
		}
		const share = this.#shareOf(chunk) * this.#share;
		// A reader does not wait for chunks before the one that it needs.
		return this.#runInShare(node, chunk, { from: needed ?? share, to: share + this.#share }, bytes);
	}

	/** How many whole chunks fit into `bytes`; at least one. */
	#chunksIn(bytes: number): number {
		return Math.max(1, Math.floor(bytes / this.#layout.chunkSize));
	}

	/** `first` and the chunks after it that `node` can be asked for, up to but not including `end`. */
	#runFrom(node: RemoteNode, first: number, end: number): ChunkRun {
		let count = 1;
		while (first + count < end && this.#isOpenTo(node, first + count)) {
			count += 1;
		}
		return { first, count };
	}

	/**
	 * A run that contains `chunk`, from `from` on and before `to`. It does not leave a share: the chunks
	 * of other shares may be assigned to co-downloaders, which request them at the same time.
	 */
	#runInShare(
		node: RemoteNode,
		chunk: number,
		{ from, to }: { from: number; to: number },
		bytes: number,
	): ChunkRun {
		// Chunks that co-downloaders wait for arrive sooner in small runs, unless even a long run takes no time.
		const soon = Math.max(SHORT_RUN, node.window.rate * NO_TIME);
		const most = this.#chunksIn(Math.min(bytes, soon));
		let first = chunk;
		while (first > from && chunk - first < most - 1 && this.#isOpenTo(node, first - 1)) {
			first -= 1;
		}
		return this.#runFrom(node, first, Math.min(first + most, to));
	}

	/** The number of the share that `chunk` belongs to. */
	#shareOf(chunk: number): number {
		return Math.floor(chunk / this.#share);
	}

	/** The rank of this node for the share that `chunk` belongs to. */
	#rankOf(chunk: number): number {
		const shares = Math.ceil(this.#layout.chunks / this.#share);
		return this.#coDownloaders.rankOf(this.#shareOf(chunk), shares);
	}

	/**
	 * Whether this node has few chunks yet. If there are no co-downloaders, these first chunks are
	 * drawn at random, so that this node soon has chunks for nodes that join later.
	 */
	get #isBeginning(): boolean {
		return this.#states.count('have') < RANDOM_CHUNKS;
	}

	/**
	 * Whether to fetch in ascending order: without co-downloaders, rarity does not matter, and no
	 * node waits for the chunks of this node. In ascending order, writes are sequential, and the
	 * digest of the whole can follow the growing file.
	 */
	get #isAscending(): boolean {
		return !this.#isBeginning && !this.#coDownloaders.areThere;
	}

	/**
	 * Whether so many bytes are open that this node need not request chunks that are assigned to
	 * co-downloaders: the co-downloaders are about to get them.
	 */
	get #isBusy(): boolean {
		return bytesOpen(this.#nodes.values()) >= SHORT_RUN * 2;
	}

	/** Whether `chunk` is in a share that is assigned to this node, so that co-downloaders wait for it. */
	isOwn(chunk: number): boolean {
		return this.#coDownloaders.areThere && this.#rankOf(chunk) === 0;
	}

	/** Whether `chunk` is to be fetched, now or later, as far as is known. */
	isWanted(chunk: number): boolean {
		return this.#order !== 'demanded' || this.#demand.has(chunk);
	}

	/** Whether every wanted chunk is here or has been requested. */
	get isAllAsked(): boolean {
		if (this.#order !== 'demanded') {
			return this.#states.count('missing') === 0;
		}
		for (const chunk of this.#demand.chunks()) {
			if (this.#states.of(chunk) === 'missing') {
				return false;
			}
		}
		return true;
	}

	#isOpenTo(node: RemoteNode, chunk: number): boolean {
		return node.have.has(chunk) && this.#states.of(chunk) === 'missing' && this.isWanted(chunk);
	}

	/** Of the missing chunks that `node` has, the one that a reader needs soonest. */
	#needed(node: RemoteNode): number | undefined {
		for (const chunk of this.#demand.chunks()) {
			if (this.#isOpenTo(node, chunk)) {
				return chunk;
			}
		}
		return undefined;
	}

	#other(node: RemoteNode): number | undefined {
		if (this.#order === 'demanded') {
			return undefined;
		}
		if (this.#isAscending) {
			return this.#lowest(node);
		}
		return this.#coDownloaders.areThere ? this.#rarest(node) : this.#drawn(node);
	}

	/** A chunk that is drawn at random. */
	#drawn(node: RemoteNode): number | undefined {
		const missing = this.#states.count('missing');
		const start = Math.floor(this.#random() * missing);
		for (let step = 0; step < missing; step += 1) {
			const chunk = this.#states.missingAt((start + step) % missing);
			if (node.have.has(chunk)) {
				return chunk;
			}
		}
		return undefined;
	}

	#lowest(node: RemoteNode): number | undefined {
		for (const chunk of this.#states.missing()) {
			if (node.have.has(chunk)) {
				return chunk;
			}
		}
		return undefined;
	}

	#rarest(node: RemoteNode): number | undefined {
		const missing = this.#states.count('missing');
		const start = Math.floor(this.#random() * missing);
		let best: number | undefined;
		let least = Number.POSITIVE_INFINITY;
		const { isDirect } = node.window;
		const isSpared = node.have.isFull && this.#isSpared(node);
		const helpers = isSpared && isDirect ? this.#helpers() : [];
		const most = Math.min(SAMPLE, node.useful);
		let compared = 0;
		// Starts at a random position. The order of the list is random enough after some changes.
		for (let step = 0; step < missing && compared < most; step += 1) {
			const chunk = this.#states.missingAt((start + step) % missing);
			if (!node.have.has(chunk)) {
				continue;
			}
			compared += 1;
			const rank = this.#rankOf(chunk);
			const holders = this.#holders[chunk] as number;
			const isLeft = isSpared && (rank > 0 || helpers.some(({ have }) => have.has(chunk)));
			const cost = isLeft ? Number.POSITIVE_INFINITY : holders + this.#costAt(node, chunk, rank);
			if (cost < least) {
				best = chunk;
				least = cost;
			}
		}
		return best;
	}

	/**
	 * Whether chunks that co-downloaders are about to get are not requested from `node`, a complete one.
	 * On direct lanes, this ends when most of the peers are complete: there is enough for everybody, and
	 * the few co-downloaders have little to pass on.
	 */
	#isSpared({ window, attempts }: RemoteNode): boolean {
		if (!window.isDirect) {
			return this.#isBusy;
		}
		return (this.#isBusy || attempts.size > 0) && !this.#areMostComplete;
	}

	/** Whether more than one of the peers that answer is complete, and most of them are. */
	get #areMostComplete(): boolean {
		let [complete, partial] = [0, 0];
		for (const { have, isSnubbed } of this.#nodes.values()) {
			complete += !isSnubbed && have.isFull ? 1 : 0;
			partial += !isSnubbed && !have.isFull ? 1 : 0;
		}
		return complete > Math.max(1, partial);
	}

	/** The partial nodes on direct lanes that answer. */
	#helpers(): RemoteNode[] {
		return [...this.#nodes.values()].filter(
			({ have, window, isSnubbed }) => !have.isFull && window.isDirect && !isSnubbed,
		);
	}

	/**
	 * Cost, below 1, of a chunk that is requested from `node`. On a direct lane to a complete node, own
	 * shares cost least, and a share for which this node has rank 1 costs less than one with rank 2, so
	 * that not all nodes help with the same chunks. Of equal rank, the next in this node's order costs
	 * least: if all nodes had the same order, the seeder of a large swarm would send the first shares
	 * again before it has sent all others once.
	 */
	#costAt({ have, window }: RemoteNode, chunk: number, rank: number): number {
		if (!have.isFull || !window.isDirect) {
			return rank === 0 ? 0 : 0.5;
		}
		const turn = (chunk / this.#layout.chunks + this.#coDownloaders.phase) % 1;
		return (rank + turn) / 4;
	}
}
