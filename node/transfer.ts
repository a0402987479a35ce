import { createNanoEvents, type Unsubscribe } from 'nanoevents';
import {
	type ChunkMessage,
	encodeJson,
	formatRequestId,
	makeRequestId,
	type NodeReply,
	ShoalError,
	sameDigest,
} from '../protocol/index.ts';
import type { NodeContext } from './context.ts';
import type { Attempt } from './engine/attempt.ts';
import type { Decision } from './engine/decision.ts';
import { DownloadEngine } from './engine/download-engine.ts';
import type { ChunkOrder } from './engine/picker.ts';
import { digestChunk } from './hashing/hasher.ts';
import type { Holding } from './holdings.ts';
import type { HaveReply } from './sources.ts';

/** What one node has contributed. */
export interface SourceShare {
	readonly node: string;
	readonly lane: 'broker';
	chunks: number;
	bytes: number;
}

/** What a {@link Transfer} tells. */
export interface TransferEvents {
	/** A node has answered with bad chunks and is not asked any more. */
	dropped(node: string): void;
	complete(): void;
	/** The bytes cannot be stored: nothing goes on. */
	failed(error: unknown): void;
}

const TICK = 50;
/** Bytes that may wait to be verified and stored: beyond, nothing more is asked for. */
const MOST_WAITING = 16 * 1024 * 1024;

/**
 * Fetches what a holding lacks: does what the engine decides, keeps the bytes of open attempts,
 * verifies each chunk, stores it, and only then counts it.
 */
export class Transfer {
	readonly #context: NodeContext;
	readonly #holding: Holding;
	readonly #engine: DownloadEngine;
	readonly #events = createNanoEvents<TransferEvents>();
	readonly #buffers = new Map<Attempt, Uint8Array>();
	readonly #shares = new Map<string, SourceShare>();
	readonly #timer: NodeJS.Timeout;
	#waiting = 0;
	#isClosed = false;

