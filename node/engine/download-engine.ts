import type { ByteRange } from '../../protocol/index.ts';
import { Assignments, type Overheard } from './assignments.ts';
import type { Attempt } from './attempt.ts';
import { chunksIn } from './chunk-run.ts';
import { ChunkStates } from './chunk-states.ts';
import type { Decision } from './decision.ts';
import type { DownloadEngineOptions } from './engine-options.ts';
import { ChunkPicker } from './picker.ts';
import { Relief } from './relief.ts';
import { bytesOpen, type KnownOfNode, nextToAsk, RemoteNode } from './remote-node.ts';
import { FIRST_WINDOW, LEAST_PART, Window, type WindowOptions } from './window.ts';
import { worthAsking } from './worth-asking.ts';

/**
 * ms. At most the bytes that all nodes together send in this time may be open at them. This time is
 * well below the longest timeout.
 */
const MOST_QUEUE = 6_000;

interface Batch {
	readonly request: bigint;
	readonly ranges: ByteRange[];
}

/**
 * Decides which chunk to request from which node, how much at a time, and what to do when nothing
 * arrives. Pure: time (ms) is given, randomness is injected, and the engine never sees the bytes.
 * The caller calls {@link DownloadEngine.decide} after each report, and from time to time.
 *
 * Invariants: each chunk is in one state (ChunkStates). A chunk is `assigned` exactly while
 * attempts at it are open (Assignments). After a request, the bytes that are open at the node
 * exceed its window by less than one part. The bytes that are open at all nodes together exceed
 * `mostOutstanding` by less than one part; nodes on direct lanes (`WindowOptions.isDirect`) are
 * neither counted nor bounded by it.
 */
export class DownloadEngine {
	readonly states: ChunkStates;
	readonly #options: DownloadEngineOptions;
	readonly #picker: ChunkPicker;
	readonly #nodes = new Map<string, RemoteNode>();
	/** The number of bad chunks by node. A node that leaves and comes back keeps its strikes. */
	readonly #strikes = new Map<string, number>();
	/**
	 * The chunks that are being verified, with the node that sent each. Chunks with bytes that
	 * arrived by fan-out are left out.
	 */
	readonly #verifying = new Map<number, string>();
	readonly #assignments: Assignments;
	readonly #relief: Relief;
	/**
	 * Bounds the bytes that are open at all nodes together. Without this bound, if the link of this
	 * node is the bottleneck, many fast nodes would fill the link with answers that arrive too late.
	 */
	readonly #window: Window;
	#asked = 0;
	/** Whether the connection to the broker is lost: then only direct lanes are used. */
	isCutOff = false;

	constructor(options: DownloadEngineOptions) {
		const { have, mostPart, mostOutstanding } = options;
		this.#options = options;
		this.#window = new Window({ mostPart, mostWindow: mostOutstanding, mostQueue: MOST_QUEUE });
		this.states = new ChunkStates(have, (chunk, change) => {
			for (const remote of this.#nodes.values()) {
				remote.useful += remote.have.has(chunk) ? change : 0;
			}
		});
		this.#picker = new ChunkPicker(options, this.states, this.#nodes);
		this.#assignments = new Assignments(options, this.states, this.#picker, this.#nodes);
		this.#relief = new Relief(this.#nodes, this.#assignments);
	}

	/** The nodes that chunks can be requested from, by id. */
	get nodes(): ReadonlyMap<string, RemoteNode> {
		return this.#nodes;
	}

