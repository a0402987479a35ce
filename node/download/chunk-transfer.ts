import {
	type Bitfield,
	type ChunkMessage,
	encodeJson,
	formatRequestId,
	makeRequestId,
	type NodeReply,
	type Report,
	ShoalError,
} from '../../protocol/index.ts';
import type { ChunkWriter } from '../chunk-writer/chunk-writer.ts';
import type { Attempt } from '../engine/attempt.ts';
import type { Decision } from '../engine/decision.ts';
import { DownloadEngine } from '../engine/download-engine.ts';
import type { LaneKind } from '../lanes/lane.ts';
import type { HaveReply } from '../peers/peer-types.ts';
import type { Peers } from '../peers/peers.ts';
import type { SeedEvent } from '../stats/trace.ts';
import type { StoredContent } from '../storage/content-store.ts';
import { OnceATurn } from '../util/once-a-turn.ts';
import { badChunk } from './bad-chunk.ts';
import { ChunkAssembler } from './chunk-assembler.ts';
import { chunksOf, missingIn, present } from './chunk-fields.ts';
import type { Contributions } from './contributions.ts';
import type { ChunkSelection, DownloadContext } from './download-types.ts';
import { FanOutSubscriptions } from './fan-out-subscriptions.ts';
import { PeerLanes } from './peer-lanes.ts';
import { Prefills } from './prefills.ts';
import type { Reuse } from './reuse.ts';

/** Options of a {@link ChunkTransfer}. */
export interface ChunkTransferOptions extends ChunkSelection {
	/** The peers that are asked. A peer that sends too many bad chunks is removed for good. */
	readonly peers: Pick<Peers, 'coDownloaders' | 'heard' | 'remove'>;
	/** Counts the chunks that each peer sends. */
	readonly contributions: Contributions;
	/** Verifies and stores the chunks. */
	readonly writer: ChunkWriter;
	/** Missing chunks that this transfer does not fetch. @default none */
	readonly later?: Bitfield | undefined;
	/** Has the known bytes of chunks that are not known as a whole. @default none */
	readonly reuse?: Pick<Reuse, 'count' | 'partly'> | undefined;
	/** Called once, when every chunk that is fetched is verified and stored. */
	readonly complete: () => void;
	/** Called when bytes cannot be stored: the transfer cannot go on. */
	readonly failed: (error: unknown) => void;
}

const TICK = 50;
/** If more bytes than this wait to be verified and stored, nothing more is requested. */
const MOST_WAITING = 16 * 1024 * 1024;

/**
 * Fetches the chunks that a content lacks: does what the engine decides, and counts each chunk that
 * is verified and stored.
 */
export class ChunkTransfer {
	readonly #context: DownloadContext;
	readonly content: StoredContent;
	/** Decides what is requested; it has the state of each chunk. */
	readonly engine: DownloadEngine;
	readonly #assembler: ChunkAssembler;
	/** Undefined if nothing is known of any chunk. */
	readonly #prefills: Prefills | undefined;
	/** The attempts whose last bytes arrived on a direct lane. */
	readonly #direct = new WeakSet<Attempt>();
	readonly #options: ChunkTransferOptions;
	readonly #timer: NodeJS.Timeout;
	readonly #fanOut: FanOutSubscriptions;
	/** The lanes to the nodes that chunks are requested from. */
	readonly lanes: PeerLanes;
	#isClosed = false;
	/** Schedules `#decide`. */
	readonly #decision = new OnceATurn(() => this.#decide());
	/** Whether `complete` was called. Attempts that settle later must not call it again. */
	#isComplete = false;

