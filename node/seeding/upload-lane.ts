import {
	type ByteRange,
	type ChunkContent,
	HEADER_BYTES,
	type Limits,
	type Link,
	packetBuffers,
	type Topics,
	writeChunkHeader,
} from '../../protocol/index.ts';
import type { Lane } from '../lanes/lane.ts';
import type { TraceSink } from '../stats/trace.ts';
import type { Traffic } from '../stats/traffic.ts';
import type { StoredContent } from '../storage/content-store.ts';
import type { Lent, RecentBytes } from '../storage/recent-bytes.ts';
import type { RateLimiter } from '../util/rate-limiter.ts';
import { type QueuedRange, RequestQueue } from './request-queue.ts';
import type { UploadTurns } from './upload-turns.ts';

/** The content, or the seed, that a queued range belongs to. */
export interface UploadItem {
	readonly of: ChunkContent;
	readonly content: StoredContent;
	/** Number of the last fan-out message that the requester had received; undefined: none. */
	readonly heard?: number | undefined;
}

/** How a queued range is answered. */
export interface Answer {
	/** The bytes to send: the requested ones, or more. */
	readonly range: ByteRange;
	/**
	 * Whether the bytes go to the requester alone, which can then cancel the request. Otherwise they
	 * go to all subscribers.
	 */
	readonly isPrivate: boolean;
}

/** The policy of a lane: which range is sent next, and to whom. */
export interface SendPolicy {
	/**
	 * The answer to `item`, to be sent next; undefined if `item` has already been answered.
	 *
	 * @param queue the other queued ranges; ranges that the same bytes answer are removed from it
	 */
	answer(item: QueuedRange<UploadItem>, queue: RequestQueue<UploadItem>): Answer | undefined;
	/**
	 * Among the ranges queued for one downloader, the one with the lowest cost is sent first.
	 *
	 * @default in the order of the requests
	 */
	cost?(item: QueuedRange<UploadItem>): number;
}

/** The parts of a node that uploads use. */
export interface UploadContext {
	readonly link: Pick<Link, 'id'>;
	readonly topics: Topics;
	readonly limits: Limits;
	/** Counts bytes sent. */
	readonly traffic: Traffic;
	/** Limits the rate of uploads. */
	readonly upLimiter: RateLimiter;
	/** Bytes that were received or read a moment ago. */
	readonly recent: RecentBytes<StoredContent>;
	/** Called for each part that is sent; undefined if there is no trace. */
	readonly trace: TraceSink | undefined;
}

/** Options of {@link UploadLane}. */
export interface UploadLaneOptions extends UploadContext {
	readonly lane: Lane;
	readonly policy: SendPolicy;
	/** The lanes that send in turns; undefined: this lane sends as soon as it can. */
	readonly turns: UploadTurns | undefined;
	/** Whether other lanes may soon need the bytes that this lane reads. */
	readonly isWantedByOthers: () => boolean;
	/** Called when a range cannot be read. */
	readonly failed: (item: QueuedRange<UploadItem>, error: unknown) => void;
}

/** A chunk message in two parts: its header, and its bytes, which are not copied. */
interface Message {
	readonly header: Uint8Array;
	readonly bytes: Lent;
}

/** A message whose bytes are being read from the disk, or which is about to be sent. */
interface Outgoing extends Answer {
	readonly item: QueuedRange<UploadItem>;
	/** Resolves to undefined if its bytes could not be read. */
	readonly message: Promise<Message | undefined>;
	isCancelled: boolean;
}

/**
 * Up to READ_AHEAD parts are read before they are sent. When only READ_AGAIN of these parts are left,
 * the next parts are read; if they come from the disk, in one go.
 */
const READ_AHEAD = 8;
const READ_AGAIN = 4;
/** Bytes. If more are queued in the lane, the next message waits until the lane has sent them. */
const SEND_AHEAD = 1024 * 1024;

/**
 * The upload queue of one lane. Sends to the requesting nodes in turn, as fast as the lane and the
 * rate limit allow.
 */
export class UploadLane {
	readonly #queue: RequestQueue<UploadItem>;
	readonly #options: UploadLaneOptions;
	readonly #outgoing: Outgoing[] = [];
	/** Whether the last range that was taken from the queue ended a chunk. */
	#isBetween = false;
	#isPumping = false;
	#isClosed = false;

	constructor(options: UploadLaneOptions) {
		this.#options = options;
		this.#queue = new RequestQueue(options.limits.requestQueue, isSame);
	}

	/** Whether `count` more ranges of `from` fit into the queue. */
	hasRoom(from: string, count: number): boolean {
		return this.#queue.hasRoom(from, count);
	}

	/** Queues ranges of a request. */
	add(from: string, request: bigint, ranges: readonly ByteRange[], of: UploadItem): void {
		for (const range of ranges) {
			this.#queue.add({ from, request, range, of });
		}
		void this.#pump();
	}

	/** Removes ranges that have not been sent yet. */
	cancel(from: string, request: bigint, ranges: readonly ByteRange[]): void {
		this.#queue.cancel(from, request, ranges);
		const offsets = new Set(ranges.map(([offset]) => offset));
		for (const outgoing of this.#outgoing) {
			const { item, isPrivate } = outgoing;
			const isTheirs = item.from === from && item.request === request;
			outgoing.isCancelled ||= isPrivate && isTheirs && offsets.has(item.range[0]);
		}
	}

