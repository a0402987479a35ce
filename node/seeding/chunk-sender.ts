import {
	type ByteRange,
	formatRequestId,
	isShoalError,
	MAX_RANGE,
	type RefusalReason,
	type Seed,
} from '../../protocol/index.ts';
import type { Lane } from '../lanes/lane.ts';
import type { NodeContext } from '../node-context.ts';
import type { StoredContent } from '../storage/content-store.ts';
import { FanOut } from './fan-out.ts';
import type { QueuedRange } from './request-queue.ts';
import { SentCounts } from './sent-counts.ts';
import { type Answer, type UploadItem, UploadLane } from './upload-lane.ts';

/** What a {@link ChunkSender} tells its owner. */
export interface ChunkSenderHandlers {
	/** A range could not be read. */
	refuse(to: string, about: { id: string; seed: string }, reason: RefusalReason): void;
	/** The bytes of a holding are not what they were: it must not be served any more. */
	broken(content: StoredContent, error: unknown): void;
}

/**
 * Sends what was asked for: on the lane to who asked, each range once; and through the broker once for all
 * where several listen.
 */
export class ChunkSender {
	readonly #context: NodeContext;
	readonly #handlers: ChunkSenderHandlers;
	readonly #lines = new Map<Lane, UploadLane>();
	readonly #fanOut = new FanOut();
	readonly #sentCounts = new SentCounts();

	constructor(context: NodeContext, handlers: ChunkSenderHandlers) {
		this.#context = context;
		this.#handlers = handlers;
		// What was still to be sent on a lane that is gone is asked for again on another.
		context.lanes.on('changed', () => this.#closeIdle());
	}

	/** Bytes of the largest part on a lane: who sends a packet larger than it carries is cut. */
	mostPart({ kind }: Lane): number {
		return kind === 'direct' ? MAX_RANGE : this.#brokerPart;
	}

	/** Whether `count` more ranges of `from` fit into the queue of a lane. */
	hasRoom(lane: Lane, from: string, count: number): boolean {
		return this.#laneFor(lane).queue.hasRoom(from, count);
	}

	/** Queues ranges of a request, to be answered on `lane`. `isListening`: the asker hears what is shared. */
	add(
		lane: Lane,
		from: string,
		request: bigint,
		ranges: readonly ByteRange[],
		of: UploadItem,
		isListening: boolean,
	): void {
		const line = this.#laneFor(lane);
		if (of.of === 'content' && line === this.#lines.get(this.#context.lanes.broker)) {
			this.#fanOut.asked(of.content.seed.id, from, isListening);
		}
		for (const range of ranges) {
			line.queue.add({ from, request, range, of });
		}
		void line.pump();
	}

	/** Takes ranges back that are not sent yet. */
	cancel(from: string, request: bigint, ranges: readonly ByteRange[]): void {
		for (const line of this.#lines.values()) {
			line.cancel(from, request, ranges);
		}
	}

	/** `holding` is not served any more. */
	drop(content: StoredContent): void {
		for (const { queue } of this.#lines.values()) {
			queue.drop(({ of }) => of.content === content);
		}
		this.#sentCounts.forget(content.seed);
	}

	/** No message is sent any more. */
	close(): void {
		for (const line of this.#lines.values()) {
			line.close();
		}
	}

	get #brokerPart(): number {
		return this.#context.tracker.state?.part ?? this.#context.limits.part;
	}

	#laneFor(lane: Lane): UploadLane {
		const isDirect = lane.kind === 'direct';
		const line =
			this.#lines.get(lane) ??
			new UploadLane({
				context: this.#context,
				lane,
				answer: (item) => (isDirect ? this.#answerDirectly(item) : this.#answer(item)),
				cost: isDirect ? (item) => this.#cost(item) : undefined,
				failed: (item, error) => this.#failed(item, error),
			});
		this.#lines.set(lane, line);
		return line;
	}

	#closeIdle(): void {
		for (const [lane, line] of this.#lines) {
			if (lane.kind === 'direct' && !lane.isUp) {
				line.close();
				this.#lines.delete(lane);
			}
		}
	}

	/** How a range goes out through the broker; undefined if it has gone out already. */
	#answer(item: QueuedRange<UploadItem>): Answer | undefined {
		const { from, range, of } = item;
		const { content } = of;
		const { id } = content.seed;
		// The text of a seed may be longer than its content. And who lacks chunks itself would share what most
		// others have.
		if (of.of === 'seed' || !content.have.isFull) {
			return this.#privately(item);
		}
		const whole = wholeChunks(content.seed, range);
		// Of a chunk that is larger than a part, a piece is of use to who asked for it only.
		if (whole[1] > this.#brokerPart) {
			return this.#privately(item);
		}
		const [first, last] = chunksOf(content.seed, range);
		const lane = this.#fanOut.deliveryOf(id, from, first);
		if (lane === 'answered') {
			return undefined;
		}
		if (lane === 'private') {
			return this.#privately(item);
		}
		this.#fanOut.shared(id, from, first, last);
		this.#lines.get(this.#context.lanes.broker)?.queue.drop((other) => {
			const isSame = other.of.of === 'content' && other.of.content === content;
			return isSame && isInside(other.range, whole) && this.#fanOut.isListening(id, other.from);
		});
		const { link, topics } = this.#context;
		return { topic: topics.swarm(id, link.id), range: whole, isPrivate: false };
	}

	/** How a range goes out on a direct lane. A chunk has been sent when its end has. */
	#answerDirectly(item: QueuedRange<UploadItem>): Answer {
		const { seed } = item.of.content;
		const [offset, length] = item.range;
		const [first, last] = item.of.of === 'content' ? chunksOf(seed, item.range) : [0, -1];
		for (let chunk = first; chunk <= last; chunk += 1) {
			if (seed.layout.offsetOf(chunk) + seed.layout.sizeOf(chunk) <= offset + length) {
				this.#sentCounts.sent(seed, chunk);
			}
		}
		return this.#privately(item);
	}

	/** What has been sent least often goes first: that spreads soonest. A seed before any content. */
	#cost({ range, of }: QueuedRange<UploadItem>): number {
		const { seed } = of.content;
		return of.of === 'seed' ? -1 : this.#sentCounts.count(seed, seed.layout.chunkAt(range[0]));
	}

	#privately({ from, range }: QueuedRange<UploadItem>): Answer {
		const { link, topics } = this.#context;
		return { topic: topics.chunk(from, link.id), range, isPrivate: true };
	}

	#failed({ from, request, of }: QueuedRange<UploadItem>, error: unknown): void {
		const about = { id: formatRequestId(request), seed: of.content.seed.id };
		const reason = isShoalError(error, 'ERR_CHANGED') ? 'changed' : 'failed';
		this.#handlers.refuse(from, about, reason);
		this.#handlers.broken(of.content, error);
	}
}

/** The first and the last chunk of a range. */
function chunksOf({ layout }: Seed, [offset, length]: ByteRange): [first: number, last: number] {
	return [layout.chunkAt(offset), layout.chunkAt(offset + length - 1)];
}

/** The chunks that `range` touches, whole: what others can use as well. */
function wholeChunks(seed: Seed, range: ByteRange): ByteRange {
	const [first, last] = chunksOf(seed, range);
	const start = seed.layout.offsetOf(first);
	return [start, seed.layout.offsetOf(last) + seed.layout.sizeOf(last) - start];
}

function isInside([offset, length]: ByteRange, [start, size]: ByteRange): boolean {
	return offset >= start && offset + length <= start + size;
}