	constructor(context: NodeContext, holding: Holding, order: ChunkOrder) {
		const { limits, tracker } = context;
		this.#context = context;
		this.#holding = holding;
		this.#engine = new DownloadEngine({
			layout: holding.seed.layout,
			have: holding.have,
			order,
			mostPart: Math.min(tracker.state?.part ?? limits.part, limits.part),
			mostOutstanding: limits.outstanding,
			mostStrikes: limits.badAnswers,
			mostRanges: limits.requestRanges,
			random: Math.random,
			requestId: makeRequestId,
		});
		this.#timer = setInterval(() => this.#decide(), TICK);
	}

	on<E extends keyof TransferEvents>(event: E, handler: TransferEvents[E]): Unsubscribe {
		return this.#events.on(event, handler);
	}

	/** How many nodes are counted on. */
	get sources(): number {
		return this.#engine.nodes.size;
	}

	/** What each node has contributed, chunks that were verified only. */
	get shares(): SourceShare[] {
		return [...this.#shares.values()];
	}

	/** A node has said what it has. @throws ShoalError ERR_RANGE if that cannot be */
	onHave(from: string, { have, length, chunks }: HaveReply): void {
		const { seed } = this.#holding;
		if (length !== seed.length || chunks !== seed.chunks) {
			throw new ShoalError('ERR_MESSAGE', `node ${from} tells another length of seed ${seed.id}`);
		}
		if (have === 'all') {
			this.#engine.nodeHas(from, allOf(0, chunks));
		} else {
			const bytes = Buffer.from(have.bits, 'base64');
			this.#engine.nodeHas(from, setBits(bytes, have.first, chunks));
		}
		this.#decide();
	}

	/** A node has gained chunks. */
	onGained(from: string, { runs }: Extract<NodeReply, { op: 'gained' }>): void {
		if (this.#engine.nodes.has(from)) {
			for (const [first, count] of runs) {
				this.#engine.nodeHas(
					from,
					allOf(first, Math.min(count, this.#holding.seed.chunks - first)),
				);
			}
			this.#decide();
		}
	}

	/** A node refuses a request. */
	onRefused(from: string, request: bigint, isBusy: boolean): void {
		this.#engine.refused(from, request, isBusy, performance.now());
		this.#decide();
	}

	/** A node is not there any more. */
	onGone(node: string): void {
		this.#engine.removeNode(node);
		this.#decide();
	}

	/** The connection was lost: what was open is asked for again as soon as it is back. */
	onDisconnected(): void {
		this.#engine.disconnected();
	}

	/** Bytes of the content have come. Those that nobody asked the sender for are not looked at. */
	onBytes(from: string, { request, offset, bytes }: ChunkMessage): void {
		const now = performance.now();
		const attempt = this.#engine.received(from, request, offset, bytes.length, now);
		if (attempt === undefined) {
			return;
		}
		this.#context.down.count(bytes.length);
		const whole = this.#gather(attempt, offset, bytes);
		if (attempt.isWhole) {
			this.#buffers.delete(attempt);
			this.#waiting += attempt.length;
			void this.#settle(attempt, whole);
		}
		this.#decide();
	}

	close(): void {
		this.#isClosed = true;
		clearInterval(this.#timer);
		this.#buffers.clear();
	}

	/** The bytes of `attempt` so far. A part that is all of it is taken as it is. */
	#gather(attempt: Attempt, offset: number, bytes: Uint8Array): Uint8Array {
		if (bytes.length === attempt.length) {
			return bytes;
		}
		const buffer = this.#buffers.get(attempt) ?? new Uint8Array(attempt.length);
		this.#buffers.set(attempt, buffer);
		buffer.set(bytes, offset - attempt.offset);
		return buffer;
	}

	async #settle(attempt: Attempt, bytes: Uint8Array): Promise<void> {
		try {
			const good = await this.#verify(attempt, bytes);
			if (!this.#isClosed) {
				await this.#store(attempt, bytes, good);
			}
		} catch (error) {
			if (!this.#isClosed) {
				this.#events.emit('failed', error);
			}
		}
		this.#waiting -= attempt.length;
		if (!this.#isClosed) {
			this.#decide();
			if (this.#engine.states.isComplete) {
				this.#events.emit('complete');
			}
		}
	}

	/** Which of the chunks of a whole attempt are right. */
	async #verify({ firstChunk, chunks, offset }: Attempt, bytes: Uint8Array): Promise<boolean[]> {
		const { seed } = this.#holding;
		const checks = Array.from({ length: chunks }, async (_, index) => {
			const chunk = firstChunk + index;
			const start = seed.layout.offsetOf(chunk) - offset;
			const slice = bytes.subarray(start, start + seed.layout.sizeOf(chunk));
			return sameDigest(await digestChunk(seed.kind, slice), seed.chunkDigest(chunk));
		});
		return await Promise.all(checks);
	}

	/** Stores the good chunks, in one write where they are consecutive, and counts them. */
	async #store(attempt: Attempt, bytes: Uint8Array, good: readonly boolean[]): Promise<void> {
		const { storage, seed } = this.#holding;
		for (let index = 0; index < good.length; ) {
			let end = index;
			while (good[end] === true) {
				end += 1;
			}
			if (end > index) {
				const start = seed.layout.offsetOf(attempt.firstChunk + index);
				const last = attempt.firstChunk + end - 1;
				const stop = seed.layout.offsetOf(last) + seed.layout.sizeOf(last);
				const slice = bytes.subarray(start - attempt.offset, stop - attempt.offset);
				await storage.write(start, slice);
				this.#count(attempt, index, end, slice.length);
			} else {
				const decisions = this.#engine.bad(attempt.firstChunk + index, attempt.node);
				this.#context.warn(badChunk(attempt.node, attempt.firstChunk + index));
				this.#act(decisions);
				end += 1;
			}
			index = end;
		}
	}

	#count(attempt: Attempt, from: number, to: number, bytes: number): void {
		const { node } = attempt;
		const share = this.#shares.get(node) ?? { node, lane: 'broker', chunks: 0, bytes: 0 };
		this.#shares.set(node, share);
		share.chunks += to - from;
		share.bytes += bytes;
		for (let index = from; index < to; index += 1) {
			this.#engine.stored(attempt.firstChunk + index);
			this.#context.holdings.gain(this.#holding, attempt.firstChunk + index);
		}
	}

	#decide(): void {
		const { link, downBucket } = this.#context;
		if (!this.#isClosed && link.isUp) {
			const budget = Math.min(MOST_WAITING - this.#waiting, downBucket.available);
			this.#act(this.#engine.decide(performance.now(), budget));
		}
	}

	#act(decisions: readonly Decision[]): void {
		for (const decision of decisions) {
			if (decision.do === 'discard') {
				this.#buffers.delete(decision.attempt);
			} else if (decision.do === 'drop') {
				this.#events.emit('dropped', decision.node);
			} else {
				this.#send(decision);
			}
		}
	}

	#send({ do: what, node, request, ranges }: Extract<Decision, { ranges: unknown }>): void {
		const { link, topics, downBucket } = this.#context;
		const op = what === 'request' ? 'chunks' : 'cancel';
		if (what === 'request') {
			downBucket.spend(ranges.reduce((sum, [, length]) => sum + length, 0));
		}
		const message = { op, id: formatRequestId(request), seed: this.#holding.seed.id, ranges };
		link.send(topics.request(node, link.id), encodeJson(message));
	}
}

function* allOf(first: number, count: number): Generator<number> {
	for (let chunk = first; chunk < first + count; chunk += 1) {
		yield chunk;
	}
}

/** The set bits of a bit field whose first bit stands for chunk `first`; those beyond are ignored. */
function* setBits(bytes: Uint8Array, first: number, chunks: number): Generator<number> {
	for (let bit = 0; bit < bytes.length * 8 && first + bit < chunks; bit += 1) {
		if (((bytes[bit >> 3] as number) & (0x80 >> (bit & 7))) !== 0) {
			yield first + bit;
		}
	}
}

function badChunk(node: string, chunk: number): ShoalError {
	return new ShoalError(
		'ERR_MESSAGE',
		`node ${node} sent chunk ${chunk} wrong; it is fetched again`,
	);
}