	/** Removes all queued ranges of `content`, which is not shared any more. */
	drop(content: StoredContent): void {
		this.#queue.drop(({ of }) => of.content === content);
	}

	/** Stops: nothing is sent any more. */
	close(): void {
		this.#isClosed = true;
		this.#queue.drop(() => true);
		this.#options.turns?.leave(this);
	}

	async #pump(): Promise<void> {
		if (this.#isPumping) {
			return;
		}
		this.#isPumping = true;
		const { turns } = this.#options;
		while (!this.#isClosed && !this.#queue.isEmpty) {
			await (turns === undefined ? this.#sendAll() : this.#takeTurn(turns));
		}
		turns?.leave(this);
		this.#isPumping = false;
	}

	/** Sends a chunk, or more if no other lane waits, and waits until the system has taken it. */
	async #takeTurn(turns: UploadTurns): Promise<void> {
		const { lane, policy } = this.#options;
		const cost = (): number => this.#queue.leastCost(policy.cost ?? (() => 0));
		await turns.begin(this, cost);
		this.#isBetween = false;
		await this.#sendAll();
		await lane.drained();
		turns.end(this, cost);
	}

	/** Sends all ranges that may be sent now. */
	async #sendAll(): Promise<void> {
		while (!this.#isClosed && this.#readAhead()) {
			const outgoing = this.#outgoing[0] as Outgoing;
			const message = await outgoing.message;
			if (message !== undefined) {
				await this.#send(outgoing, message);
			}
			this.#outgoing.shift();
		}
	}

	#readAhead(): boolean {
		const { policy, upLimiter, turns } = this.#options;
		// With a rate limit, a range is chosen and read only after the previous one was sent; `#send`
		// then waits until the limit allows it to be sent.
		const most = upLimiter.isLimited ? 1 : this.#outgoing.length <= READ_AGAIN ? READ_AHEAD : 0;
		while (this.#outgoing.length < most) {
			const maySend = turns === undefined || turns.maySend(this, this.#isBetween);
			const item = maySend ? this.#queue.take(policy.cost) : undefined;
			if (item === undefined) {
				break;
			}
			this.#isBetween = endsChunk(item);
			const answer = policy.answer(item, this.#queue);
			if (answer !== undefined) {
				const message = this.#read(item, answer.range);
				this.#outgoing.push({ ...answer, item, message, isCancelled: false });
			}
		}
		return this.#outgoing.length > 0;
	}

	/** The message that answers `item`; if reading fails, calls `failed` and returns undefined. */
	async #read(item: QueuedRange<UploadItem>, range: ByteRange): Promise<Message | undefined> {
		const { request, of } = item;
		const [offset, length] = range;
		const { seed } = of.content;
		const header = new Uint8Array(HEADER_BYTES);
		writeChunkHeader(header, { of: of.of, request, seed: seed.id, offset });
		try {
			const bytes =
				of.of === 'seed'
					? { parts: [seed.body().subarray(offset, offset + length)], release: () => {} }
					: await this.#bytesOf(of.content, offset, length);
			return { header, bytes };
		} catch (error) {
			this.#options.failed(item, error);
			return undefined;
		}
	}

	/** Bytes of a content, from memory or from the disk. @throws as {@link Storage.read} */
	async #bytesOf(content: StoredContent, offset: number, length: number): Promise<Lent> {
		const { recent, isWantedByOthers } = this.#options;
		const lent = recent.lend(content, offset, length);
		if (lent !== undefined) {
			return lent;
		}
		const bytes = packetBuffers.take(length);
		const release = (): void => packetBuffers.give(bytes);
		try {
			await content.storage.read(offset, bytes);
		} catch (error) {
			release();
			throw error;
		}
		if (!isWantedByOthers()) {
			return { parts: [bytes], release };
		}
		recent.add(content, offset, bytes, release);
		return recent.lend(content, offset, length) ?? { parts: [bytes], release: () => {} };
	}

	async #send(outgoing: Outgoing, { header, bytes }: Message): Promise<void> {
		const { lane, link, topics, upLimiter, traffic, trace } = this.#options;
		while (upLimiter.wait > 0 && !this.#isClosed) {
			await new Promise<void>((resolve) => {
				if (!upLimiter.whenFree(resolve)) {
					resolve();
				}
			});
		}
		if (lane.queued > SEND_AHEAD) {
			await lane.drained();
		}
		if (this.#isClosed || outgoing.isCancelled || !lane.isUp) {
			bytes.release();
			return;
		}
		const { item, isPrivate, range } = outgoing;
		const [offset, length] = range;
		const { seed } = item.of.content;
		const topic = isPrivate ? topics.chunk(item.from, link.id) : topics.swarm(seed.id, link.id);
		upLimiter.spend(length);
		traffic.sent(lane.kind, length);
		lane.send(topic, [header, ...bytes.parts], bytes.release);
		const node = isPrivate ? item.from : undefined;
		trace?.({ event: 'sent', seed: seed.id, node, lane: lane.kind, offset, length });
	}
}

/** Whether `range` ends at the end of a chunk. Each range of the text of a seed counts as a chunk. */
function endsChunk({ range: [offset, length], of }: QueuedRange<UploadItem>): boolean {
	if (of.of === 'seed') {
		return true;
	}
	const { layout } = of.content.seed;
	const last = layout.chunkAt(offset + length - 1);
	return layout.offsetOf(last) + layout.sizeOf(last) === offset + length;
}

function isSame(a: UploadItem, b: UploadItem): boolean {
	return a.of === b.of && a.content === b.content;
}
