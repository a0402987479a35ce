import {
	BufferPool,
	type ByteRange,
	type ChunkContent,
	formatRequestId,
	HEADER_BYTES,
	isShoalError,
	type RefusalReason,
	type Seed,
	writeChunkHeader,
} from '../protocol/index.ts';
import type { NodeContext } from './context.ts';
import { FanOut } from './fan-out.ts';
import type { Holding } from './holdings.ts';
import { type QueuedRange, RequestQueue } from './request-queue.ts';

/** What a queued range is of. */
export interface Wanted {
	readonly of: ChunkContent;
	readonly holding: Holding;
}

/** What a {@link ChunkSender} tells its owner. */
export interface ChunkSenderHandlers {
	/** A range could not be read. */
	refuse(to: string, about: { id: string; seed: string }, reason: RefusalReason): void;
	/** The bytes of a holding are not what they were: it must not be served any more. */
	broken(holding: Holding, error: unknown): void;
}

/** A message that is on its way out. */
interface Outgoing {
	readonly topic: string;
	/** Undefined if it could not be made. */
	readonly message: Promise<Uint8Array | undefined>;
}

/** Parts read from the disk ahead of being sent; and how few of them are left when more are read, in one go. */
const READ_AHEAD = 8;
const READ_AGAIN = 4;
/** Bytes handed to the socket before waiting until it has taken them. */
const SEND_AHEAD = 1024 * 1024;

/** Sends what was asked for: in turn, each range once, and once for all where several listen. */
export class ChunkSender {
	readonly #context: NodeContext;
	readonly #handlers: ChunkSenderHandlers;
	readonly #queue: RequestQueue<Wanted>;
	readonly #fanOut = new FanOut();
	readonly #pool: BufferPool;
	#isPumping = false;
	#isClosed = false;

	constructor(context: NodeContext, handlers: ChunkSenderHandlers) {
		this.#context = context;
		this.#handlers = handlers;
		this.#queue = new RequestQueue(context.limits.requestQueue);
		this.#pool = new BufferPool(HEADER_BYTES + context.limits.part);
	}

	/** Bytes of the largest part: the broker cuts who sends a packet that is larger than it carries. */
	get mostPart(): number {
		return this.#context.tracker.state?.part ?? this.#context.limits.part;
	}

	/** Whether `count` more ranges of `from` fit into the queue. */
	hasRoom(from: string, count: number): boolean {
		return this.#queue.hasRoom(from, count);
	}

	/** Queues ranges of a request. `isListening`: the asker hears what is shared. */
	add(
		from: string,
		request: bigint,
		ranges: readonly ByteRange[],
		of: Wanted,
		isListening: boolean,
	): void {
		if (of.of === 'content') {
			this.#fanOut.asked(of.holding.seed.id, from, isListening);
		}
		for (const range of ranges) {
			this.#queue.add({ from, request, range, of });
		}
		void this.#pump();
	}

	/** Takes ranges back that are not sent yet. */
	cancel(from: string, request: bigint, ranges: readonly ByteRange[]): void {
		this.#queue.cancel(from, request, ranges);
	}

	/** `holding` is not served any more. */
	drop(holding: Holding): void {
		this.#queue.drop(({ of }) => of.holding === holding);
	}

	/** No message is sent any more. */
	close(): void {
		this.#isClosed = true;
		this.#queue.drop(() => true);
	}

