import { uint8ArrayToBase64 } from 'uint8array-extras';
import {
	type ByteRange,
	type ChunkContent,
	encodeJson,
	formatRequestId,
	isShoalError,
	MAX_RANGE,
	type NodeReply,
	type NodeRequest,
	parseRequestId,
	type RefusalReason,
} from '../../protocol/index.ts';
import type { Lane } from '../lanes/lane.ts';
import type { Lanes } from '../lanes/lanes.ts';
import type { ContentStore, StoredContent } from '../storage/content-store.ts';
import { isPassing } from '../storage/io-errors.ts';
import type { TrackerClient } from '../tracker/tracker-client.ts';
import { brokerPolicy, FanOut, unitAt } from './fan-out.ts';
import { HaveUpdates } from './have-updates.ts';
import type { QueuedRange } from './request-queue.ts';
import { directPolicy, SentCounts } from './sent-counts.ts';
import { type UploadContext, type UploadItem, UploadLane } from './upload-lane.ts';
import { UploadTurns } from './upload-turns.ts';

/** The parts of a node that {@link Seeder} uses. */
export interface SeederContext extends UploadContext {
	readonly lanes: Lanes;
	/** The contents that the node shares. */
	readonly contents: ContentStore;
	readonly tracker: Pick<TrackerClient, 'part'>;
}

/** Most bits of a bit field in one reply. Their 32 KiB, in base64, fit into a control message. */
const BITS_AT_ONCE = 8 * 32 * 1024;
/**
 * Bytes. If more are queued in a lane, replies are dropped. On a direct lane, nobody else cuts a node
 * off that requests and reads nothing; to the broker, this node may send more slowly than others
 * request, and a small request can have a large reply. Chunks alone never fill the queue as far.
 */
const MOST_QUEUED = 4 * 1024 * 1024;

/**
 * Answers the requests of other nodes: which chunks this node has, bytes of the text of a seed, and
 * bytes of chunks.
 */
export class Seeder {
	readonly #context: SeederContext;
	readonly #broken: (content: StoredContent, error: unknown) => void;
	readonly #uploads = new Map<Lane, UploadLane>();
	readonly #fanOut = new FanOut();
	readonly #sentCounts = new SentCounts();
	readonly #turns = new UploadTurns();
	readonly #haveUpdates: HaveUpdates;
	#lastAsked = Number.NEGATIVE_INFINITY;
	#isClosed = false;

	/**
	 * @param broken called if a content has changed or cannot be read
	 */
	constructor(context: SeederContext, broken: (content: StoredContent, error: unknown) => void) {
		this.#context = context;
		this.#broken = broken;
		const { lanes, contents } = context;
		this.#haveUpdates = new HaveUpdates((to, update) => this.#send(lanes.to(to), to, update));
		contents.on('gained', ({ seed: { id, layout } }, chunk, isFirst) => {
			this.#haveUpdates.gained(id, chunk, layout.sizeOf(chunk), isFirst);
		});
		contents.on('removed', (content) => this.#drop(content));
		// Ranges that were queued on a lost lane are requested again, on another lane.
		lanes.on('closed', () => this.#closeIdle());
	}

	/** When a node last requested bytes, by performance.now(); -Infinity if none has. */
	get lastAsked(): number {
		return this.#lastAsked;
	}

	/**
	 * Handles a request of `from`. Each range that it names is answered once, or the request is
	 * refused. Answers take the lane that the request came on, because only the requester knows which
	 * lane works.
	 */
	onRequest(from: string, request: NodeRequest, lane = this.#context.lanes.to(from)): void {
		const content = this.#context.contents.get(request.seed);
		if (request.op === 'cancel') {
			this.#cancel(from, parseRequestId(request.id), request.ranges);
		} else if (content === undefined) {
			this.#refuse(lane, from, request, 'not-shared');
		} else if (request.op === 'have') {
			this.#tellHave(lane, from, request.id, content);
		} else {
			this.#enqueue(lane, from, request, content);
		}
	}

	/** Stops: no message is sent any more. */
	close(): void {
		this.#isClosed = true;
		for (const upload of this.#uploads.values()) {
			upload.close();
		}
		this.#haveUpdates.close();
	}

	/** Removes those ranges of a request that have not been sent yet. */
	#cancel(from: string, request: bigint, ranges: readonly ByteRange[]): void {
		for (const upload of this.#uploads.values()) {
			upload.cancel(from, request, ranges);
		}
	}

	#drop(content: StoredContent): void {
		for (const upload of this.#uploads.values()) {
			upload.drop(content);
		}
		this.#sentCounts.forget(content.seed);
	}