	/** Bytes of open requests that count against the limit of all nodes together. */
	get #counted(): number {
		return bytesOpen([...this.#nodes.values()].filter(({ window }) => !window.isDirect));
	}

	/**
	 * The bytes that are about to arrive, and the ms of the quickest answer of any node so far. What
	 * is open at a doubtful node may never arrive.
	 */
	awaited(now: number): { outstanding: number; quickest: number } {
		const nodes = [...this.#nodes.values()];
		return {
			outstanding: bytesOpen(nodes.filter((node) => !node.isDoubtful(now))),
			quickest: Math.min(...nodes.map(({ window }) => window.quickest)),
		};
	}

	/** Whether `node` was dropped for bad chunks: this download does not use it again. */
	isDropped(node: string): boolean {
		return (this.#strikes.get(node) ?? 0) >= this.#options.mostStrikes;
	}

	/** Changes the bounds of the parts and of the window of `node`. */
	rebound(node: string, bounds: Partial<WindowOptions>): void {
		this.#nodes.get(node)?.window.rebound(bounds);
	}

	/**
	 * `node` reports that it has `chunks`, indices of the layout. From now on chunks can be requested
	 * from it, unless it was dropped before.
	 *
	 * @returns whether it has missing chunks that it did not have before
	 */
	nodeHas(node: string, chunks: Iterable<number>, known: KnownOfNode = {}): boolean {
		if (this.isDropped(node)) {
			return false;
		}
		const { layout, mostPart, mostOutstanding: mostWindow, lost } = this.#options;
		// If the link of this node is the bottleneck, a new node is no faster than the others.
		const timeoutOfAll = (): number => this.#window.timeout;
		const bounds = { mostPart, mostWindow, timeoutOfAll };
		const remote =
			this.#nodes.get(node) ?? new RemoteNode(node, layout.chunks, bounds, lost, known);
		this.#nodes.set(node, remote);
		if (remote.have.isFull) {
			return false;
		}
		const before = remote.useful;
		for (const chunk of chunks) {
			if (remote.have.set(chunk)) {
				this.#count(remote, chunk, 1);
			}
		}
		return remote.useful > before;
	}

	/** `node` is gone, or does not share the seed any more. */
	removeNode(node: string): void {
		const remote = this.#nodes.get(node);
		if (remote !== undefined) {
			for (const attempt of [...remote.attempts]) {
				this.#assignments.abandon(attempt);
			}
			for (const chunk of remote.have.indices()) {
				this.#picker.count(chunk, -1);
			}
			this.#nodes.delete(node);
		}
	}

	/**
	 * Bytes have arrived.
	 *
	 * @returns the attempt that the bytes belong to; undefined unless exactly these bytes were
	 *   requested from `from`
	 */
	received(
		from: string,
		request: bigint,
		offset: number,
		length: number,
		now: number,
	): Attempt | undefined {
		const remote = this.#nodes.get(from);
		const part = remote?.answered(request, offset, length, now);
		if (part === undefined) {
			const late = remote && this.#assignments.takeLate(remote, request, [offset, length], now);
			this.#finishIfWhole(late);
			return late;
		}
		this.#window.onAnswer(length, part.asks.at(-1)?.at ?? now, now);
		const askedAt = part.asks.find((ask) => ask.request === request)?.at ?? now;
		this.#options.answered?.(from, now - askedAt);
		this.#finishIfWhole(part.attempt);
		return part.attempt;
	}

	/**
	 * `from` has sent bytes to all subscribers, whether this node has requested them or not.
	 *
	 * @returns the bytes that are new here, with their attempts: for whole chunks, a complete attempt
	 *   for each run of missing chunks; for a block of a chunk, the attempt at that chunk
	 */
	overheard(from: string, offset: number, length: number, now: number): Overheard[] {
		const remote = this.#nodes.get(from);
		const { layout } = this.#options;
		if (remote === undefined || !layout.isRange(offset, length)) {
			return [];
		}
		const first = Math.ceil(offset / layout.chunkSize);
		const isEnd = offset + length === layout.length;
		const end = isEnd ? layout.chunks : Math.floor((offset + length) / layout.chunkSize);
		if (end > first) {
			return this.#assignments.overhear(remote, { first, count: end - first }, now);
		}
		// With tiny blocks, a chunk would consist of thousands of pieces.
		const isLarge = isEnd || length >= Math.min(LEAST_PART, this.#options.mostPart / 2);
		const isInOne = isLarge && layout.chunkAt(offset) === layout.chunkAt(offset + length - 1);
		const block = isInOne
			? this.#assignments.overhearBlock(remote, [offset, length], now)
			: undefined;
		if (block === undefined) {
			return [];
		}
		this.#finishIfWhole(block.attempt);
		return [block];
	}

	/** The demand of the readers has changed: cancels requests for chunks that none needs any more. */
	demandChanged(): void {
		this.#assignments.abandonUnwanted();
	}

	/**
	 * Abandons all attempts at `node`: its lane was lost, or its answers would exceed a rate limit.
	 * Answers that still arrive are not used.
	 */
	disconnectedFrom(node: string): void {
		this.#assignments.leave(node);
	}

	/**
	 * The connection to the broker was lost, and with it all requests that were open through the
	 * broker. No node is blamed.
	 */
	disconnected(): void {
		for (const remote of this.#nodes.values()) {
			if (!remote.window.isDirect) {
				remote.loseAll();
			}
		}
	}

	/** `from` has refused a request: it is too busy (`isBusy`), or lacks the requested chunks. */
	refused(from: string, request: bigint, isBusy: boolean, now: number): void {
		const remote = this.#nodes.get(from);
		if (remote === undefined) {
			return;
		}
		for (const attempt of remote.attemptsOf(request)) {
			this.#assignments.abandon(attempt);
			for (let index = 0; !isBusy && index < attempt.chunks; index += 1) {
				if (remote.have.clear(attempt.firstChunk + index)) {
					this.#count(remote, attempt.firstChunk + index, -1);
				}
			}
		}
		if (isBusy) {
			remote.pauseAfterRefusal(now, this.#options.random());
		}
	}

	/** A chunk that was being verified is right, and is stored. */
	stored(chunk: number): void {
		this.states.move(chunk, 'have');
		this.#verified(chunk, true);
	}

	/** A chunk that arrived by fan-out is wrong: it is fetched again, and no node gets a strike. */
	unheard(chunk: number): void {
		this.states.move(chunk, 'missing');
	}

	/**
	 * A chunk of `node` that was being verified is wrong: it is fetched again. The node gets a
	 * strike.
	 */
	bad(chunk: number, node: string): Decision[] {
		this.states.move(chunk, 'missing');
		this.#verified(chunk, false);
		const wasDropped = this.isDropped(node);
		this.#strikes.set(node, (this.#strikes.get(node) ?? 0) + 1);
		if (wasDropped || !this.isDropped(node)) {
			return [];
		}
		this.removeNode(node);
		return [{ do: 'drop', node }];
	}

	/**
	 * The actions to perform now.
	 *
	 * @param budget bytes that may be requested in all; any value above 0 allows one part
	 * @param mostPart bytes of the largest part; a smaller bound of a node still applies
	 */
	decide(
		now: number,
		budget = Number.POSITIVE_INFINITY,
		mostPart = Number.POSITIVE_INFINITY,
	): Decision[] {
		const suspects = this.#relief.takeFromLate(now);
		this.#relief.spareComplete(now);
		const missing = this.states.count('missing') * this.#options.layout.chunkSize;
		const ready = worthAsking(this.#nodes, { now, isCutOff: this.isCutOff, missing });
		if (ready.length === 0) {
			return [...suspects, ...this.#assignments.takeDecisions()];
		}
		const batches = new Map<RemoteNode, Batch>();
		let open = this.#counted;
		for (let left = budget; left > 0; ) {
			const remote = this.#next(ready, batches, open, now);
			if (remote === undefined) {
				break;
			}
			const batch = batches.get(remote) ?? { request: this.#options.requestId(), ranges: [] };
			const range = this.#ask(remote, batch.request, mostPart, now);
			batches.set(remote, batch);
			batch.ranges.push(range);
			left -= range[1];
			open += remote.window.isDirect ? 0 : range[1];
		}
		const decisions = [...suspects, ...this.#assignments.takeDecisions()];
		for (const [{ id: node }, { request, ranges }] of batches) {
			decisions.push({ do: 'request', node, request, ranges });
		}
		return decisions;
	}

	/**
	 * The node from which one more part is requested: of the nodes in `ready`, the one with the
	 * fewest open bytes, snubbed ones last. A node without room or work is removed from `ready`.
	 */
	#next(
		ready: RemoteNode[],
		batches: ReadonlyMap<RemoteNode, Batch>,
		open: number,
		now: number,
	): RemoteNode | undefined {
		while (ready.length > 0) {
			const index = nextToAsk(ready);
			const remote = ready[index] as RemoteNode;
			const isFull = (batches.get(remote)?.ranges.length ?? 0) >= this.#options.mostRanges;
			const hasRoom = !isFull && this.#fits(remote, open) && remote.hasRoom(now);
			if (hasRoom && this.#assignments.assign(remote, now)) {
				return remote;
			}
			ready.splice(index, 1);
		}
		return undefined;
	}

	/**
	 * Whether the limit of all nodes together allows one more part to be requested from `remote`. If
	 * `remote` is idle, the limit is `mostOutstanding`; otherwise it is the common window, which may
	 * be smaller. The nodes with open requests may never answer, and must not block an idle node.
	 */
	#fits(remote: RemoteNode, open: number): boolean {
		if (!remote.hasAnswered && remote.outstanding > 0 && !this.#fitsUnanswered(remote)) {
			return false;
		}
		if (remote.window.isDirect) {
			return true;
		}
		const most = remote.outstanding === 0 ? this.#options.mostOutstanding : this.#window.size;
		return open === 0 || open + remote.window.part <= most;
	}

	/**
	 * Whether the nodes that have not answered yet have room for one more part: they all share one
	 * first window. With a first window for each of them, a thin link would get more bytes than it
	 * can carry before the first timeout.
	 */
	#fitsUnanswered(remote: RemoteNode): boolean {
		const unanswered = [...this.#nodes.values()].filter((node) => !node.hasAnswered);
		return bytesOpen(unanswered) + remote.window.part <= FIRST_WINDOW;
	}

	#ask(remote: RemoteNode, request: bigint, mostPart: number, now: number): ByteRange {
		const attempt = remote.hungryAttempt() as Attempt;
		const part = attempt.nextPart(Math.min(remote.window.part, mostPart));
		this.#asked += 1;
		remote.ask(part, request, this.#asked, now);
		return [part.offset, part.length];
	}

	#finishIfWhole(attempt: Attempt | undefined): void {
		if (attempt?.isWhole !== true) {
			return;
		}
		const { node, firstChunk: first, chunks: count, length, isOverheard } = attempt;
		this.#assignments.finish(attempt);
		if (!isOverheard) {
			this.#nodes.get(node)?.verifies(length);
			for (const chunk of chunksIn({ first, count })) {
				this.#verifying.set(chunk, node);
			}
		}
	}

	#verified(chunk: number, isRight: boolean): void {
		const node = this.#verifying.get(chunk);
		this.#verifying.delete(chunk);
		if (node !== undefined) {
			this.#nodes.get(node)?.verified(this.#options.layout.sizeOf(chunk), isRight);
		}
	}

	/** `remote` has gained (+1) or lost (-1) `chunk`. */
	#count(remote: RemoteNode, chunk: number, change: 1 | -1): void {
		this.#picker.count(chunk, change);
		remote.useful += this.states.of(chunk) === 'missing' ? change : 0;
	}
}