	constructor(context: DownloadContext, content: StoredContent, options: ChunkTransferOptions) {
		const { limits } = context;
		const { peers, order, demand, failed } = options;
		this.#context = context;
		this.content = content;
		this.#options = options;
		this.#prefills = options.reuse && new Prefills(options.reuse);
		this.#fanOut = new FanOutSubscriptions(context, content.seed.id);
		this.engine = new DownloadEngine({
			layout: content.seed.layout,
			have: present(content, options.later),
			coDownloaders: peers.coDownloaders,
			order,
			demand,
			knownIn: (run) => options.reuse?.partly.rangesIn(run) ?? [],
			mostPart: limits.part,
			mostOutstanding: limits.outstanding,
			mostStrikes: limits.badAnswers,
			mostRanges: limits.requestRanges,
			random: Math.random,
			requestId: makeRequestId,
			answered: (node, took) => this.#trace({ event: 'answered', node, took }),
			lost: (node, { offset, length }) => this.#trace({ event: 'lost', node, offset, length }),
		});
		this.#assembler = new ChunkAssembler(content, options.writer, {
			stored: (attempt, first, count, bytes) => this.#count(attempt, first, count, bytes),
			bad: (attempt, chunk) => this.#reject(attempt, chunk),
			settled: () => this.#settled(),
			keep: (offset, bytes, release) => this.#keep(offset, bytes, release),
			failed,
		});
		this.lanes = new PeerLanes(context, this.engine, this.#fanOut, this.#decision.urgent);
		this.#timer = setInterval(this.#decide, TICK);
	}

	/**
	 * A node has replied which chunks it has, `roundTrip` ms after it was asked.
	 *
	 * @throws ShoalError ERR_MESSAGE if the reply has another length or number of chunks than the
	 *   seed, ERR_RANGE if it names chunks that the seed does not have
	 */
	onHave(from: string, reply: HaveReply, roundTrip: number): void {
		const { seed } = this.content;
		if (reply.length !== seed.length || reply.chunks !== seed.chunks) {
			throw new ShoalError('ERR_MESSAGE', `node ${from} reports a wrong length of seed ${seed.id}`);
		}
		if (!this.#context.lanes.reaches(from)) {
			return;
		}
		const isSilent = this.#context.responsiveness.isSilent(from, performance.now());
		this.engine.nodeHas(from, chunksOf(reply), { roundTrip, isSilent });
		this.lanes.has(from, reply.part);
		const chunks = this.engine.nodes.get(from)?.have.count ?? 0;
		this.#trace({ event: 'has', node: from, chunks });
		this.#decision.urgent();
	}

	/** A node has gained chunks. @throws ShoalError ERR_MESSAGE if they are more than there are */
	onGained(from: string, { runs }: Extract<NodeReply, { op: 'gained' }>): void {
		const { seed } = this.content;
		const have = this.engine.nodes.get(from)?.have;
		// A small reply could name every chunk thousands of times.
		if (runs.reduce((sum, [, count]) => sum + count, 0) > seed.chunks) {
			throw new ShoalError('ERR_MESSAGE', `node ${from} reports wrong chunks of seed ${seed.id}`);
		}
		if (have !== undefined) {
			const isUseful = this.engine.nodeHas(from, missingIn(have, runs));
			this.#trace({ event: 'gained', node: from, runs });
			// Most news is of chunks that are here already, or have been requested.
			if (isUseful) {
				this.#decision.urgent();
			}
		}
	}

	/** A node refuses a request. */
	onRefused(from: string, request: bigint, isBusy: boolean): void {
		this.engine.refused(from, request, isBusy, performance.now());
		this.#trace({ event: 'refused', node: from, id: formatRequestId(request), busy: isBusy });
		this.#decision.urgent();
	}

	/** A node is gone, or does not share the seed any more. */
	onGone(node: string): void {
		this.engine.removeNode(node);
		this.#fanOut.remove(node);
		this.#trace({ event: 'gone', node });
		this.#decision.urgent();
	}

	/** The chunks that readers need have changed. */
	onDemand(): void {
		this.engine.demandChanged();
		this.#decision.urgent();
	}

	/** The download rate has a lower limit: open requests are cancelled, and sent again within it. */
	onLowerLimit(): void {
		for (const node of this.engine.nodes.keys()) {
			this.engine.disconnectedFrom(node);
		}
		this.#decision.urgent();
	}

	/** The connection was lost: open requests are sent again as soon as it is back. */
	onDisconnected(): void {
		this.engine.disconnected();
		this.#trace({ event: 'disconnected' });
	}

	/**
	 * Bytes of the content have arrived. Bytes that were not requested from the sender are ignored.
	 *
	 * @param release called when the bytes are not needed any more
	 */
	onBytes(
		from: string,
		{ request, offset, bytes }: ChunkMessage,
		lane: LaneKind,
		release: () => void,
	): void {
		const { length } = bytes;
		const now = performance.now();
		const attempt = this.engine.received(from, request, offset, length, now);
		this.#options.peers.heard(from, attempt !== undefined, now);
		const useful = attempt === undefined ? 0 : length;
		this.#trace({ event: 'received', node: from, lane, offset, length, useful, shared: false });
		if (attempt === undefined) {
			release();
			return;
		}
		this.#direct[lane === 'direct' ? 'add' : 'delete'](attempt);
		this.#received(from, lane, length);
		this.#assembler.take(attempt, [{ offset, bytes, release }]);
		// A node with open requests can wait until all that has arrived is handled; an idle one cannot.
		const isIdle = this.engine.nodes.get(from)?.outstanding === 0;
		isIdle ? this.#decision.urgent() : this.#decision.soon();
	}

	/**
	 * A node has sent bytes to all subscribers of its swarm topic. Bytes that this download lacks are
	 * used as if this node had requested them.
	 *
	 * @param release as in {@link onBytes}
	 */
	onShared(from: string, { offset, bytes }: ChunkMessage, release: () => void): void {
		const now = performance.now();
		const isAccepted = this.#fanOut.accepts(from, offset);
		if (!isAccepted || this.#assembler.waiting > MOST_WAITING) {
			this.#options.peers.heard(from, isAccepted, now);
			release();
			return;
		}
		const overheard = this.engine.overheard(from, offset, bytes.length, now);
		this.#options.peers.heard(from, overheard.length > 0, now);
		let uses = overheard.reduce((sum, { ranges }) => sum + ranges.length, 0);
		const used = (): void => {
			uses -= 1;
			if (uses === 0) {
				release();
			}
		};
		let useful = 0;
		for (const { attempt, ranges } of overheard) {
			const segments = ranges.map(([start, length]) => {
				useful += length;
				const own = bytes.subarray(start - offset, start - offset + length);
				return { offset: start, bytes: own, release: used };
			});
			this.#assembler.take(attempt, segments);
		}
		if (overheard.length === 0) {
			release();
		}
		this.#received(from, 'broker', bytes.length);
		this.#fanOut.count(from, bytes.length, useful);
		const about = { node: from, lane: 'broker', offset, length: bytes.length, useful } as const;
		this.#trace({ event: 'received', ...about, shared: true });
		this.#decision.urgent();
	}

	/** Resolves when the chunks that were being written are stored. */
	async close(): Promise<void> {
		clearInterval(this.#timer);
		if (!this.#isClosed) {
			this.#isClosed = true;
			// Requests that were given up a moment ago are cancelled; nothing more is requested.
			const last = this.engine.decide(performance.now(), 0);
			this.#act(last.filter((decision) => decision.do !== 'suspect'));
		}
		this.lanes.close();
		this.#fanOut.close();
		await this.#assembler.close();
	}

	/** Keeps bytes in memory for a while, because co-downloaders may request them next. */
	#keep(offset: number, bytes: Uint8Array, release: () => void): void {
		const { contents, recent } = this.#context;
		const isHeld = contents.get(this.content.seed.id) === this.content;
		if (isHeld && this.#options.peers.coDownloaders.areThere) {
			recent.add(this.content, offset, bytes, release);
		} else {
			release();
		}
	}

	#received(from: string, lane: LaneKind, bytes: number): void {
		this.#context.responsiveness.delivered(from);
		this.#context.traffic.received(from, lane, bytes);
	}

	#settled(): void {
		this.#decision.soon();
		if (this.engine.states.isComplete && !this.#isComplete) {
			this.#isComplete = true;
			this.#trace({ event: 'complete' });
			this.#options.complete();
		}
	}

	/**
	 * A chunk is wrong. If its attempt began with known bytes, the sender is not blamed. Otherwise,
	 * this node unsubscribes from the fan-out topic of the sender; the sender gets a strike, unless
	 * the chunk arrived by fan-out.
	 */
	#reject(attempt: Attempt, chunk: number): void {
		if (this.#prefills?.has(attempt)) {
			// Most likely, the known bytes were wrong, not the bytes that the node has sent.
			this.#prefills.wrong(chunk);
			this.engine.unheard(chunk);
			return;
		}
		const { node, isOverheard } = attempt;
		this.#trace({ event: 'bad', node, chunk });
		this.#fanOut.leave(node);
		// Wrong chunks that were on their way when the node was dropped are not reported.
		if (!this.engine.isDropped(node)) {
			this.#context.warn(badChunk(node, chunk));
			if (!isOverheard) {
				this.#report({ event: 'chunk-refused', node, chunk });
			}
		}
		if (isOverheard) {
			this.engine.unheard(chunk);
		} else {
			this.#act(this.engine.bad(chunk, node));
		}
	}

	#count(attempt: Attempt, first: number, count: number, bytes: number): void {
		const { node } = attempt;
		const lane = this.#direct.has(attempt) ? 'direct' : 'broker';
		// Through the broker, a complete node sends a chunk to all co-downloaders at once.
		const isFirst = lane === 'direct' && this.engine.nodes.get(node)?.have.isFull === true;
		for (let chunk = first; chunk < first + count; chunk += 1) {
			this.engine.stored(chunk);
			this.#context.contents.gain(this.content, chunk, isFirst);
		}
		const known = this.#prefills?.stored(attempt, first, count) ?? 0;
		this.#options.contributions.count(node, lane, count, bytes - known);
		this.#trace({ event: 'stored', node, first, count });
	}

	readonly #decide = (): void => {
		const { link, downLimiter } = this.#context;
		if (!this.#isClosed) {
			const now = performance.now();
			this.engine.isCutOff = !link.isUp;
			const affordable = downLimiter.affordable(() => this.engine.awaited(now));
			const budget = Math.min(MOST_WAITING - this.#assembler.waiting, affordable);
			this.#act(this.engine.decide(now, budget, downLimiter.piece));
			downLimiter.whenFree(this.#decide);
		}
	};

	#act(decisions: readonly Decision[]): void {
		for (const decision of decisions) {
			if (decision.do === 'prefill') {
				const { attempt } = decision;
				this.#assembler.take(attempt, this.#prefills?.begin(attempt) ?? []);
			} else if (decision.do === 'discard') {
				this.#assembler.discard(decision.attempt);
			} else if (decision.do === 'drop') {
				this.#options.peers.remove(decision.node, true);
				this.#trace({ event: 'dropped', node: decision.node });
				this.#report({ event: 'node-dropped', node: decision.node });
			} else if (decision.do === 'suspect') {
				this.#context.lanes.suspect(decision.node);
			} else {
				this.#request(decision);
			}
		}
	}

	/** Requests ranges from a node, or cancels them, on the lane to it. */
	#request({ do: what, node, request, ranges }: Extract<Decision, { ranges: unknown }>): void {
		const { lanes, link, topics, downLimiter, trace } = this.#context;
		const { id: seed } = this.content.seed;
		const isRequest = what === 'request';
		if (isRequest) {
			downLimiter.spend(ranges.reduce((sum, [, length]) => sum + length, 0));
		}
		const lane = lanes.to(node);
		const isHeard = isRequest && lane.kind === 'broker' && this.#fanOut.hears(node);
		const id = formatRequestId(request);
		const fanOut = isHeard ? { shared: true, heard: this.#fanOut.lastFrom(node) } : {};
		const message = { op: isRequest ? 'chunks' : 'cancel', id, seed, ranges, ...fanOut };
		lane.send(topics.request(node, link.id), encodeJson(message));
		const event = isRequest ? 'asked' : 'cancelled';
		trace?.({ event, seed, node, lane: lane.kind, id, ranges });
	}

	#report(report: Pick<Report, 'event' | 'node' | 'chunk'>): void {
		this.#context.tracker.report({ ...report, seed: this.content.seed.id });
	}

	#trace(event: SeedEvent): void {
		this.#context.trace?.({ ...event, seed: this.content.seed.id });
	}
}