	#closeIdle(): void {
		for (const [lane, upload] of this.#uploads) {
			if (lane.kind === 'direct' && !lane.isUp) {
				upload.close();
				this.#uploads.delete(lane);
			}
		}
	}

	#uploadOn(lane: Lane): UploadLane {
		let upload = this.#uploads.get(lane);
		if (upload === undefined) {
			upload = new UploadLane({
				...this.#context,
				lane,
				policy:
					lane.kind === 'direct'
						? directPolicy(this.#sentCounts)
						: brokerPolicy(this.#fanOut, () => this.#context.tracker.part),
				turns: lane.kind === 'direct' ? this.#turns : undefined,
				isWantedByOthers: () => this.#uploads.size > 1,
				failed: (item, error) => this.#failed(item, error),
			});
			this.#uploads.set(lane, upload);
		}
		return upload;
	}

	#tellHave(lane: Lane, from: string, id: string, { seed, have, folder }: StoredContent): void {
		const { name, length, chunks, index, kind } = seed;
		const { upLimiter, limits } = this.#context;
		const part = upLimiter.isLimited ? Math.min(upLimiter.piece, limits.part) : MAX_RANGE;
		const what = { name, length, chunks, index, files: folder?.files, kind };
		const about = { op: 'have', id, seed: seed.id, ...what, part } as const;
		if (have.isFull) {
			this.#reply(lane, from, { ...about, have: 'all' });
			return;
		}
		this.#haveUpdates.subscribe(seed.id, from);
		for (let first = 0; first < chunks; first += BITS_AT_ONCE) {
			const bytes = have.toBytes(first, Math.min(BITS_AT_ONCE, chunks - first));
			const bits = uint8ArrayToBase64(bytes);
			this.#reply(lane, from, { ...about, have: { first, bits } });
		}
	}

	#enqueue(
		lane: Lane,
		from: string,
		request: Extract<NodeRequest, { op: 'chunks' | 'seed' }>,
		content: StoredContent,
	): void {
		const of = request.op === 'seed' ? 'seed' : 'content';
		const { ranges, shared = false } = request;
		const isDirect = lane.kind === 'direct';
		const mostPart = isDirect ? MAX_RANGE : this.#context.tracker.part;
		const fits = ranges.every(([, length]) => length <= mostPart);
		if (!fits || !ranges.every((range) => isThere(content, of, range))) {
			this.#refuse(lane, from, request, 'not-there');
		} else if (!this.#uploadOn(lane).hasRoom(from, ranges.length)) {
			this.#refuse(lane, from, request, 'busy');
		} else {
			this.#lastAsked = performance.now();
			if (of === 'content' && !isDirect) {
				this.#fanOut.asked(content.seed.id, from, shared);
			}
			const item = { of, content, heard: this.#heardIn(request, content) } as const;
			this.#uploadOn(lane).add(from, parseRequestId(request.id), ranges, item);
		}
	}

	/** The number of the last fan-out message that the sender of a request had received. */
	#heardIn({ heard }: { heard?: number | undefined }, { seed }: StoredContent): number | undefined {
		if (heard === undefined || heard >= seed.length) {
			return undefined;
		}
		const unit = unitAt(seed.layout, heard, this.#context.tracker.part);
		return this.#fanOut.messageWith(seed.id, unit);
	}

	#failed({ from, request, of }: QueuedRange<UploadItem>, error: unknown): void {
		const about = { id: formatRequestId(request), seed: of.content.seed.id };
		this.#refuse(this.#context.lanes.to(from), from, about, reasonOf(error));
		this.#broken(of.content, error);
	}

	#refuse(
		lane: Lane,
		to: string,
		{ id, seed }: { id: string; seed: string },
		reason: RefusalReason,
	): void {
		this.#reply(lane, to, { op: 'refused', id, seed, reason });
	}

	#reply(lane: Lane, to: string, reply: NodeReply): void {
		this.#send(lane, to, encodeJson(reply));
	}

	/** Replies are not confirmed: a node that needs a lost reply repeats its request. */
	#send(lane: Lane, to: string, reply: Uint8Array): void {
		const { link, topics } = this.#context;
		if (!this.#isClosed && lane.queued <= MOST_QUEUED) {
			lane.send(topics.reply(to, link.id), reply);
		}
	}
}

/** The reason to refuse a request whose bytes cannot be read. */
function reasonOf(error: unknown): RefusalReason {
	if (isPassing(error)) {
		return 'busy';
	}
	return isShoalError(error, 'ERR_CHANGED') ? 'changed' : 'failed';
}

function isThere(
	{ seed, have }: StoredContent,
	of: ChunkContent,
	[offset, length]: ByteRange,
): boolean {
	if (of === 'seed') {
		return offset + length <= seed.body().length;
	}
	if (!seed.layout.isRange(offset, length)) {
		return false;
	}
	const last = seed.layout.chunkAt(offset + length - 1);
	for (let chunk = seed.layout.chunkAt(offset); chunk <= last; chunk += 1) {
		if (!have.has(chunk)) {
			return false;
		}
	}
	return true;
}