	/** Reads ahead and sends in order, as fast as the socket and the limit take it. */
	async #pump(): Promise<void> {
		if (this.#isPumping) {
			return;
		}
		this.#isPumping = true;
		const outgoing: Outgoing[] = [];
		while (!this.#isClosed && this.#readAhead(outgoing)) {
			const { topic, message } = outgoing.shift() as Outgoing;
			const bytes = await message;
			if (bytes !== undefined) {
				await this.#send(topic, bytes);
			}
		}
		this.#isPumping = false;
	}

	#readAhead(outgoing: Outgoing[]): boolean {
		const most = outgoing.length <= READ_AGAIN ? READ_AHEAD : 0;
		while (outgoing.length < most) {
			const item = this.#queue.take();
			if (item === undefined) {
				break;
			}
			const next = this.#outgoing(item);
			if (next !== undefined) {
				outgoing.push(next);
			}
		}
		return outgoing.length > 0;
	}

	/** What goes out for a queued range; undefined if it has gone out already. */
	#outgoing(item: QueuedRange<Wanted>): Outgoing | undefined {
		const { link, topics } = this.#context;
		const { seed } = item.of.holding;
		const [first, last] = chunksOf(seed, item.range);
		const lane =
			item.of.of === 'content' ? this.#fanOut.laneFor(seed.id, item.from, first) : 'private';
		if (lane === 'answered') {
			return undefined;
		}
		if (lane === 'private') {
			return { topic: topics.chunk(item.from, link.id), message: this.#read(item, item.range) };
		}
		const range = wholeChunks(seed, item.range, this.mostPart);
		this.#fanOut.shared(seed.id, first, last);
		this.#queue.drop(({ from, range: other, of }) => {
			const isSame = of.of === 'content' && of.holding === item.of.holding;
			return isSame && isInside(other, range) && this.#fanOut.isListening(seed.id, from);
		});
		return { topic: topics.swarm(seed.id, link.id), message: this.#read(item, range) };
	}

	/** The message that answers `item`; undefined, and said so, if it cannot be answered. */
	async #read(item: QueuedRange<Wanted>, range: ByteRange): Promise<Uint8Array | undefined> {
		const { from, request, of } = item;
		const [offset, length] = range;
		const { seed, storage } = of.holding;
		const message = this.#pool.take(HEADER_BYTES + length);
		writeChunkHeader(message, { of: of.of, request, seed: seed.id, offset });
		try {
			if (of.of === 'seed') {
				message.set(seed.body().subarray(offset, offset + length), HEADER_BYTES);
			} else {
				await storage.read(offset, message.subarray(HEADER_BYTES));
			}
			return message;
		} catch (error) {
			this.#pool.give(message);
			const about = { id: formatRequestId(request), seed: seed.id };
			const reason = isShoalError(error, 'ERR_CHANGED') ? 'changed' : 'failed';
			this.#handlers.refuse(from, about, reason);
			this.#handlers.broken(of.holding, error);
			return undefined;
		}
	}

	async #send(topic: string, message: Uint8Array): Promise<void> {
		const { link, upBucket, up } = this.#context;
		while (upBucket.wait > 0 && !this.#isClosed) {
			await new Promise<void>((resolve) => upBucket.whenFree(resolve) || resolve());
		}
		if (link.queued > SEND_AHEAD) {
			await link.drained();
		}
		if (!this.#isClosed && link.isUp) {
			const bytes = message.length - HEADER_BYTES;
			upBucket.spend(bytes);
			up.count(bytes);
			link.send(topic, message, () => this.#pool.give(message));
		}
	}
}

/** The first and the last chunk of a range. */
function chunksOf({ layout }: Seed, [offset, length]: ByteRange): [first: number, last: number] {
	return layout.length === 0
		? [0, 0]
		: [Math.floor(offset / layout.chunkSize), Math.floor((offset + length - 1) / layout.chunkSize)];
}

/** The chunks that `range` touches, whole if they fit into one part: what others can use as well. */
function wholeChunks(seed: Seed, range: ByteRange, mostPart: number): ByteRange {
	const [first, last] = chunksOf(seed, range);
	const start = seed.layout.offsetOf(first);
	const length = seed.layout.offsetOf(last) + seed.layout.sizeOf(last) - start;
	return length <= mostPart ? [start, length] : range;
}

function isInside([offset, length]: ByteRange, [start, size]: ByteRange): boolean {
	return offset >= start && offset + length <= start + size;
}
